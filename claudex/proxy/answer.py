"""The streamed answer to a client: when it begins, and how it is kept alive.

The status line waits for the first content event, so that an early refusal keeps its HTTP status; but not for long,
because clients give up on headers that do not come (Claude Code 2.1.197 after 300 s, 2.1.329 after 360 s) and because
a user wants to see life. Once begun, silence is filled with events that reset the clients' watchdogs.
"""

import asyncio
from types import TracebackType

from aiohttp import web

from ..errors import ClaudexError
from ..settings import ProxySettings
from ..translate.messages.events import MessageStream
from .exchange import Exchange
from .reply import REQUEST_ID

HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


class Response(web.StreamResponse):
    """Its headers wait for the first data, and leave in the same packet: aiohttp's own Response does just that."""

    _send_headers_immediately = False


class Answer:
    """Use as a context manager around the whole exchange: the timer runs inside."""

    def __init__(
        self, request: web.BaseRequest, exchange: Exchange, events: MessageStream, settings: ProxySettings
    ) -> None:
        self._request = request
        self._exchange = exchange
        self._events = events
        self._keepalive_s = settings.keepalive_s
        self._commit_wait_s = settings.commit_wait_s
        self._loop = asyncio.get_running_loop()
        self._last_write = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._nudging: asyncio.Task[None] | None = None
        self.committed = False
        self._last = b""
        self.response = Response(headers={**HEADERS, REQUEST_ID: exchange.id})

    def __enter__(self) -> "Answer":
        self._arm(self._commit_wait_s)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for waiting in (self._timer, self._nudging):
            if waiting is not None:
                waiting.cancel()

    async def write(self, data: bytes) -> None:
        """Raises ConnectionError when the client is gone. Waits while the client is slow."""
        if not data:
            return
        if not self.committed:
            self.committed = True
            self._exchange.status = 200
            self._arm(self._keepalive_s)
            await self.response.prepare(self._request)
        if self._events.done:  # `finish` follows at once: the end of the body goes along
            self._last += data
            return
        self._last_write = self._loop.time()
        await self.response.write(data)

    async def fail(self, error: ClaudexError) -> None:
        """After the status line, a failure is an event."""
        await self.write(self._events.fail(error))

    async def finish(self) -> web.StreamResponse:
        if not self.committed:
            await self.write(self._events.start())
        await self.response.write_eof(self._last)
        return self.response

    def _arm(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self._tick)

    def _tick(self) -> None:
        """One timer for both: the commit, and afterwards the silence since the last write."""
        quiet = self._loop.time() - self._last_write
        if self.committed and quiet < self._keepalive_s:
            self._arm(self._keepalive_s - quiet)
            return
        self._nudging = self._loop.create_task(self._nudge())

    async def _nudge(self) -> None:
        try:
            await self.write(self._events.keepalive() if self.committed else self._events.start())
        except ConnectionError:
            return  # the request's own task is told by its connection
        self._arm(self._keepalive_s)
