"""aiohttp's HTTP server with our manners: malformed requests are refused in a dialect, and nobody hangs on."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from ..errors import BadRequest, ClaudexError
from . import reply
from .exchange import Exchange

# An idle connection, or one that never finishes its headers, is closed after this long. The Node and Bun clients close
# their own idle connections much sooner.
IDLE_S = 300.0
# Claude Code's headers are about 2 kB; ANTHROPIC_CUSTOM_HEADERS and tokens of other gateways may be longer.
HEADER_LIMIT = 32_768

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Record = Callable[[Exchange], None]


class Connection(RequestHandler):
    """One connection. `record` is told of requests that never became one."""

    __slots__ = ("record",)
    record: Record

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        why = (message or type(exc).__name__).splitlines()[0][:200]
        error: ClaudexError = BadRequest(f"claudex: malformed HTTP request ({why}).")
        if status >= 500:
            error = ClaudexError(f"claudex: an internal error ({type(exc).__name__}).")
        exchange = Exchange(route="(malformed)", method="", status=error.status, error=error)
        self.record(exchange)
        response = reply.refusal(error, exchange.id, openai=False)
        response.force_close()
        return response

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """The boundary in app.py has logged it already, without the request's data."""


class Server(web.Server):
    """`handler_cancellation`: a client that goes away cancels its handler, and with it the call upstream."""

    def __init__(self, handler: Handler, record: Record) -> None:
        super().__init__(handler, handler_cancellation=True)
        self._record = record

    def __call__(self) -> RequestHandler:
        connection = Connection(
            self,
            loop=self._loop,
            access_log=None,  # type: ignore[arg-type]  # aiohttp's own way to have none
            keepalive_timeout=IDLE_S,
            max_line_size=HEADER_LIMIT,
            max_field_size=HEADER_LIMIT,
            lingering_time=2.0,
            auto_decompress=False,  # body.py does, within its limit
        )
        connection.record = self._record
        return connection
