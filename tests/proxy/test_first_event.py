"""What the first event waits for, and what it does not."""

import asyncio
import json
from pathlib import Path

from claudex.simulator import turn

from .harness import TOKEN, ask, stack


async def test_headers_and_first_event_leave_together(tmp_path: Path) -> None:
    async with stack(tmp_path, sim={"split": False}) as (proxy, _):
        body = json.dumps(ask()).encode()
        head = f"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1:{proxy.port}\r\nx-api-key: {TOKEN}\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(head.encode() + b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        first = await reader.read(1 << 16)
        assert first.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"event: message_start" in first
        rest = await reader.read(-1)
        assert (first + rest).endswith(b"\r\n0\r\n\r\n")
        writer.close()


async def test_a_conversation_that_grew_costs_what_was_counted_and_its_end(tmp_path: Path) -> None:
    async with stack(tmp_path) as (proxy, simulator):
        simulator.play(turn("first", usage={"input_tokens": 70_000}), turn("second"), turn("third"))
        body = ask("x" * 40_000)
        first = (await proxy.stream(body))[0][1]["message"]["usage"]["input_tokens"]
        assert first < 60_000
        await proxy.idle()
        body["messages"] += [{"role": "assistant", "content": "first"}, {"role": "user", "content": "and now?"}]
        second = (await proxy.stream(body))[0][1]["message"]["usage"]["input_tokens"]
        assert 70_000 < second < 70_500
        await proxy.idle()
        third = (await proxy.stream(ask("x" * 4_000)))[0][1]["message"]["usage"]["input_tokens"]
        assert third < 40_000
