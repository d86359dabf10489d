"""The way out: one aiohttp session, its TLS context, the proxies, and Cloudflare's cookies.

Nothing follows a redirect, because every request carries a credential. Loopback is never proxied, whatever
HTTPS_PROXY says.
"""

import asyncio
import base64
import io
import os
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

import aiohttp
import msgspec
from aiohttp import AddrInfoType, ClientResponse, ClientTimeout
from multidict import CIMultiDictProxy
from yarl import URL

from .. import errors
from ..settings import Settings
from . import classify
from .cookies import Cookies

LOOPBACK = ("127.0.0.1", "::1", "localhost")
KEEP_ALIVE_S = 90.0
# Seconds of silence before the first probe, seconds between probes, and how many may stay unanswered.
PROBES = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
LARGE_BODY = 1024 * 1024  # aiohttp copies bytes up to here in one go; above, it wants a file and sends it in pieces
ERROR_BODY_LIMIT = 256 * 1024
ANSWER_LIMIT = 16 * 1024 * 1024
# aiohttp's own additions; the official client sends neither, and a stream gains nothing from compression.
UNSENT = ("Accept-Encoding", "User-Agent")

Headers = CIMultiDictProxy[str]


class Transport:
    """Opened by `start`, or by its first use. Errors are UpstreamErrors that name the address."""

    def __init__(self, settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
        self.settings = settings
        self.cookies = Cookies()
        self._environ = dict(environ)
        self._session: aiohttp.ClientSession | None = None
        self._starting: asyncio.Lock = asyncio.Lock()

    async def __aenter__(self) -> "Transport":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self) -> None:
        await self._opened()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        account: str = "",
        limits: ClientTimeout,
    ) -> ClientResponse:
        """The response, its headers read and its body not. `account` scopes the cookies."""
        session = await self._opened()
        target = _address(url)
        proxy, proxy_headers = proxy_for(url, self._environ)
        cookie = self.cookies.header(target.host or "", account)
        try:
            response = await session.request(
                method,
                target,
                headers={**headers, "cookie": cookie} if cookie else headers,
                data=io.BytesIO(body) if body is not None and len(body) >= LARGE_BODY else body,
                allow_redirects=False,
                proxy=proxy,
                proxy_headers=proxy_headers,
                timeout=limits,
            )
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise network_error(error, url) from error
        self.cookies.keep(target.host or "", account, response.cookies)
        return response

    async def get_json(
        self, url: str, headers: Mapping[str, str], *, account: str = "", within_s: float = 15.0
    ) -> tuple[object, Headers]:
        return await self._json("GET", url, headers, None, account, within_s)

    async def answer(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        account: str = "",
        within_s: float,
    ) -> tuple[int, Headers, bytes]:
        """A small answer in full, whatever its status. `within_s` bounds everything together."""
        limits = ClientTimeout(total=within_s, sock_connect=self.settings.upstream.connect_timeout_s)
        response = await self.send(method, url, headers, body, account=account, limits=limits)
        try:
            return response.status, response.headers, await read_body(response, ANSWER_LIMIT)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise network_error(error, url) from error
        finally:
            response.release()

    async def _json(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, account: str, within_s: float
    ) -> tuple[object, Headers]:
        status, got, data = await self.answer(method, url, headers, body, account=account, within_s=within_s)
        if status != 200:
            raise classify.from_response(status, got, data, url=url, now=time.time())
        try:
            return msgspec.json.decode(data), got
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise errors.UpstreamFailed(
                f"{host_of(url)} answered with something that is not JSON.", upstream_status=status, url=url
            ) from None

    async def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            async with self._starting:
                if self._session is None:
                    context = await asyncio.to_thread(tls_context, self._environ)
                    self._session = _session(context)
        return self._session


def network_error(error: BaseException, url: str) -> errors.UpstreamError:
    """What went wrong on the way to `url`, in one sentence, with no credential in it."""
    host = host_of(url)
    if isinstance(error, aiohttp.SocketTimeoutError):
        return errors.UpstreamTimeout(f"{host} has been silent for too long.", url=url)
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return errors.NetworkError(
            f"{host} cannot be reached: connecting took too long.", hint=_NETWORK_HINT, code="connect_timeout", url=url
        )
    if isinstance(error, TimeoutError):
        return errors.UpstreamTimeout(f"{host} did not finish in time.", url=url)
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError | ConnectionResetError):
        return errors.NetworkError(f"{host} closed the connection.", url=url)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return errors.NetworkError(
            f"{host} shows a TLS certificate that this machine does not trust.",
            hint="Behind a company proxy, point SSL_CERT_FILE at its certificate.",
            code="untrusted_certificate",
            url=url,
        )
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return errors.NetworkError(f"The proxy refused to reach {host} ({error.status}).", hint=_NETWORK_HINT, url=url)
    if isinstance(error, aiohttp.InvalidURL | ValueError):
        return errors.NetworkError(
            f"{url} is not a usable address.", hint="Check the upstream URL.", code="bad_address", url=url
        )
    return errors.NetworkError(f"{host} cannot be reached: {_cause(error)}.", hint=_NETWORK_HINT, url=url)


