"""A proxy in the test's own loop, in front of the simulator."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import tomli_w

from claudex.files import private_dir, write_private
from claudex.proxy.app import App
from claudex.proxy.gateway import Gateway
from claudex.proxy.health import Instance
from claudex.proxy.server import Server
from claudex.simulator import Simulator

TOKEN = "proxy-token-for-tests-0123456789"
MODEL = "gpt-6.1-sol(high)"

Event = tuple[str, dict[str, Any]]
Body = dict[str, Any]


def make_home(home: Path, **settings: dict[str, Any]) -> Path:
    """A home with a token, an env file and these sections of config.toml."""
    for name in ("auth", "run", "logs"):
        private_dir(home / name)
    write_private(home / "auth" / "proxy-token", TOKEN + "\n")
    write_private(
        home / "claude-code.env",
        'export ANTHROPIC_DEFAULT_OPUS_MODEL="${ANTHROPIC_DEFAULT_OPUS_MODEL:-gpt-6.1-sol(xhigh)}"\n'
        'export ANTHROPIC_DEFAULT_SONNET_MODEL="gpt-5.5(medium)"\n',
    )
    write_private(home / "config.toml", tomli_w.dumps(settings))
    return home


def ask(text: str = "hello", **fields: Any) -> Body:
    return {
        "model": MODEL,
        "max_tokens": 32_000,
        "stream": True,
        "messages": [{"role": "user", "content": text}],
        **fields,
    }


def events_of(data: bytes) -> list[Event]:
    found: list[Event] = []
    for block in data.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def text_of(events: list[Event]) -> str:
    deltas = (data["delta"] for name, data in events if name == "content_block_delta")
    return "".join(delta["text"] for delta in deltas if delta["type"] == "text_delta")


class Running:
    """What a test needs of a running proxy."""

    def __init__(self, gateway: Gateway, app: App, port: int, http: aiohttp.ClientSession) -> None:
        self.gateway = gateway
        self.app = app
        self.port = port
        self.http = http
        self.url = f"http://127.0.0.1:{port}"
        self.headers = {"Authorization": f"Bearer {TOKEN}", "anthropic-version": "2023-06-01"}

    def post(self, body: Body | bytes, path: str = "/v1/messages?beta=true", **headers: str) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        every = {**self.headers, "Content-Type": "application/json", **headers}
        return self.http.post(self.url + path, data=data, headers=every)

    def get(self, path: str, **headers: str) -> Any:
        return self.http.get(self.url + path, headers={**self.headers, **headers})

    async def json(self, path: str) -> Any:
        async with self.get(path) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def stream(self, body: Body, **headers: str) -> list[Event]:
        async with self.post(body, **headers) as response:
            assert response.status == 200, await response.text()
            return events_of(await response.read())

    async def line(self) -> dict[str, Any]:
        """The log line of the newest request, once nothing is in flight."""
        await self.idle()
        return self.gateway.memory.requests[-1]

    async def idle(self) -> None:
        """Until nothing is in flight: an answer may arrive before its exchange has ended."""
        ended = asyncio.Event()
        self.gateway.on_idle.append(ended.set)
        if self.gateway.in_flight:
            await asyncio.wait_for(ended.wait(), 10)


@asynccontextmanager
async def running(home: Path, environ: dict[str, str], *, warm: bool = False) -> AsyncIterator[Running]:
    sock = socket.create_server(("127.0.0.1", 0))
    port = sock.getsockname()[1]
    gateway = Gateway(str(home), Instance(port=port, started_at=0.0), environ)
    app = App(gateway)
    server = Server(app.handle, gateway.record)
    listener = await asyncio.get_running_loop().create_server(server, sock=sock)
    if warm:
        gateway.start()
    try:
        async with aiohttp.ClientSession() as http:
            yield Running(gateway, app, port, http)
    finally:
        listener.close()
        await server.shutdown(1.0)
        await gateway.close()


@asynccontextmanager
async def stack(
    tmp_path: Path, *, login: bool = True, sim: dict[str, Any] | None = None, **settings: Any
) -> AsyncIterator[tuple[Running, Simulator]]:
    """Simulator, login, home and proxy. Afterwards: no violation, nothing in flight."""
    codex_home = tmp_path / "codex"
    codex_home.mkdir()
    home = make_home(tmp_path / "gateway", **settings)
    async with Simulator(**(sim or {})) as simulator:
        if login:
            simulator.login(codex_home)
        async with running(home, {**simulator.environ(codex_home), "HOME": str(tmp_path)}) as proxy:
            yield proxy, simulator
            assert not proxy.gateway.in_flight
        assert not simulator.violations, simulator.violations
