"""Whatever arrives: an answer below 500 or a closed connection, no hang, no bug in the log."""

import asyncio
import json
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.translate.messages.mutations import mutated

from .harness import TOKEN, Running, ask, stack

SEED = 20261121
PATIENCE_S = 0.5


def good(port: int, body: bytes) -> bytes:
    head = (
        f"POST /v1/messages?beta=true HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"X-Claude-Code-Session-Id: 3d3c9d2e-0000-4000-8000-000000000001\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


def mutate(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(changed))
        kind = chance.randrange(4)
        if kind == 0:
            changed[at] = chance.randrange(256)
        elif kind == 1:
            del changed[at : at + chance.randint(1, 40)]
        elif kind == 2:
            changed[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 9)))
        else:
            changed[at:at] = chance.choice(
                [b"\r\n", b"\x00", b'"', b"{", b"[[[[", b"\xff\xfe", b"\\ud800", b"%ff", b"1e999"]
            )
    return bytes(changed)


async def send(proxy: Running, raw: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        writer.write(raw)
        return await asyncio.wait_for(reader.read(), PATIENCE_S)
    except (ConnectionError, TimeoutError):
        return b""  # it waits for a body that a mutated length announces
    finally:
        writer.close()


async def test_mutated_requests_are_answered_without_a_bug(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    async with stack(tmp_path, upstream={"retries": 0}) as (proxy, simulator):
        base = good(proxy.port, json.dumps(ask(stream=False, system="rules", tools=[])).encode())
        answers: list[bytes] = []
        for _ in range(12):
            answers += await asyncio.gather(*(send(proxy, mutate(base, chance)) for _ in range(25)))
        answered = [answer for answer in answers if answer]
        assert len(answered) > 200
        assert not [answer for answer in answered if int(answer.split(b" ", 2)[1]) >= 500]
        simulator.violations.clear()  # a mutated conversation may end in a refusal, never in a bug of ours
        assert '"event":"exception"' not in (tmp_path / "gateway" / "logs" / "proxy.log").read_text()


async def fate(proxy: Running, seed: int) -> str:
    """A mutated conversation at a whole door: answered, refused, or counted."""
    chance = random.Random(seed)
    body = mutated(chance)
    path = "/v1/messages/count_tokens" if chance.random() < 0.1 else "/v1/messages?beta=true"
    async with asyncio.timeout(20), proxy.post(body, path) as response:
        answer = await response.read()
    assert response.status < 500, (seed, response.status, answer)
    if response.content_type != "text/event-stream":
        told = json.loads(answer)
        assert response.status == 200 or told["error"]["message"], seed
        return "refused" if response.status != 200 else "counted" if "input_tokens" in told else "answered"
    assert b"event: message_stop" in answer, (seed, answer)
    assert b"event: error" not in answer, (seed, answer)
    return "streamed"


async def send_conversations(tmp_path: Path, first: int, last: int) -> Counter[str]:
    fates: Counter[str] = Counter()
    async with stack(tmp_path, upstream={"retries": 0}) as (proxy, simulator):
        for start in range(first, last, 20):
            fates.update(await asyncio.gather(*(fate(proxy, seed) for seed in range(start, min(start + 20, last)))))
        await proxy.idle()
        simulator.violations.clear()  # an odd schema or model is for the backend to refuse
        assert '"event":"exception"' not in (tmp_path / "gateway" / "logs" / "proxy.log").read_text()
    return fates


async def test_mutated_conversations_are_answered_or_refused(tmp_path: Path) -> None:
    fates = await send_conversations(tmp_path, 0, 100)
    assert min(fates["refused"], fates["streamed"]) > 20, fates


@pytest.mark.slow
@pytest.mark.timeout(480)
async def test_two_thousand_mutated_conversations(tmp_path: Path) -> None:
    fates = await send_conversations(tmp_path, 1_000, 3_000)
    assert min(fates["refused"], fates["streamed"]) > 250, fates


async def test_odd_headers_and_paths(tmp_path: Path) -> None:
    async with stack(tmp_path) as (proxy, _):
        body = json.dumps(ask(stream=False)).encode()
        usual = good(proxy.port, body)
        for raw in (
            usual.replace(b"3d3c9d2e-", b"\xff\xfe\x80"),
            usual.replace(b"3d3c9d2e-", b"x" * 5000),
            usual.replace(b"/v1/messages", b"/v1/\xffmessages"),
            usual.replace(b"/v1/messages", b"/v1/models/%ff%fe%00"),
            usual.replace(b"POST /v1/messages", b"GET /healthz?nonce=%ff%fe&a="),
            usual.replace(b"/v1/messages", b"http://evil.test/v1/messages"),
            usual.replace(b"/v1/messages", b"/" + b"a" * 40_000),
            usual.replace(b"Connection: close", b"Connection: close\r\n" + b"a: b\r\n" * 500),
        ):
            answer = await send(proxy, raw)
            assert not answer or int(answer.split(b" ", 2)[1]) < 500, (raw[:200], answer)
        assert '"event":"exception"' not in (tmp_path / "gateway" / "logs" / "proxy.log").read_text()


async def test_a_header_that_never_ends_holds_nobody_up(tmp_path: Path) -> None:
    async with stack(tmp_path) as (proxy, _):
        slow = [await asyncio.open_connection("127.0.0.1", proxy.port) for _ in range(50)]
        for _, writer in slow:
            writer.write(b"POST /v1/messages HTTP/1.1\r\nHost: 127")
        began = time.monotonic()
        await proxy.json("/v1/models")
        assert time.monotonic() - began < 2
        for _, writer in slow:
            writer.close()


@pytest.mark.parametrize("depth", [400, 5000])
async def test_schemas_nested_beyond_reason_are_the_callers_mistake(tmp_path: Path, depth: int) -> None:
    schema = '{"properties":{"a":' * depth + "{}" + "}}" * depth
    body = json.dumps(ask(tools=[{"name": "deep", "input_schema": 0}])).replace(
        '"input_schema": 0', f'"input_schema": {schema}'
    )
    async with stack(tmp_path) as (proxy, _), proxy.post(body.encode()) as response:
        assert response.status == 400
        assert "nested too deep" in await response.text()
