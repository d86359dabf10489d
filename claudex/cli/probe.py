"""`claudex probe`: the five things that claude needs, tried one by one, each with its time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from ..errors import ClaudexError
from ..home.slots import SLOTS, variable
from . import envview, gateway, render, stream
from .mend import Failure, Refused, explain
from .place import Place

if TYPE_CHECKING:
    import httpx
    from rich.console import RenderableType

# A model at low effort answers the probe in seconds; a queue at the backend may take longer.
ANSWER_WITHIN_S = 180.0

# Characters of an answer that are shown.
SHOWN = 40

# OpenAI caches prompts from 1,024 tokens on; a shorter probe could not show whether the cache works.
SYSTEM = "\n".join(f"{line}. This line only makes the prompt long enough to be cached." for line in range(1, 101))

TOOL: dict[str, Any] = {
    "name": "lookup",
    "description": "Look up the colour of a thing.",
    "input_schema": {"type": "object", "properties": {"thing": {"type": "string"}}, "required": ["thing"]},
}
STEPS = ("healthz", "messages", "tool use", "count_tokens", "models")


@dataclass(frozen=True)
class Step:
    """Times in milliseconds; tokens as the proxy reports them. A step that made no sense to try is `skipped`."""

    name: str
    ok: bool = False
    skipped: bool = False
    url: str = ""
    ms: float | None = None
    first_event_ms: float | None = None
    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    detail: str = ""
    failure: Failure | None = None


@dataclass(frozen=True)
class Probe:
    ok: bool
    model: str
    base_url: str
    steps: list[Step]

    @property
    def exit_code(self) -> int:
        return next((step.failure.exit_code for step in self.steps if step.failure), 0)

    @property
    def reason(self) -> str:
        failed = ((step.name, step.failure) for step in self.steps if step.failure)
        return next((f"{name}: {what.cause} Tried {what.url}; mend: `{what.mend}`" for name, what in failed), "")


@dataclass(frozen=True)
class _Talk:
    """What the steps share: one client and one conversation, each request of which can hit the cache of the last."""

    place: Place
    client: httpx.Client
    model: str
    history: list[dict[str, Any]]


def run(place: Place, *, model: str = "opus", quiet: bool = False) -> Probe:
    import httpx

    chosen = _model(place, model)
    headers = {
        "authorization": f"Bearer {place.known_token or ''}",
        "anthropic-version": "2023-06-01",
        "x-claude-code-session-id": f"probe-{time.time_ns():x}",
    }
    with (
        render.progress(f"asking {chosen}", quiet=quiet),
        httpx.Client(base_url=place.base_url, headers=headers, timeout=ANSWER_WITHIN_S, trust_env=False) as client,
    ):
        steps = _steps(_Talk(place, client, chosen, []))
    return Probe(all(step.ok for step in steps), chosen, place.base_url, steps)


def _model(place: Place, wanted: str) -> str:
    """A slot's word stands for the model that claude would name, so that the probe takes claude's own way."""
    if wanted not in SLOTS:
        return wanted
    try:
        return envview.values(place).get(variable(wanted)) or wanted
    except ClaudexError:
        return wanted


def _steps(talk: _Talk) -> list[Step]:
    steps = [_try(talk, "healthz", _healthz)]
    if not steps[0].ok:
        return steps + [Step(name, skipped=True) for name in STEPS[1:]]
    steps.append(_try(talk, "messages", _messages))
    steps.append(_try(talk, "tool use", _tool_use) if steps[1].ok else Step("tool use", skipped=True))
    steps.append(_try(talk, "count_tokens", _count_tokens))
    steps.append(_try(talk, "models", _models))
    return steps


def _try(talk: _Talk, name: str, step: Callable[[_Talk], Step]) -> Step:
    import httpx

    begun = time.monotonic()
    try:
        done = step(talk)
    except (ClaudexError, httpx.HTTPError, msgspec.MsgspecError, KeyError, TypeError, IndexError) as error:
        # KeyError and the like: an answer that lacks what the protocol promises
        done = Step(name, failure=explain(talk.place, error))
    return replace(done, name=name, ok=done.failure is None, ms=round((time.monotonic() - begun) * 1000, 1))


def _healthz(talk: _Talk) -> Step:
    found = gateway.require(talk.place)
    return Step("", url=f"{talk.place.base_url}/healthz", detail=f"version {found.version}")


def _messages(talk: _Talk) -> Step:
    answer = _ask(talk, [{"role": "user", "content": "Answer with the one word: ready"}])
    if not answer.text.strip():
        raise ClaudexError("the answer holds no text")
    talk.history.append({"role": "assistant", "content": answer.content})
    return _measured(talk, answer, f"said {_start(answer)!r}")


def _tool_use(talk: _Talk) -> Step:
    """The same conversation goes on: the model asks for a tool, gets its result, and speaks again."""
    question = "Call lookup to find the colour of the sky, then tell it to me."
    first = _ask(talk, [{"role": "user", "content": question}])
    call = first.tool_use()
    if call is None or call["name"] != TOOL["name"]:
        raise ClaudexError("the model did not call the tool that it was asked to call")
    result = {"type": "tool_result", "tool_use_id": call["id"], "content": "blue"}
    talk.history.append({"role": "assistant", "content": first.content})
    second = _ask(talk, [{"role": "user", "content": [result]}])
    if not second.text.strip():
        raise ClaudexError("after the tool's result the model said nothing")
    measured = _measured(talk, second, f"called lookup, then said {_start(second)!r}")
    return replace(measured, first_event_ms=_ms(first.first_s))


def _start(answer: stream.Answer) -> str:
    text = " ".join(answer.text.split())
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _ask(talk: _Talk, messages: list[dict[str, Any]]) -> stream.Answer:
    talk.history.extend(messages)
    body = {"model": talk.model, "max_tokens": 2000, "stream": True, "tools": [TOOL], "system": SYSTEM}
    body["messages"] = talk.history
    body["output_config"] = {"effort": "low"}  # the probe asks whether it works, not for deep thought
    begun = time.monotonic()
    with talk.client.stream("POST", "/v1/messages", json=body) as response:
        if response.status_code != 200:
            response.read()
            _refuse(response)
        try:
            return stream.collect(response.iter_lines(), begun)
        except stream.StreamError as error:
            raise Refused(200, error.message, response.headers.get("request-id", "")) from error


def _refuse(response: httpx.Response) -> None:
    if response.status_code != 200:
        raise Refused(response.status_code, gateway.reason(response.content), response.headers.get("request-id", ""))


def _measured(talk: _Talk, answer: stream.Answer, detail: str) -> Step:
    usage = answer.usage
    cached = int(usage.get("cache_read_input_tokens") or 0)
    written = int(usage.get("cache_creation_input_tokens") or 0)
    return Step(
        "",
        url=f"{talk.place.base_url}/v1/messages",
        first_event_ms=_ms(answer.first_s),
        input_tokens=int(usage.get("input_tokens") or 0) + cached + written,
        cached_tokens=cached,
        output_tokens=int(usage.get("output_tokens") or 0),
        detail=detail,
    )


def _count_tokens(talk: _Talk) -> Step:
    body = {"model": talk.model, "messages": [{"role": "user", "content": "How many tokens is this?"}]}
    response = talk.client.post("/v1/messages/count_tokens", json=body)
    _refuse(response)
    return Step("", url=str(response.url), input_tokens=int(response.json()["input_tokens"]), detail="counted")


def _models(talk: _Talk) -> Step:
    response = talk.client.get("/v1/models", params={"limit": 1000})
    _refuse(response)
    return Step("", url=str(response.url), detail=f"{len(response.json()['data'])} models")


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)


def view(result: Probe) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    table = render.grid("", "step", "time", "first event", "tokens in", "cached", "out", "", right=_NUMBERS)
    parts: list[RenderableType] = [f"{result.base_url} with {result.model}", table]
    for step in result.steps:
        mark = (
            Text("–", style="dim")
            if step.skipped
            else Text("✓" if step.ok else "✗", style="green" if step.ok else "red")
        )
        numbers = [render.count(value) for value in (step.input_tokens, step.cached_tokens, step.output_tokens)]
        first = render.milliseconds(step.first_event_ms)
        note = "skipped" if step.skipped else step.detail if step.ok else "failed"
        table.add_row(mark, step.name, render.milliseconds(step.ms), first, *numbers, note)
        if step.failure:
            parts += ["", Text(f"{step.name}: {step.failure.cause}", style="red"), *_mend(step.failure)]
    return Group(*parts)


_NUMBERS = ("time", "first event", "tokens in", "cached", "out")


def _mend(failure: Failure) -> list[str]:
    lines = [f"  tried  {failure.url}"]
    if failure.request_id:
        lines.append(f"  id     {failure.request_id}")
    return [*lines, f"  mend   {failure.mend}"]
