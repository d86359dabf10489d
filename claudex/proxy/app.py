"""Every request comes in here: guard, route, and the one boundary that catches what nobody named."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from aiohttp import web

from ..errors import BadRequest, ClaudexError, MethodNotAllowed, NotFound, Stopping
from . import api, count, messages, models, reply
from .exchange import Exchange
from .gateway import Gateway
from .guard import Guard

Route = Callable[[Gateway, web.BaseRequest, Exchange, str], Awaitable[web.StreamResponse]]

# For the log only, as nginx has it: nobody is there to receive a status.
CLIENT_GONE = 499
STOPPING = "claudex: the proxy is stopping."


class Entry(NamedTuple):
    """`open`: no token wanted. `counted`: waited for before a stop. `tail`: the rest of the path is an argument."""

    name: str
    methods: dict[str, Route]
    open: bool = False
    counted: bool = False
    tail: bool = False


ENTRIES: dict[str, Entry] = {
    "/": Entry("root", {"HEAD": api.root, "GET": api.root}, open=True),
    "/healthz": Entry("healthz", {"GET": api.healthz, "HEAD": api.healthz}, open=True),
    "/v1/messages": Entry("messages", {"POST": messages.messages}, counted=True),
    "/v1/messages/count_tokens": Entry("count_tokens", {"POST": count.count_tokens}, counted=True),
    "/v1/models": Entry("models", {"GET": models.listing}),
    "/v1/models/": Entry("models", {"GET": models.one}, tail=True),
    "/api/retire": Entry("retire", {"POST": api.retire}),
    "/api/status": Entry("api", {"GET": api.status}),
    "/api/losses": Entry("api", {"GET": api.losses}),
    "/api/cache": Entry("api", {"GET": api.cache}),
    "/api/requests": Entry("api", {"GET": api.requests}),
    "/api/requests/": Entry("api", {"GET": api.request}, tail=True),
}
TAILS = tuple(path for path, entry in ENTRIES.items() if entry.tail)
ALIAS = "/anthropic"


class App:
    """`handle` answers every request and never raises but for a client that went away."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.guard = Guard(gateway.instance.port)
        self.stopping = False

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = clean(printable(request.path))
        entry, _ = find(path)
        exchange = Exchange(route=entry.name if entry else "(unknown)", method=request.method)
        openai = speaks_openai(path, request)
        if entry is not None and entry.counted:
            self.gateway.begin(exchange)
        try:
            response = await self._answer(request, exchange, path)
            exchange.status = exchange.status or response.status
            return response
        except ClaudexError as error:
            return self._refuse(exchange, error, openai)
        except asyncio.CancelledError:
            if not exchange.cut:
                _gone(exchange)
                raise
            return self._refuse(exchange, Stopping(STOPPING), openai)
        except ConnectionError:
            _gone(exchange)
            raise
        except RecursionError:
            return self._refuse(exchange, BadRequest("claudex: the request is nested too deeply."), openai)
        except Exception as error:  # whatever a bug raises, the caller gets an answer with an id, and the log the place
            self._log_bug(exchange, error)
            exchange.error_type = type(error).__name__
            bug = ClaudexError(f"claudex: an internal error ({type(error).__name__}); the log names its place.")
            exchange.status = bug.status
            return reply.refusal(bug, exchange.id, openai=openai)
        finally:
            self.gateway.end(exchange)

    async def _answer(self, request: web.BaseRequest, exchange: Exchange, path: str) -> web.StreamResponse:
        gateway = self.gateway
        entry, argument = find(path)
        gateway.refresh()
        self.guard.check_caller(request.headers)
        if entry is None or not entry.open:
            self.guard.check_token(request.headers, gateway.live.token)
        if entry is None:
            raise NotFound(f"claudex: there is no {request.method} {path[:200]} here.")
        route = entry.methods.get(request.method)
        if route is None:
            allowed = ", ".join(entry.methods)
            raise MethodNotAllowed(f"claudex: {path[:200]} takes {allowed}, not {request.method}.", allow=allowed)
        if self.stopping and entry.counted:
            raise Stopping(STOPPING)
        return await route(gateway, request, exchange, argument)

    def _refuse(self, exchange: Exchange, error: ClaudexError, openai: bool) -> web.Response:
        exchange.error = error
        response = reply.refusal(error, exchange.id, openai=openai, tokens=exchange.overflow)
        exchange.status = response.status
        return response

    def _log_bug(self, exchange: Exchange, error: Exception) -> None:
        """The frames and the type: an exception's text may quote a prompt."""
        frames = [
            f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
        ]
        self.gateway.log.write("exception", "error", id=exchange.id, type=type(error).__name__, frames=frames[-12:])


def _gone(exchange: Exchange) -> None:
    exchange.client_gone = True
    exchange.status = exchange.status or CLIENT_GONE


def clean(path: str) -> str:
    """A base URL that ends in a slash gives `//v1/messages`; ccbridge clients say `/anthropic/v1/messages`."""
    while "//" in path:
        path = path.replace("//", "/")
    if path.startswith(ALIAS + "/v1/"):
        path = path[len(ALIAS) :]
    return path.rstrip("/") or "/"


def printable(text: str) -> str:
    """Bytes outside UTF-8 arrive as lone surrogates, which no JSON can carry."""
    return text.encode("utf-8", "replace").decode()


def find(path: str) -> tuple[Entry | None, str]:
    if entry := ENTRIES.get(path):
        return entry, ""
    for tail in TAILS:
        if path.startswith(tail):
            return ENTRIES[tail], path[len(tail) :]
    return None, ""


def speaks_openai(path: str, request: web.BaseRequest) -> bool:
    """Whose dialect an error takes where the path alone does not tell."""
    if path.startswith(("/v1/chat", "/v1/responses", "/v1/completions")):
        return True
    return path.startswith("/v1/models") and "anthropic-version" not in request.headers
