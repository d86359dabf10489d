"""The event stream: shapes, numbering, usage, cache, and what the connection does."""

import asyncio
import gzip
import json
from pathlib import Path

import aiohttp
import pytest
import zstandard

from claudex.simulator import (
    Call,
    Citation,
    Compaction,
    CustomCall,
    Pause,
    RawItem,
    Reasoning,
    Refusal,
    Simulator,
    Text,
    WebSearch,
    failed,
    fault,
    reset,
    sse,
    turn,
)

from .codex import Codex, full_body, headers, lite_body, user


async def test_every_kind_of_item_is_streamed(sim: Simulator, codex: Codex) -> None:
    sim.play(
        turn(
            Reasoning(["**Plan**\n\nGo."]),
            Text("on it", phase="commentary"),
            WebSearch("query", ["https://a.test"]),
            Call("exec_command", {"cmd": "ls"}),
            CustomCall("apply_patch", "*** Begin Patch", namespace="functions"),
            Refusal("no"),
            Compaction(),
            RawItem({"type": "mystery", "id": "x_1"}),
            Text("see é😀", citations=[Citation("https://a.test", "A", 0, 3)]),
        )
    )
    answer = await codex.send(full_body("hi"))
    events = answer.events
    numbered = [event["sequence_number"] for event in events if "sequence_number" in event]
    assert numbered == list(range(len(numbered)))
    assert [event["type"] for event in events[:4]] == [
        "response.created",
        "response.in_progress",
        "response.metadata",
        "codex.rate_limits",
    ]
    assert events[-1]["type"] == "response.completed"
    assert events[-1]["response"]["output"] == []
    assert "keepalive" in {event["type"] for event in events}
    assert [item["type"] for item in answer.items] == [
        "reasoning",
        "message",
        "web_search_call",
        "function_call",
        "custom_tool_call",
        "message",
        "compaction",
        "mystery",
        "message",
    ]
    assert answer.items[1]["phase"] == "commentary"
    assert answer.items[-1]["phase"] == "final_answer"
    assert answer.items[-1]["content"][0]["annotations"][0]["url"] == "https://a.test"
    assert json.loads(answer.items[3]["arguments"]) == {"cmd": "ls"}


async def test_deltas_add_up_and_carry_padding(sim: Simulator, codex: Codex) -> None:
    text = "All of it, word by word, é and 😀 too. " * 200
    sim.play(turn(text))
    deltas = [event for event in (await codex.send(full_body("hi"))).events if event["type"].endswith("text.delta")]
    assert "".join(delta["delta"] for delta in deltas) == text
    assert all("obfuscation" in delta for delta in deltas)
    assert 100 < len(deltas) < 1000


async def test_a_stream_has_no_content_type(codex: Codex) -> None:
    answer = await codex.send(full_body("hi"))
    assert "content-type" not in answer.headers
    assert answer.headers["server"] == "claudex-simulator"


async def test_the_same_request_gets_the_same_answer(tmp_path: Path) -> None:
    found = []
    for seed in (1, 1, 2):
        async with Simulator(seed=seed, clock=lambda: 1_795_000_000.0) as sim:
            found.append((await Codex(sim, tmp_path).send(full_body("hi"))).data)
    assert found[0] == found[1] != found[2]


async def test_reasoning_comes_back_only_to_its_account(sim: Simulator, codex: Codex, tmp_path: Path) -> None:
    first = await codex.send(full_body("hi"))
    early = next(event for event in first.events if event["type"] == "response.output_item.added")["item"]
    item = first.items[0]
    assert item["encrypted_content"].startswith("gAAAAA")
    body = full_body("hi", item, *first.items[1:], user("more"))
    assert (await codex.send(body)).status == 200
    assert (await codex.send(full_body("hi", {**item, "id": None}, "more"))).status == 200
    assert sim.violations == []
    other = Codex(sim, tmp_path / "other", account_id="acct-other")
    foreign = await other.send(body)
    assert (foreign.status, foreign.json["error"]["code"]) == (400, "invalid_encrypted_content")
    early_body = full_body("hi", {**item, "encrypted_content": early["encrypted_content"]}, "more")
    assert (await codex.send(early_body)).json["error"]["code"] == "invalid_encrypted_content"


async def test_without_include_nothing_is_encrypted(codex: Codex) -> None:
    answer = await codex.send(full_body("hi", include=[]))
    assert "encrypted_content" not in answer.items[0]


async def test_the_cache_is_a_real_prefix_match(codex: Codex) -> None:
    long = "x" * 8000
    first = await codex.send(full_body(long))
    again = await codex.send(full_body(long, *first.items, user("more")))
    assert first.usage["input_tokens_details"]["cached_tokens"] == 0
    cached = again.usage["input_tokens_details"]["cached_tokens"]
    assert cached % 128 == 0
    assert 1900 < cached <= first.usage["input_tokens"]
    changed = await codex.send(full_body("y" + long))
    assert changed.usage["input_tokens_details"]["cached_tokens"] == 0
    other_key = await codex.send(full_body(long, prompt_cache_key="another"))
    assert other_key.usage["input_tokens_details"]["cached_tokens"] == 0


