"""The first seconds: health checks are answered at once, everything else waits until the real server is loaded.

Loading the HTTP stack takes longer than the rest of the start together. A connection that comes earlier is held with
what it has sent, and handed over, bytes and all, to the real server.
"""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from . import health
from .health import Instance

HOSTS = (b"127.0.0.1", b"localhost", b"[::1]")
HELD_LIMIT = 1 << 20

Factory = Callable[[], asyncio.Protocol]


class Door:
    """A protocol factory. `open` installs the real one and hands the waiting connections over."""

    def __init__(self, instance: Instance, token: bytes) -> None:
        self.instance = instance
        self.token = token
        self.waiting: dict[Visitor, None] = {}
        self._factory: Factory | None = None

    def __call__(self) -> asyncio.Protocol:
        return self._factory() if self._factory is not None else Visitor(self)

    def open(self, factory: Factory) -> None:
        self._factory = factory
        for visitor in list(self.waiting):
            visitor.hand_over(factory())
        self.waiting.clear()


class Visitor(asyncio.Protocol):
    """One early connection."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self.held = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._door.waiting[self] = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._door.waiting.pop(self, None)

    def data_received(self, data: bytes) -> None:
        self.held += data
        if (answer := answer_early(self.held, self._door)) is not None:
            self.held = b""
            self._transport.write(answer)
            self._transport.close()
        elif len(self.held) > HELD_LIMIT:
            self._transport.pause_reading()

    def hand_over(self, protocol: asyncio.Protocol) -> None:
        transport, held = self._transport, self.held
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        if len(held) > HELD_LIMIT:
            transport.resume_reading()
        if held:
            protocol.data_received(held)


def answer_early(held: bytes, door: Door) -> bytes | None:
    """The whole HTTP answer to a plain health check from this machine; None for anything else, which can wait."""
    head, end, rest = held.partition(b"\r\n\r\n")
    if not held.startswith(b"GET /healthz") or not end or rest:
        return None
    lines = head.split(b"\r\n")
    target = lines[0].split(b" ")[1]
    if target.partition(b"?")[0] != b"/healthz" or not _plain(lines[1:], door.instance.port):
        return None
    query = parse_qs(target.partition(b"?")[2].decode("ascii", "replace"))
    document = health.document(door.instance, query.get("nonce", [""])[0], door.token, 0, False)
    body = health.encode(document)
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
        + str(len(body)).encode()
        + b"\r\n\r\n"
        + body
    )


def _plain(headers: list[bytes], port: int) -> bool:
    """Our own Host, and nothing that a browser would send."""
    fields = dict(_field(line) for line in headers)
    own = {host + b":" + str(port).encode() for host in HOSTS}
    return fields.get(b"host", b"").lower() in own and not fields.keys() & {b"origin", b"sec-fetch-site", b"expect"}


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name.strip().lower(), value.strip()
