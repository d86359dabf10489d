"""Whole requests through the proxy to the strict simulator."""

import asyncio
import itertools
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from claudex.simulator import Call, Pause, Reasoning, Text, Turn, failed, fault, reset, turn

from .harness import ask, events_of, stack, text_of

BASH = {
    "name": "Bash",
    "description": "Runs a command.",
    "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
}


@pytest.mark.parametrize("model", ["gpt-6.1-sol(high)", "gpt-5.5", "claude-opus-4-8", "claude-sonnet-5[1m]"])
async def test_a_text_answer_on_either_lane(tmp_path: Path, model: str) -> None:
    async with stack(tmp_path) as (proxy, simulator):
        simulator.play(turn(Reasoning(["**Plan**\n\nGreet."]), Text("Hello there.")))
        events = await proxy.stream(ask(model=model))
        assert text_of(events) == "Hello there."
        assert events[0][1]["message"]["model"] == model
        assert events[-1][0] == "message_stop"
        line = await proxy.line()
        slug = {"claude-opus-4-8": "gpt-6.1-sol", "claude-sonnet-5[1m]": "gpt-5.5"}.get(model, model.partition("(")[0])
        assert (line["model"], line["lane"]) == (slug, simulator.requests[0].lane)
        slots = {"claude-opus-4-8": "opus", "claude-sonnet-5[1m]": "sonnet"}
        assert (line["status"], line.get("slot")) == (200, slots.get(model))
        assert line["input"] > 0
        assert line["output"] > 0
        assert line["first_event_ms"] <= line["total_ms"]


async def test_a_model_that_the_env_file_names_is_its_slot(tmp_path: Path) -> None:
    async with stack(tmp_path) as (proxy, _):
        await proxy.stream(ask(model="gpt-6.1-sol(xhigh)"))
        assert (await proxy.line())["slot"] == "opus"


async def test_not_streamed_equals_streamed(tmp_path: Path) -> None:
    async with stack(tmp_path) as (proxy, simulator):
        simulator.play(turn(Reasoning(["Plan"]), Text("Same."), Call("Bash", {"command": "ls"}), repeat=2))
        streamed = await proxy.stream(ask(tools=[BASH]))
        async with proxy.post(ask(stream=False, tools=[BASH])) as response:
            assert response.headers["Content-Type"] == "application/json"
            message = await response.json()
        assert [block["type"] for block in message["content"]] == [
            data["content_block"]["type"] for name, data in streamed if name == "content_block_start"
        ]
        assert message["stop_reason"] == "tool_use"
        assert message["content"][-1]["input"] == {"command": "ls"}


async def test_a_tool_loop_sends_reasoning_back_and_hits_the_cache(tmp_path: Path) -> None:
    async with stack(tmp_path) as (proxy, simulator):
        simulator.play(turn(Reasoning(["Plan"]), Call("Bash", {"command": "ls"})), turn("done"))
        body = ask("x" * 12_000, stream=False, tools=[BASH])
        session = {"X-Claude-Code-Session-Id": "3d3c9d2e-0000-4000-8000-000000000001"}
        async with proxy.post(body, **session) as response:
            content = (await response.json())["content"]
        result = {"type": "tool_result", "tool_use_id": content[-1]["id"], "content": "a.txt"}
        body["messages"] += [{"role": "assistant", "content": content}, {"role": "user", "content": [result]}]
        async with proxy.post(body, **session) as response:
            assert response.status == 200
        first, second = simulator.requests
        assert first.headers["session-id"] == second.headers["session-id"]
        assert [item["type"] for item in second.body["input"]].count("reasoning") == 1
        line = await proxy.line()
        assert line["session"] == session["X-Claude-Code-Session-Id"]
        assert line["predicted"] > 1024
        assert line.get("broken_at") is None
        (known,) = (await proxy.json("/api/cache"))["sessions"]
        assert known["requests"] == 2


# Fault, status for the client, words that must stand in its text, requests upstream.
ERRORS: list[tuple[Turn, int, str, int]] = [
    (fault(400, {"detail": "Unsupported parameter: x"}), 0, "ChatGPT", 1),
    (fault(403, "<html>Just a moment...</html>"), 403, "ChatGPT", 1),
    (
        fault(429, {"error": {"type": "usage_limit_reached", "message": "m", "resets_in_seconds": 5000}}),
        429,
        "ChatGPT",
        1,
    ),
    (
        fault(400, {"error": {"code": "context_length_exceeded", "message": "Your input exceeds the context window"}}),
        400,
        "prompt is too long",
        1,
    ),
    (failed("context_length_exceeded", "Your input exceeds the context window"), 400, "prompt is too long", 1),
]


