import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import ClientTimeout, web

from claudex import errors
from claudex.codex.http import Transport, network_error, proxy_for, tls_context
from claudex.settings import Settings, UpstreamSettings

LIMITS = ClientTimeout(total=5)


@asynccontextmanager
async def serving(answer: object) -> AsyncIterator[str]:
    """A server whose every route is `answer(request)`."""
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{tail:.*}", answer)  # type: ignore[arg-type]
    runner = web.AppRunner(app, shutdown_timeout=0.05)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture
def settings() -> Settings:
    return Settings(upstream=UpstreamSettings(connect_timeout_s=2.0))


async def test_a_refused_connection_names_the_host_and_the_cause(http: Transport, unused_tcp_port: int) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}/x"
    with pytest.raises(errors.NetworkError, match=r"127\.0\.0\.1 cannot be reached") as raised:
        await http.send("GET", url, {}, limits=LIMITS)
    assert raised.value.url == url
    assert raised.value.who == "the network"


async def test_silence_is_a_timeout(http: Transport) -> None:
    async def silent(request: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async with serving(silent) as url:
        with pytest.raises(errors.UpstreamTimeout, match="silent"):
            await http.send("GET", url, {}, limits=ClientTimeout(sock_read=0.1))
        with pytest.raises(errors.UpstreamTimeout, match="in time"):
            await http.get_json(url, {}, within_s=0.1)


async def test_a_silent_peer_is_probed(http: Transport) -> None:
    """A model that thinks for 20 minutes is waited for; a path that died in the meantime is not."""

    async def late(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.sleep(30)
        return response

    async with serving(late) as url:
        response = await http.send("GET", url, {}, limits=LIMITS)
        assert response.connection is not None
        assert response.connection.transport is not None
        sock = response.connection.transport.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        response.close()


async def test_a_redirect_is_not_followed(http: Transport) -> None:
    seen: list[str] = []

    async def redirect(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(status=302, headers={"location": "/elsewhere"})

    async with serving(redirect) as url:
        with pytest.raises(errors.UpstreamFailed, match="redirected"):
            await http.get_json(f"{url}/first", {"authorization": "Bearer t"})
    assert seen == ["/first"]


async def test_what_is_no_json_is_said_to_be_none(http: Transport) -> None:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text="<html>")

    async with serving(page) as url:
        with pytest.raises(errors.UpstreamFailed, match="not JSON"):
            await http.get_json(url, {})


async def test_a_large_body_arrives_as_given(http: Transport) -> None:
    sizes: list[tuple[int, str]] = []

    async def measure(request: web.Request) -> web.Response:
        sizes.append((len(await request.read()), request.headers["content-length"]))
        return web.json_response({})

    async with serving(measure) as url:
        for size in (10, 3 * 1024 * 1024):
            response = await http.send("POST", url, {}, b"x" * size, limits=LIMITS)
            response.release()
    assert sizes == [(10, "10"), (3 * 1024 * 1024, str(3 * 1024 * 1024))]


async def test_cookies_go_back_to_their_account_only(http: Transport) -> None:
    sent: list[str | None] = []

    async def cookie(request: web.Request) -> web.Response:
        sent.append(request.headers.get("cookie"))
        response = web.json_response({})
        response.set_cookie("__cf_bm", "bm-value", max_age=1800, secure=True, httponly=True)
        response.set_cookie("tracking", "no")
        return response

    async with serving(cookie) as url:
        for account in ("a", "a", "b"):
            await http.get_json(url, {}, account=account)
    assert sent == [None, "__cf_bm=bm-value", None]


async def test_nothing_is_added_to_the_headers(http: Transport) -> None:
    names: list[str] = []

    async def look(request: web.Request) -> web.Response:
        names.extend(name.lower() for name in request.headers)
        return web.json_response({})

    async with serving(look) as url:
        await http.get_json(url, {"user-agent": "codex_cli_rs/1"})
    assert sorted(names) == ["accept", "host", "user-agent"]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "[::1]"])
def test_loopback_is_never_proxied(host: str) -> None:
    environ = {"HTTPS_PROXY": "http://proxy.test:3128", "http_proxy": "http://proxy.test:3128"}
    assert proxy_for(f"http://{host}:1/x", environ) == (None, None)


def test_the_environments_proxy_is_used_with_its_credentials_apart() -> None:
    proxy, headers = proxy_for("https://chatgpt.com/x", {"HTTPS_PROXY": "http://user:pw@proxy.test:3128"})
    assert str(proxy) == "http://proxy.test:3128"
    assert headers == {"Proxy-Authorization": "Basic dXNlcjpwdw=="}


def test_no_proxy_is_heeded() -> None:
    environ = {"https_proxy": "proxy.test:3128", "NO_PROXY": "example.com,.chatgpt.com,chatgpt.com"}
    assert proxy_for("https://chatgpt.com/x", environ) == (None, None)
    assert str(proxy_for("https://auth.openai.com/x", environ)[0]) == "http://proxy.test:3128"
    assert proxy_for("https://chatgpt.com/x", {}) == (None, None)


async def test_requests_really_go_through_the_proxy(settings: Settings) -> None:
    asked: list[str] = []

    async def proxy(request: web.Request) -> web.Response:
        asked.append(str(request.url))
        return web.json_response({"proxied": True})

    async with serving(proxy) as url, Transport(settings, {"http_proxy": url}) as http:
        document, _ = await http.get_json("http://chatgpt.invalid/x", {})
    assert document == {"proxied": True}
    assert asked == ["http://chatgpt.invalid/x"]


def test_an_unusable_address_is_named() -> None:
    assert network_error(aiohttp.InvalidURL("x"), "x").code == "bad_address"


@pytest.mark.parametrize("url", ["foo/x", "http:/x", "http://[::1/x", "http://host:port/x", ""])
async def test_an_address_out_of_shape_is_one_sentence(http: Transport, url: str) -> None:
    with pytest.raises(errors.NetworkError, match="is not a usable address") as caught:
        await http.get_json(url, {})
    assert caught.value.code == "bad_address"


@pytest.mark.parametrize("named", ["socks5://user:secret@proxy.test:1080", "http://[bad", "http://:3128", "ftp://p:1"])
def test_a_proxy_that_cannot_be_used_is_said_without_its_secret(named: str) -> None:
    with pytest.raises(errors.NetworkError, match="HTTPS_PROXY") as caught:
        proxy_for("https://chatgpt.com/x", {"ALL_PROXY": named})
    assert "secret" not in str(caught.value)


def test_the_official_clients_own_certificate_is_trusted(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    for name in ("absent.pem", "empty.pem"):
        with pytest.raises(errors.NetworkError, match=rf"CODEX_CA_CERTIFICATE=.*{name} cannot be used"):
            tls_context({"CODEX_CA_CERTIFICATE": str(tmp_path / name)})
    assert tls_context({}).verify_mode == ssl.CERT_REQUIRED
