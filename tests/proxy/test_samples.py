"""`end_turn: false`: the proxy asks again until the model has ended its turn."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from claudex.proxy.turn import SAMPLES
from claudex.simulator import Call, Reasoning, Text, failed, fault, turn

from .harness import ask, stack, text_of
from .test_messages import BASH

SESSION = {"X-Claude-Code-Session-Id": "3d3c9d2e-0000-4000-8000-000000000002"}
HALF = turn(Reasoning(["Look first."]), Text("Half. ", phase="commentary"), end_turn=False)
REST = turn(Reasoning(["Now the rest."]), Text("Whole."))
THINKING = {"type": "adaptive", "display": "summarized"}


@pytest.mark.parametrize("model", ["gpt-6.1-sol(high)", "gpt-5.5"])
@pytest.mark.parametrize("stream", [True, False])
async def test_samples_are_one_answer_and_one_history(tmp_path: Path, model: str, stream: bool) -> None:
    async with stack(tmp_path) as (proxy, simulator):
        simulator.play(HALF, REST, turn("On."))
        body = ask("x" * 8_000, model=model, stream=False, tools=[BASH], thinking=THINKING)
        if stream:
            events = await proxy.stream({**body, "stream": True}, **SESSION)
            assert text_of(events) == "Half. Whole."
            assert [name for name, _ in events].count("message_start") == 1
            starts = [data["index"] for name, data in events if name == "content_block_start"]
            assert starts == list(range(len(starts)))
            content = _content(events)
        else:
            async with proxy.post(body, **SESSION) as response:
                content = (await response.json())["content"]
        line = await proxy.line()
        body["messages"] += [{"role": "assistant", "content": content}, {"role": "user", "content": "on"}]
        async with proxy.post(body, **SESSION) as response:
            assert response.status == 200
        first, second, third = (request.body["input"] for request in simulator.requests)
        assert second[: len(first)] == first
        assert [item["type"] for item in second[len(first) :]] == ["reasoning", "message"]
        assert third[: len(second)] == second
        assert next(item["phase"] for item in third if item.get("role") == "assistant") == "commentary"
        assert len({request.headers.get("session-id") for request in simulator.requests}) == 1
        assert simulator.requests[1].headers["x-codex-turn-state"]
        one, two = line["samples"]
        assert (line["input"], line["cached"]) == (two["input"], two["cached"])
        assert line["output"] == one["output"] + two["output"]
        assert two["cached"] > 1024
        assert line["predicted"] > 1024
        assert line.get("broken_at") is None


async def test_each_sample_is_retried_before_its_content(tmp_path: Path) -> None:
    async with stack(tmp_path) as (proxy, simulator):
        simulator.play(HALF, fault(503, {"detail": "busy"}), failed("server_is_overloaded", "busy"), REST)
        assert text_of(await proxy.stream(ask())) == "Half. Whole."
        line = await proxy.line()
        assert (len(line["retries"]), line["attempts"]) == (2, 4)


@pytest.mark.parametrize(
    "second", [fault(400, {"detail": "no"}), turn(Text("Begun. " * 50), cut_after=9), failed("invalid_prompt", "no")]
)
async def test_a_later_sample_that_fails_is_a_failure(tmp_path: Path, second: Any) -> None:
    async with stack(tmp_path) as (proxy, simulator):
        simulator.play(HALF, second)
        events = await proxy.stream(ask())
        assert events[-1][0] == "error"
        assert "message_stop" not in [name for name, _ in events]
        assert (await proxy.line())["error"]
        simulator.play(HALF, second)
        async with proxy.post(ask(stream=False)) as response:
            assert response.status >= 400
            assert (await response.json())["type"] == "error"


async def test_calls_and_the_bound_end_the_answer(tmp_path: Path) -> None:
    async with stack(tmp_path) as (proxy, simulator):
        simulator.play(turn(Text("Go."), Call("Bash", {"command": "ls"}), end_turn=False))
        events = await proxy.stream(ask(tools=[BASH]))
        assert events[-2][1]["delta"]["stop_reason"] == "tool_use"
        assert len(simulator.requests) == 1
        simulator.clear()
        simulator.play(turn("More. ", end_turn=False, repeat=0))
        events = await proxy.stream(ask())
        assert text_of(events) == "More. " * SAMPLES
        assert events[-2][1]["delta"]["stop_reason"] == "end_turn"
        assert len(simulator.requests) == SAMPLES


async def test_a_client_that_goes_between_samples_takes_the_next_one_along(tmp_path: Path) -> None:
    async with stack(tmp_path, proxy={"keepalive_s": 0.2}) as (proxy, simulator):
        simulator.play(HALF, turn("late", delay=30.0))
        async with proxy.post(ask()) as response:
            await response.content.readuntil(b"Half")
            await response.content.readuntil(b"event: ping")
            response.close()
        assert await asyncio.to_thread(simulator.requests[1].closed.wait, 1.0)
        assert (await proxy.line())["client_gone"]


def _content(events: Any) -> list[dict[str, Any]]:
    """The blocks as a client puts them together."""
    blocks: list[dict[str, Any]] = []
    for name, data in events:
        if name == "content_block_start":
            blocks.append(data["content_block"])
        elif name == "content_block_delta":
            kind, value = (data["delta"][key] for key in data["delta"])
            field = kind.removesuffix("_delta")
            blocks[-1][field] = blocks[-1].get(field, "") + value
    return blocks