@pytest.mark.parametrize(("turn_", "status", "words", "requests"), ERRORS)
async def test_early_refusals_keep_their_status(
    tmp_path: Path, turn_: Turn, status: int, words: str, requests: int
) -> None:
    async with stack(tmp_path, upstream={"retries": 0}) as (proxy, simulator):
        simulator.play(turn_)
        async with proxy.post(ask()) as response:
            document = await response.json()
            assert response.status in ({status} if status else {400, 403, 424})
            assert words in document["error"]["message"]
            assert document["request_id"] == response.headers["request-id"]
        assert len(simulator.requests) == requests
        line = await proxy.line()
        assert line["error"]["who"]
        assert await proxy.json(f"/api/requests/{line['id']}") == line


async def test_a_plan_limit_is_told_once_with_the_reset(tmp_path: Path) -> None:
    async with stack(tmp_path) as (proxy, simulator):
        simulator.set_usage(primary=100.0, primary_resets_in=4000)
        began = time.monotonic()
        async with proxy.post(ask()) as response:
            assert response.status == 429
            assert int(response.headers["retry-after"]) > 60
            assert response.headers["x-should-retry"] == "false"
            assert " at " in (await response.json())["error"]["message"]
        assert time.monotonic() - began < 5
        assert len(simulator.requests) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        failed("server_is_overloaded", "busy", error_event=True),
        fault(503, {"error": {"message": "busy"}}),
        fault(429, {"error": {"message": "slow down"}}, headers={"retry-after": "0"}),
        reset(),
    ],
)
async def test_trouble_before_the_content_is_retried_unseen(tmp_path: Path, trouble: Turn) -> None:
    async with stack(tmp_path) as (proxy, simulator):
        simulator.play(trouble, turn("after all"))
        assert text_of(await proxy.stream(ask())) == "after all"
        line = await proxy.line()
        assert len(line["retries"]) == 1
        assert line["attempts"] == 2


async def test_a_cut_stream_is_an_error_event(tmp_path: Path) -> None:
    async with stack(tmp_path) as (proxy, simulator):
        simulator.play(turn(Text("Begun. " * 50), cut_after=8))
        events = await proxy.stream(ask())
        assert events[-1][0] == "error"
        assert "message_stop" not in [name for name, _ in events]
        assert (await proxy.line())["error"]["type"] == "StreamTruncated"


async def test_silence_is_filled_with_content_events(tmp_path: Path) -> None:
    settings = {"commit_wait_s": 0.05, "keepalive_s": 0.1}
    async with stack(tmp_path, proxy=settings) as (proxy, simulator):
        simulator.play(turn(Text("one"), Pause(0.5), Text("two"), delay=0.5))
        arrived: list[tuple[float, bytes]] = []
        async with proxy.post(ask()) as response:
            began = time.monotonic()
            async for piece in response.content.iter_any():
                arrived.append((time.monotonic() - began, piece))
        events = events_of(b"".join(piece for _, piece in arrived))
        assert arrived[0][0] < 0.4
        assert events[0][0] == "message_start"
        assert text_of(events) == "onetwo"
        empty = [d for name, d in events if name == "content_block_delta" and d["delta"].get("thinking") == ""]
        assert len(empty) >= 3
        gaps = [later[0] - earlier[0] for earlier, later in itertools.pairwise(arrived)]
        assert max(gaps) < 0.4


async def test_after_the_commit_a_failure_is_an_event(tmp_path: Path) -> None:
    async with stack(tmp_path, proxy={"commit_wait_s": 0.05}, upstream={"retries": 0}) as (proxy, simulator):
        simulator.play(replace(fault(503, {"error": {"message": "busy"}}), delay=0.3), turn("never"))
        events = await proxy.stream(ask())
        assert events[0][0] == "message_start"
        assert events[-1][0] == "error"
        line = await proxy.line()
        assert line["status"] == 200
        assert line["error"]["who"] == "ChatGPT"


async def test_retries_go_on_after_the_commit(tmp_path: Path) -> None:
    async with stack(tmp_path, proxy={"commit_wait_s": 0.01}) as (proxy, simulator):
        simulator.play(fault(503, {"error": {"message": "busy"}}), turn("after all"))
        assert text_of(await proxy.stream(ask())) == "after all"


