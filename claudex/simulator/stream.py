"""A turn as the backend's event stream: item events, then the terminal one.

Shapes are the public Responses API's as codex CLI 0.169.0 reads them: every `response.*` event numbered, `output` left
empty in the terminal event, an item's `output_item.done` carrying it complete.
"""

import random
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from . import sealed, tokens
from .items_out import item_events
from .script import Pause, Reasoning, Text, Turn

Event = dict[str, Any]
_ALPHABET = string.ascii_letters + string.digits


@dataclass
class Answer:
    """What a stream needs to know of its request."""

    account_id: str
    body: dict[str, Any]
    created_at: int
    rng: random.Random
    input_tokens: int
    cached_tokens: int
    turn_state: str
    etag: str
    rate_limits: Event
    response_id: str = ""
    written: list[Event] = field(default_factory=list)
    """Finished items."""

    def __post_init__(self) -> None:
        self.response_id = self.new_id("resp_")

    def new_id(self, prefix: str) -> str:
        return prefix + self.rng.randbytes(24).hex()

    def new_call_id(self) -> str:
        return "call_" + "".join(self.rng.choices(_ALPHABET, k=24))

    def seal(self, kind: str, size: int = 0) -> str:
        return sealed.issue(self.account_id, kind, self.rng, size or self.rng.randrange(120, 700))

    @property
    def encrypts(self) -> bool:
        return "reasoning.encrypted_content" in (self.body.get("include") or [])

    @property
    def called(self) -> bool:
        return any(item["type"].endswith("_call") and item["type"] != "web_search_call" for item in self.written)


def events(turn: Turn, answer: Answer) -> Iterator[Event | Pause]:
    """Every event of the turn in order, numbered; a Pause where the stream falls silent."""
    number = 0
    for event in _unnumbered(turn, answer):
        if isinstance(event, Pause) or event["type"].startswith("codex."):
            yield event
        else:
            yield {**event, "sequence_number": number}
            number += 1


def _unnumbered(turn: Turn, answer: Answer) -> Iterator[Event | Pause]:
    yield {"type": "response.created", "response": response(answer, "in_progress")}
    yield {"type": "response.in_progress", "response": response(answer, "in_progress")}
    headers = {
        "x-codex-turn-state": answer.turn_state,
        "x-models-etag": answer.etag,
        "openai-model": answer.body["model"],
    }
    yield {"type": "response.metadata", "headers": headers}
    yield answer.rate_limits
    items = [item for item in turn.items if not isinstance(item, Pause)]
    index = 0
    for item in turn.items:
        if isinstance(item, Pause):
            yield item
            continue
        if index % 2:
            yield {"type": "keepalive"}
        final = not any(not isinstance(later, Text | Reasoning) for later in items[index + 1 :])
        yield from item_events(item, index, answer, final=final)
        index += 1
    yield from _ending(turn, answer)


def _ending(turn: Turn, answer: Answer) -> Iterator[Event]:
    if not turn.terminal:
        return
    if turn.failed is not None:
        error = dict(turn.failed)
        if turn.error_event:
            yield {"type": "error", "error": {"type": "server_error", "param": None, **error}}
        yield {"type": "response.failed", "response": {**response(answer, "failed"), "error": error}}
    elif turn.incomplete:
        finished = response(answer, "incomplete", usage(turn, answer))
        yield {
            "type": "response.incomplete",
            "response": {**finished, "incomplete_details": {"reason": turn.incomplete}},
        }
    else:
        finished = response(answer, "completed", usage(turn, answer))
        if turn.end_turn is not None:
            finished["end_turn"] = turn.end_turn
        yield {"type": "response.completed", "response": finished}


def usage(turn: Turn, answer: Answer) -> Event:
    """`input_tokens` includes the cached ones, `output_tokens` the reasoning."""
    reasoning = 64 * sum(item["type"] == "reasoning" for item in answer.written)
    facts = {
        "input_tokens": answer.input_tokens,
        "cached_tokens": answer.cached_tokens,
        "output_tokens": reasoning + sum(tokens.count(_spoken(item)) for item in answer.written),
        "reasoning_tokens": reasoning,
        **(turn.usage or {}),
    }
    details: Event = {"cached_tokens": facts["cached_tokens"]}
    if "cache_write_tokens" in facts:
        details["cache_write_tokens"] = facts["cache_write_tokens"]
    return {
        "input_tokens": facts["input_tokens"],
        "input_tokens_details": details,
        "output_tokens": facts["output_tokens"],
        "output_tokens_details": {"reasoning_tokens": facts["reasoning_tokens"]},
        "total_tokens": facts["input_tokens"] + facts["output_tokens"],
    }


def response(answer: Answer, status: str, used: Event | None = None) -> Event:
    body = answer.body
    text = body.get("text") or {}
    return {
        "id": answer.response_id,
        "object": "response",
        "created_at": answer.created_at,
        "status": status,
        "background": False,
        "completed_at": answer.created_at if status == "completed" else None,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": None,
        "max_tool_calls": None,
        "model": body["model"],
        "output": [],
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "previous_response_id": None,
        "prompt_cache_key": body.get("prompt_cache_key"),
        "reasoning": {"effort": "medium", "summary": None, **(body.get("reasoning") or {})},
        "safety_identifier": "user-simulator",
        "service_tier": body.get("service_tier") or "default",
        "store": False,
        "temperature": 1.0,
        "text": {"format": text.get("format") or {"type": "text"}, "verbosity": text.get("verbosity") or "medium"},
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": used,
        "user": None,
        "metadata": {},
    }


def _spoken(item: Event) -> str:
    content = item.get("content") or []
    said = "".join(part.get("text") or part.get("refusal") or "" for part in content)
    return said + str(item.get("arguments") or item.get("input") or "")