async def test_usage_can_be_given(sim: Simulator, codex: Codex) -> None:
    sim.play(turn("x", usage={"input_tokens": 10, "cached_tokens": 4, "cache_write_tokens": 2, "output_tokens": 5}))
    usage = (await codex.send(full_body("hi"))).usage
    assert usage["input_tokens_details"] == {"cached_tokens": 4, "cache_write_tokens": 2}
    assert usage["total_tokens"] == 15


async def test_a_full_window_fails_in_the_stream(tmp_path: Path) -> None:
    async with Simulator(window=500) as sim:
        answer = await Codex(sim, tmp_path).send(full_body("x" * 4000))
        assert answer.status == 200
        assert answer.events[-1]["response"]["error"]["code"] == "context_length_exceeded"
        assert sim.violations == []


async def test_endings(sim: Simulator, codex: Codex) -> None:
    sim.play(
        turn("half", incomplete="max_output_tokens"),
        failed("server_is_overloaded", "busy", error_event=True),
        turn("x", failed={"code": "server_error", "message": "x"}),
        turn("x", terminal=False),
        turn("x", end_turn=False),
    )
    incomplete, overloaded, late, unended, again = [await codex.send(full_body("hi")) for _ in range(5)]
    assert incomplete.events[-1]["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert [event["type"] for event in overloaded.events[-2:]] == ["error", "response.failed"]
    assert [late.text, late.events[-1]["type"]] == ["x", "response.failed"]
    assert unended.events[-1]["type"] == "response.output_item.done"
    assert again.events[-1]["response"]["end_turn"] is False
    assert sim.violations == []


async def test_http_faults(sim: Simulator, codex: Codex) -> None:
    sim.play(
        fault(429, {"detail": "Too many requests"}, headers={"retry-after": "1"}), fault(403, "<html>blocked</html>")
    )
    limited, blocked = [await codex.send(full_body("hi")) for _ in range(2)]
    assert (limited.status, limited.json, limited.headers["retry-after"]) == (429, {"detail": "Too many requests"}, "1")
    assert (blocked.status, blocked.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert [request.status for request in sim.requests] == [429, 403]
    assert sim.violations == []


async def test_dropped_connections(sim: Simulator, codex: Codex) -> None:
    sim.play(reset(), turn("x", cut_after=3), turn("x", cut_after=3, cut_inside=True))
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await codex.send(full_body("hi"))
    for _ in range(2):
        with pytest.raises(aiohttp.ClientPayloadError):
            await codex.send(full_body("hi"))
    assert [request.events for request in sim.requests] == [0, 3, 3]
    assert [request.status for request in sim.requests] == [0, 200, 200]


async def test_a_recorded_stream_is_played_byte_for_byte(sim: Simulator, codex: Codex) -> None:
    stream = b": comment\r\n\r\nevent: x\r\ndata: {}\r\n\r\nrest"
    sim.play(sse(stream), stream, sse(stream, cut_after=1))
    assert [(await codex.send(full_body("hi"))).data for _ in range(2)] == [stream, stream]
    with pytest.raises(aiohttp.ClientPayloadError):
        await codex.send(full_body("hi"))


async def test_silence_and_a_client_that_goes_away(sim: Simulator, codex: Codex) -> None:
    sim.play(turn(Text("a"), Pause(600), Text("b")))
    sent = headers(codex.account)
    async with aiohttp.ClientSession() as session:
        answer = await session.post(f"{sim.url}/codex/responses", json=full_body("hi"), headers=sent)
        async for line in answer.content:
            if b"output_item.done" in line:
                break
        answer.close()
    assert await asyncio.to_thread(sim.requests[0].closed.wait, 5)
    assert sim.requests[0].cancelled


async def test_keepalives_in_a_pause(sim: Simulator, codex: Codex) -> None:
    sim.play(turn(Pause(0.2, keepalive=True), Text("b")))
    kinds = [event["type"] for event in (await codex.send(full_body("hi"))).events]
    assert kinds.count("keepalive") == 2


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
async def test_compressed_bodies(sim: Simulator, codex: Codex, encoding: str) -> None:
    data = json.dumps(lite_body("hi")).encode()
    packed = gzip.compress(data) if encoding == "gzip" else zstandard.ZstdCompressor().compress(data)
    assert (await codex.send({}, data=packed, lane="lite", content_encoding=encoding)).status == 200
    assert (sim.requests[0].raw, sim.requests[0].data) == (packed, data)
    assert sim.requests[0].body["model"] == "gpt-6.1-sol"


async def test_writes_end_anywhere(sim: Simulator, codex: Codex) -> None:
    sim.play(turn("ü" * 5000))
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{sim.url}/codex/responses", json=full_body("hi"), headers=headers(codex.account)) as answer,
    ):
        pieces = [piece async for piece, _ in answer.content.iter_chunks()]
    assert sum(not piece.endswith(b"\n\n") for piece in pieces) > len(pieces) // 2
    assert b"".join(pieces).count(b"\n\n") == sim.requests[0].events