@pytest.mark.parametrize("when", ["before content", "in the stream"])
async def test_a_client_that_goes_away_ends_the_call_upstream(tmp_path: Path, when: str) -> None:
    slow = turn(Text("x"), delay=30.0) if when == "before content" else turn(Text("x"), Pause(30.0), Text("y"))
    async with stack(tmp_path) as (proxy, simulator):
        simulator.play(slow)
        request = asyncio.ensure_future(_first_piece(proxy, ask()))
        if when == "in the stream":
            response = await request
            began = time.monotonic()
            response.close()
        else:
            while not simulator.requests:  # noqa: ASYNC110  # the simulator has no event for this
                await asyncio.sleep(0.01)
            began = time.monotonic()
            request.cancel()
        await proxy.idle()
        assert await asyncio.to_thread(simulator.requests[0].closed.wait, 1.0)
        assert time.monotonic() - began < 1.0
        line = await proxy.line()
        assert line["client_gone"] is True
        assert "error" not in line
        assert (await proxy.json("/api/status"))["requests"]["client_gone"] == 1


async def _first_piece(proxy: Any, body: dict[str, Any]) -> Any:
    response = await proxy.post(body)
    await response.content.readany()
    return response


async def test_a_stop_sequence_cuts_the_call_upstream(tmp_path: Path) -> None:
    async with stack(tmp_path) as (proxy, simulator):
        simulator.play(turn(Text("<block>no</block> and more"), Pause(30.0), Text("late")))
        body = ask(stream=False, stop_sequences=["</block>"], max_tokens=64)
        async with proxy.post(body) as response:
            message = await response.json()
        assert message["stop_reason"] == "stop_sequence"
        assert message["content"][-1]["text"] == "<block>no"
        assert await asyncio.to_thread(simulator.requests[0].closed.wait, 1.0)


async def test_a_summary_sheds_until_it_fits(tmp_path: Path) -> None:
    messages: list[dict[str, Any]] = []
    for number in range(10):
        use = {"type": "tool_use", "id": f"toolu_{number}", "name": "Bash", "input": {"command": "ls"}}
        result = {"type": "tool_result", "tool_use_id": use["id"], "content": "line of output\n" * 800}
        messages += [{"role": "user", "content": "go"}, {"role": "assistant", "content": [use]}]
        messages += [{"role": "user", "content": [result]}]
    summarise = [
        {"type": "text", "text": "CRITICAL: Respond with TEXT ONLY. Do NOT call any tools."},
        {"type": "text", "text": "Summarise."},
    ]
    async with stack(tmp_path, sim={"window": 12_000}) as (proxy, simulator):
        async with proxy.post(ask(stream=False, tools=[BASH], messages=messages)) as response:
            assert response.status == 400
            assert "prompt is too long" in (await response.json())["error"]["message"]
        messages += [{"role": "user", "content": summarise}, {"role": "system", "content": "<total_tokens>"}]
        async with proxy.post(ask(stream=False, tools=[BASH], messages=messages)) as response:
            assert response.status == 200, await response.text()
        assert (await proxy.line())["losses"]
        assert (await proxy.json("/api/losses"))["total"] >= 1
        simulator.violations.clear()


async def test_fifty_streams_at_once(tmp_path: Path) -> None:
    async with stack(tmp_path) as (proxy, simulator):
        simulator.play(turn(Reasoning(["Plan"]), Text("word " * 200), repeat=50))
        answers = await asyncio.gather(*(proxy.stream(ask(f"number {number}")) for number in range(50)))
        assert {text_of(events) for events in answers} == {"word " * 200}
        assert len({events[0][1]["message"]["id"] for events in answers}) == 50
        await proxy.idle()
        names = {task.get_coro().__qualname__ for task in asyncio.all_tasks()}  # type: ignore[union-attr]
        assert not [name for name in names if name.startswith(("Answer.", "messages", "_relay"))]


async def test_nothing_secret_or_said_reaches_the_log(tmp_path: Path) -> None:
    async with stack(tmp_path) as (proxy, simulator):
        account = simulator.login(tmp_path / "codex")
        simulator.play(turn(Reasoning(["Secretive plan"]), Text("whispered answer")), fault(400, {"detail": "no"}))
        await proxy.stream(ask("whispered question"))
        async with proxy.post(ask("whispered again", system="whispered rules")):
            pass
        await proxy.idle()
        written = (tmp_path / "gateway" / "logs" / "proxy.log").read_text() + json.dumps(
            await proxy.json("/api/status")
        )
        planted = [account.access_token, account.refresh_token, "whispered", "Secretive", "proxy-token-for-tests"]
        assert not [secret for secret in planted if secret in written]


async def test_the_state_outlives_the_proxy(tmp_path: Path) -> None:
    async with stack(tmp_path) as (proxy, _):
        await proxy.stream(ask("x " * 3000, temperature=0.5))
        await proxy.idle()
        proxy.gateway.save()
        state = json.loads((tmp_path / "gateway" / "state.json").read_text())
        assert state["losses"]["field.temperature"] == 1
        assert state["calibration"]
