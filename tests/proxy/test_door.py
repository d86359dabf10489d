"""Before the real server is loaded."""

import asyncio
import json
from pathlib import Path

import pytest

from claudex.proxy.door import Door, answer_early
from claudex.proxy.health import Instance, proof
from claudex.proxy.vocabulary import is_cached

DOOR = Door(Instance(port=8327, started_at=0.0), b"token")
HOST = b"Host: 127.0.0.1:8327\r\n"


def check(target: bytes = b"/healthz", headers: bytes = HOST) -> bytes:
    return b"GET " + target + b" HTTP/1.1\r\n" + headers + b"\r\n"


def test_a_health_check_is_answered_with_its_proof() -> None:
    answer = answer_early(check(b"/healthz?nonce=abc"), DOOR)
    assert answer is not None
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Content-Length: %d" % len(body) in head
    assert json.loads(body)["proof"] == proof("abc", b"token")


@pytest.mark.parametrize(
    "held",
    [
        b"",
        b"GET /healthz HTTP/1.1\r\n",
        check(headers=b""),
        check(headers=b"Host: evil.test:8327\r\n"),
        check(headers=HOST + b"Origin: https://evil.test\r\n"),
        check(headers=HOST + b"sec-fetch-site: cross-site\r\n"),
        check(b"/healthzzz"),
        check() + b"GET / HTTP/1.1\r\n",
        check().replace(b"GET", b"POST"),
        b"GET /healthz\r\n\r\n",
    ],
)
def test_anything_else_waits_for_the_real_server(held: bytes) -> None:
    assert answer_early(held, DOOR) is None


class Upper(asyncio.Protocol):
    """A real server of one verb."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data.upper())  # type: ignore[attr-defined]


async def test_what_came_early_is_handed_over_byte_for_byte() -> None:
    loop = asyncio.get_running_loop()
    door = Door(Instance(port=1, started_at=0.0), b"")
    server = await loop.create_server(door, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    early, early_writer = await asyncio.open_connection(*address)
    early_writer.write(b"first ")
    while not any(visitor.held for visitor in door.waiting):  # noqa: ASYNC110
        await asyncio.sleep(0)
    door.open(Upper)
    early_writer.write(b"second")
    assert await early.readexactly(12) == b"FIRST SECOND"
    late, late_writer = await asyncio.open_connection(*address)
    late_writer.write(b"late")
    assert await late.readexactly(4) == b"LATE"
    for writer in (early_writer, late_writer):
        writer.close()
        await writer.wait_closed()
    server.close()


def test_a_missing_or_damaged_vocabulary_counts_as_none(tmp_path: Path) -> None:
    environ = {"TIKTOKEN_CACHE_DIR": str(tmp_path)}
    assert not is_cached(environ)
    (tmp_path / "fb374d419588a4632f3f557e76b4b70aebbca790").write_bytes(b"half a download")
    assert not is_cached(environ)
