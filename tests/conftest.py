"""What every test shares: no way out of this machine, and a scratch home."""

import socket
from pathlib import Path

import pytest

LOOPBACK = ("127.0.0.1", "::1", "localhost", "")
_connect = socket.socket.connect


def _guarded_connect(self: socket.socket, address: object) -> None:
    host = address[0] if isinstance(address, tuple) else ""
    if host not in LOOPBACK:
        raise AssertionError(f"a test tried to reach {host}: point it at loopback")
    _connect(self, address)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test fails if a real host is tried."""
    monkeypatch.setattr(socket.socket, "connect", _guarded_connect)


@pytest.fixture(autouse=True)
def scratch_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh HOME, with upstream and token endpoint pointing nowhere on loopback."""
    home = tmp_path_factory.mktemp("home")
    for name in ("XDG_DATA_HOME", "CODEX_HOME", "CLAUDEX_GATEWAY_HOME", "CLAUDEX_PORT", "CLAUDE_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("CLAUDEX_UPSTREAM", "http://127.0.0.1:9/backend-api")
    monkeypatch.setenv("CODEX_REFRESH_TOKEN_URL_OVERRIDE", "http://127.0.0.1:9/oauth/token")
    return home
