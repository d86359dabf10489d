"""Our own client with its production addresses: TLS, a CONNECT proxy, and the strict simulator behind both."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from claudex import errors
from claudex.codex.catalog import Catalog
from claudex.codex.client import Call, Client
from claudex.codex.credentials import Credentials
from claudex.codex.http import Transport
from claudex.codex.login import Login
from claudex.settings import Settings
from claudex.simulator import Simulator
from claudex.wire.catalog import Lane

from .interceptor import intercepting, make_certificates

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl for throw-away certificates")


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[tuple[Simulator, str, Path]]:
    """The simulator as chatgpt.com and auth.openai.com, the proxy's address, and the CA to trust."""
    ca, leaf = make_certificates(tmp_path)
    with Simulator.threaded() as sim, intercepting(leaf, sim.port) as proxy:
        yield sim, proxy, ca


def call() -> Call:
    def build(login: Login, lane: Lane, strip: bool) -> bytes:
        user = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}
        tools = {"type": "additional_tools", "role": "developer", "tools": []}
        request = {"model": "gpt-6.1-sol", "stream": True, "store": False, "input": [tools, user]}
        return msgspec.json.encode({**request, "parallel_tool_calls": False, "reasoning": {"effort": "low"}})

    model = Catalog.embedded().models["gpt-6.1-sol"]
    return Call(build, model, model.lane, session="0b2f6f0e-6b1e-4f3a-9d42-0d6a4e8f3a11", request_id="req_1")


async def test_refresh_catalog_limits_and_a_call_go_through_the_proxy(
    outside: tuple[Simulator, str, Path], tmp_path: Path
) -> None:
    sim, proxy, ca = outside
    sim.login(tmp_path, expires_in=-10)
    settings = Settings()
    async with Transport(settings, {"HTTPS_PROXY": proxy, "CODEX_CA_CERTIFICATE": str(ca)}) as http:
        credentials = Credentials(settings, tmp_path, tmp_path, http)
        client = Client(settings, credentials, Catalog.embedded(), http, tmp_path)
        assert await client.warm() == ""
        async with client.open(call()) as stream:
            data = stream.head + b"".join([chunk async for chunk in stream.chunks()])
        await client.close()
    assert b"response.completed" in data
    assert sim.refreshes == 1
    assert sim.violations == []


async def test_an_untrusted_certificate_is_told_and_not_retried(
    outside: tuple[Simulator, str, Path], tmp_path: Path
) -> None:
    sim, proxy, _ = outside
    sim.login(tmp_path)
    settings = Settings()
    async with Transport(settings, {"HTTPS_PROXY": proxy}) as http:
        client = Client(settings, Credentials(settings, tmp_path, tmp_path, http), Catalog.embedded(), http, tmp_path)
        with pytest.raises(errors.NetworkError, match=r"chatgpt\.com shows a TLS certificate") as raised:
            async with client.open(call()):
                pass
    assert raised.value.code == "untrusted_certificate"
    assert sim.requests == []