_NETWORK_HINT = "Check the network and HTTPS_PROXY."


def host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url


def _address(url: str) -> URL:
    try:
        return URL(url)
    except ValueError as error:
        raise network_error(error, url) from error


def proxy_for(url: str, environ: Mapping[str, str]) -> tuple[URL | None, dict[str, str] | None]:
    """The proxy that the environment names for `url`, and the headers for it: its credentials leave its address.

    Raises NetworkError for one that cannot be used.
    """
    target = _address(url)
    host = target.host or ""
    if host in LOOPBACK or host.startswith("127."):
        return None, None
    bypass = _variable(environ, "no_proxy")
    if bypass and proxy_bypass_environment(host, {"no": bypass}):
        return None, None
    named = _variable(environ, f"{target.scheme}_proxy") or _variable(environ, "all_proxy")
    if not named:
        return None, None
    try:
        proxy = URL(named if "://" in named else f"http://{named}")
    except ValueError:
        proxy = URL()
    if proxy.scheme not in ("http", "https") or not proxy.host:
        raise errors.NetworkError(
            f"the proxy that the environment names for {host} is no http:// address.",
            hint=f"Mend {target.scheme.upper()}_PROXY or ALL_PROXY, then run `claudex restart`.",
            code="bad_proxy",
            url=url,
        )
    if not proxy.user:
        return proxy, None
    credentials = base64.b64encode(f"{proxy.user}:{proxy.password or ''}".encode()).decode()
    return proxy.with_user(None), {"Proxy-Authorization": f"Basic {credentials}"}


def tls_context(environ: Mapping[str, str]) -> ssl.SSLContext:
    """The system's trust, and CODEX_CA_CERTIFICATE as the official client reads it. Costs tens of milliseconds."""
    context = ssl.create_default_context()
    places = ssl.get_default_verify_paths()
    if places.cafile is None and places.capath is None:  # Python from python.org on macOS comes without certificates
        import certifi

        context.load_verify_locations(certifi.where())
    if extra := environ.get("CODEX_CA_CERTIFICATE"):
        try:
            context.load_verify_locations(extra)
        except OSError as error:  # ssl.SSLError is one: the file holds no certificate
            raise errors.NetworkError(
                f"CODEX_CA_CERTIFICATE={extra} cannot be used: {error.strerror or error}.",
                hint="Mend it, then run `claudex restart`.",
                code="bad_certificate_file",
            ) from error
    return context


async def read_body(response: ClientResponse, limit: int = ERROR_BODY_LIMIT) -> bytes:
    """At most `limit` bytes: an error page may be any size."""
    pieces: list[bytes] = []
    size = 0
    async for piece in response.content.iter_any():
        pieces.append(piece)
        size += len(piece)
        if size >= limit:
            response.close()
            break
    return b"".join(pieces)[:limit]


def probed_socket(address: AddrInfoType) -> socket.socket:
    """A socket whose peer is asked for a sign of life in silence: a model may think for many minutes, but a path that
    is dead must be noticed in about two."""
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    with suppress(OSError):  # a system that knows no probes: the idle time-out still ends the wait
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in PROBES.items():
            if hasattr(socket, name):
                made.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    made.setblocking(False)
    return made


def _session(context: ssl.SSLContext) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        ssl=context, limit=0, keepalive_timeout=KEEP_ALIVE_S, ttl_dns_cache=300, socket_factory=probed_socket
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=UNSENT,
        trust_env=False,  # it would bring .netrc, and proxies for loopback
        auto_decompress=True,
    )


def _variable(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name) or environ.get(name.upper()) or ""


def _cause(error: BaseException) -> str:
    inner = getattr(error, "os_error", None) or error
    text = getattr(inner, "strerror", None) or str(inner) or type(inner).__name__
    return str(text).rstrip(".")
