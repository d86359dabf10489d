"""A simulated backend, a login in a scratch CODEX_HOME, and the rooms of `claudex.codex` wired to both."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

from claudex.codex.catalog import Catalog
from claudex.codex.client import Call, Client
from claudex.codex.credentials import Credentials
from claudex.codex.http import Transport
from claudex.codex.login import Login
from claudex.settings import AuthSettings, Settings, UpstreamSettings
from claudex.simulator import Simulator
from claudex.wire.catalog import Lane

SESSION = "0b2f6f0e-6b1e-4f3a-9d42-0d6a4e8f3a11"


@pytest.fixture
def codex_home(tmp_path: Path) -> Path:
    home = tmp_path / "codex"
    home.mkdir()
    return home


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "claudex"
    home.mkdir()
    return home


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator() as sim:
        yield sim


@pytest.fixture
def settings(sim: Simulator) -> Settings:
    return Settings(
        upstream=UpstreamSettings(url=sim.url, idle_timeout_s=5.0, connect_timeout_s=2.0),
        auth=AuthSettings(token_url=sim.token_url, refresh_timeout_s=5.0),
    )


@pytest.fixture
async def http(settings: Settings) -> AsyncIterator[Transport]:
    async with Transport(settings) as http:
        yield http


@pytest.fixture
async def credentials(settings: Settings, codex_home: Path, home: Path, http: Transport) -> AsyncIterator[Credentials]:
    credentials = Credentials(settings, codex_home, home, http)
    yield credentials
    await credentials.close()


@pytest.fixture
async def client(
    settings: Settings, credentials: Credentials, codex_home: Path, home: Path, http: Transport, waits: list[float]
) -> AsyncIterator[Client]:
    async def note(seconds: float) -> None:
        waits.append(seconds)

    client = Client(settings, credentials, Catalog.embedded(home), http, codex_home, sleep=note)
    yield client
    await client.close()


@pytest.fixture
def waits() -> list[float]:
    """Seconds that the client would have waited between its tries."""
    return []


@pytest.fixture
def call() -> Callable[..., Call]:
    """`call("hello", model="gpt-5.5", **changes)`: a valid request on the model's own lane."""
    models = Catalog.embedded().models

    def make(text: str = "hello", model: str = "gpt-6.1-sol", **changes: object) -> Call:
        info = models[model]

        def build(login: Login, lane: Lane, strip: bool) -> bytes:
            return body(text, model, lane)

        facts: dict[str, object] = {"build": build, "model": info, "lane": info.lane, "session": SESSION}
        return Call(**{**facts, "request_id": "req_1", **changes})  # type: ignore[arg-type]

    return make


def body(text: str, model: str, lane: Lane, reasoning: list[dict[str, object]] | None = None) -> bytes:
    user = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    common = {"model": model, "stream": True, "store": False, "tool_choice": "auto", "prompt_cache_key": SESSION}
    request: dict[str, object] = {
        **common,
        "input": [*(reasoning or []), user],
        "parallel_tool_calls": lane == "full",
        "reasoning": {"effort": "low", **({"context": "all_turns"} if lane == "lite" else {})},
        "include": ["reasoning.encrypted_content"],
    }
    if lane == "lite":
        tools = {"type": "additional_tools", "role": "developer", "tools": []}
        request["input"] = [tools, *(reasoning or []), user]
    return msgspec.json.encode(request)


def auth_document(codex_home: Path) -> dict[str, object]:
    document = json.loads((codex_home / "auth.json").read_text())
    assert isinstance(document, dict)
    return document


def with_settings(settings: Settings, **upstream: object) -> Settings:
    changed = msgspec.structs.replace(settings.upstream, **upstream)
    return msgspec.structs.replace(settings, upstream=changed)


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for something that another task or process makes true."""
    for _ in range(int(seconds / 0.01)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come true")
