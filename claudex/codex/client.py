"""Model calls: `Client.open` sends one and gives its stream once there is content, having retried what may be
retried.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import ClientResponse, ClientTimeout

from .. import errors
from ..settings import Settings
from ..wire.catalog import Lane, ModelInfo
from . import classify, identity, limits, refusal
from .catalog import Catalog
from .credentials import Credentials
from .head import Head
from .http import Headers, Transport, host_of, network_error, read_body
from .limits import Limits
from .login import Login
from .retry import Retries
from .stream import Stream, broken
from .turns import Turns

LOGIN_TRIES = 2  # after a 401: the file as it is now, then a renewed login
ERROR_BODY_S = 10.0
AFTER_ERROR_EVENT_S = 3.0  # an `error` event is followed by `response.failed` or the end; do not wait for ever

Build = Callable[[Login, Lane, bool], bytes]


@dataclass(frozen=True)
class Call:
    """One model call.

    `build(login, lane, strip_reasoning)` gives the body; it is asked again when one of the three changes, and what it
    raises passes through. `session` and `thread` are the headers of those names, `turn` keys the turn state ("" for
    none). `login` is the current one where the caller has just asked for it. `on_retry(error, seconds)` hears of each
    try that the caller does not see.
    """

    build: Build
    model: ModelInfo
    lane: Lane
    session: str
    request_id: str
    thread: str = ""
    turn: str = ""
    other_lane_ok: bool = True
    login: Login | None = None
    on_retry: Callable[[errors.UpstreamError, float], None] | None = None


class _Unauthorized(Exception):
    pass


@dataclass
class _Try:
    """What changes from one try of a call to the next."""

    call: Call
    login: Login
    lane: Lane
    retries: Retries
    started: float
    deadline: float
    number: int = 0
    stripped: bool = False
    logins_refused: int = 0
    cookies_forgotten: bool = False
    lane_error: errors.UpstreamError | None = None
    body: bytes = b""
    built_for: tuple[str, Lane, bool] | None = field(default=None)

    def build(self) -> bytes:
        key = (self.login.tag, self.lane, self.stripped)
        if self.built_for != key:
            self.body = self.call.build(self.login, self.lane, self.stripped)
            self.built_for = key
        return self.body


class Client:
    def __init__(
        self,
        settings: Settings,
        credentials: Credentials,
        catalog: Catalog,
        http: Transport,
        codex_home: str | Path,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.settings = settings
        self.credentials = credentials
        self.catalog = catalog
        self.limits: Limits | None = None
        self._limits_of = ""
        self._http = http
        self._codex_home = codex_home
        self._sleep = sleep
        self._turns = Turns()
        self._lanes: dict[str, Lane] = {}
        self._background: set[asyncio.Task[None]] = set()

    def lane_for(self, model: ModelInfo, preferred: Lane) -> Lane:
        """`preferred`, unless the backend has refused this model there and served it on the other lane."""
        return self._lanes.get(model.slug, preferred)

    @asynccontextmanager
    async def open(self, call: Call) -> AsyncIterator[Stream]:
        """The stream of `call`, from its first byte, once its first content event has come. Raises UpstreamError,
        LoginError.

        Leaving by an exception closes the upstream connection at once.
        """
        stream = await self._opened(call)
        try:
            yield stream
        except BaseException:
            stream.abort()
            raise
        if not stream.response.closed:
            self._spawn(stream.drain())

    async def warm(self) -> str:
        """Make the first request cheap: TLS, a connection, the live catalog, the limits. The sentence that stopped
        it, or "".
        """
        try:
            await self._http.start()
            login = await self.credentials.current()
            await self.catalog.refresh(self._http, login, self.settings, self._codex_home)
            await self.fetch_limits()
        except (errors.LoginError, errors.UpstreamError) as error:
            return str(error)
        return ""

    async def fetch_limits(self) -> Limits:
        """`GET {upstream}/wham/usage`, which costs no quota. Raises UpstreamError, LoginError."""
        login = await self.credentials.current()
        headers = identity.headers(login, self.settings, self._codex_home)
        usage, _ = await self._http.get_json(f"{self.settings.upstream.url}/wham/usage", headers, account=login.tag)
        found = limits.from_usage(usage, time.time())
        self._note_limits(found, login)
        return found

    async def close(self) -> None:
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)

    async def _opened(self, call: Call) -> Stream:
        upstream = self.settings.upstream
        started = time.monotonic()
        lane = self.lane_for(call.model, call.lane) if call.other_lane_ok else call.lane
        login = call.login or await self.credentials.current()
        deadline = started + upstream.total_timeout_s
        current = _Try(call, login, lane, Retries(upstream.retries), started, deadline)
        while True:
            current.number += 1
            try:
                stream = await self._attempt(current)
            except _Unauthorized:
                await self._after_401(current)
            except errors.UpstreamError as error:
                await self._after_refusal(current, error)
            else:
                if current.lane_error:
                    self._lanes[call.model.slug] = current.lane
                return stream

    async def _after_401(self, current: _Try) -> None:
        current.logins_refused += 1
        if current.logins_refused > LOGIN_TRIES:
            raise errors.LoginRequired("ChatGPT refuses the Codex login.")
        current.login = await self.credentials.rejected(current.login)

    async def _after_refusal(self, current: _Try, error: errors.UpstreamError) -> None:
        """Change what can be changed, or wait, or raise `error`."""
        call = current.call
        if isinstance(error, errors.InvalidEncryptedContent) and not current.stripped:
            current.stripped = True
            delay: float | None = 0.0
        elif classify.wrong_lane(error) and call.other_lane_ok and not current.lane_error:
            current.lane, current.lane_error = _other(current.lane), error
            delay = 0.0
        elif classify.wrong_lane(error) and current.lane_error:
            raise current.lane_error  # neither lane has it: the first refusal is about what was asked for
        elif error.code == "cloudflare" and not current.cookies_forgotten and self._forget_cookies(current, error):
            delay = 0.0
        else:
            delay = current.retries.delay(error)
        if delay is None or time.monotonic() + delay >= current.deadline:
            raise error
        if call.on_retry:
            call.on_retry(error, delay)
        if delay:
            await self._sleep(delay)
            current.login = await self.credentials.current()

    def _forget_cookies(self, current: _Try, error: errors.UpstreamError) -> bool:
        """A stale bot cookie is refused for ever, and each refusal brings a new one: start afresh, but once only."""
        current.cookies_forgotten = True
        return self._http.cookies.forget(host_of(error.url or ""), current.login.tag)

    async def _attempt(self, current: _Try) -> Stream:
        url = f"{self.settings.upstream.url}/codex/responses"
        response = await self._send(current, url)
        try:
            opened = time.monotonic()
            self._note_headers(response.headers, current)
            if response.status == 401:
                raise _Unauthorized
            if response.status != 200:
                raise await _refused(response, url)
            head = Head()
            upstream_id = _upstream_id(response.headers)
            try:
                await _read_head(response, head, url, upstream_id)
            finally:
                self._note_head(head, current)
        except BaseException:
            response.close()
            raise
        return Stream(
            head=head.data,
            headers=response.headers,
            login=current.login,
            lane=current.lane,
            attempts=current.number,
            stripped=current.stripped,
            url=url,
            upstream_id=upstream_id,
            opened_s=opened - current.started,
            first_content_s=time.monotonic() - current.started,
            response=response,
        )

    async def _send(self, current: _Try, url: str) -> ClientResponse:
        call, login, upstream = current.call, current.login, self.settings.upstream
        thread = call.thread or call.session
        headers = identity.headers(
            login,
            self.settings,
            self._codex_home,
            model=call.model,
            ids=identity.SessionIds(call.session, thread, thread),
            lane=current.lane,
            turn_state=self._turns.state(call.turn, login.tag),
        )
        bounds = ClientTimeout(
            total=max(current.deadline - time.monotonic(), 0.001),
            connect=upstream.connect_timeout_s,
            sock_connect=upstream.connect_timeout_s,
            sock_read=upstream.idle_timeout_s,
        )
        return await self._http.send("POST", url, headers, current.build(), account=login.tag, limits=bounds)

    def _note_headers(self, headers: Headers, current: _Try) -> None:
        self._turns.keep(current.call.turn, current.login.tag, headers.get(identity.TURN_STATE_HEADER, ""))
        self._note_limits(limits.from_headers(headers, time.time()), current.login)
        self._note_etag(headers.get("x-models-etag", ""), current.login)

    def _note_head(self, head: Head, current: _Try) -> None:
        self._turns.keep(current.call.turn, current.login.tag, head.turn_state)
        self._note_limits(head.limits, current.login)
        self._note_etag(head.models_etag, current.login)

    def _note_limits(self, found: Limits | None, login: Login) -> None:
        if found:
            older = self.limits if self._limits_of == login.tag else None
            self.limits, self._limits_of = limits.merge(older, found), login.tag

    def _note_etag(self, etag: str, login: Login) -> None:
        if self.catalog.outdated_by(etag):
            self._spawn(self._refetch_catalog(login))

    async def _refetch_catalog(self, login: Login) -> None:
        before = {slug: model.lane for slug, model in self.catalog.models.items()}
        try:
            await self.catalog.refresh(self._http, login, self.settings, self._codex_home)
        except errors.UpstreamError:
            return  # the catalog in hand still serves; the next new tag asks again
        for slug, model in self.catalog.models.items():
            if before.get(slug) != model.lane:
                self._lanes.pop(slug, None)

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


async def _read_head(response: ClientResponse, head: Head, url: str, upstream_id: str | None) -> None:
    """Returns with content in `head`, or raises what the stream says instead."""
    patience = asyncio.timeout(None)
    try:
        async with patience:
            while not head.ready:
                chunk = await response.content.readany()
                if not chunk:
                    head.end(time.time())
                    break
                head.feed(chunk, time.time())
                if head.failed:
                    break
                if head.warned and patience.when() is None:
                    patience.reschedule(asyncio.get_running_loop().time() + AFTER_ERROR_EVENT_S)
    except (aiohttp.ClientError, OSError) as error:
        if not head.warned:
            raise broken(error, url, upstream_id) from error
    if not head.ready:
        raise head.failure(response.headers, url=url, upstream_id=upstream_id, now=time.time())


async def _refused(response: ClientResponse, url: str) -> errors.UpstreamError:
    try:
        async with asyncio.timeout(ERROR_BODY_S):
            body = await read_body(response)
    except TimeoutError:
        body = b""  # the status and the headers say enough
    except (aiohttp.ClientError, OSError) as error:
        return network_error(error, url)
    return classify.from_response(response.status, response.headers, body, url=url, now=time.time())


def _upstream_id(headers: Headers) -> str | None:
    return next((headers[name] for name in refusal.ID_HEADERS if name in headers), None)


def _other(lane: Lane) -> Lane:
    return "full" if lane == "lite" else "lite"
