"""Commands run in this process, as the wrapper runs them, against real proxies on loopback."""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from claudex.cli import control
from claudex.cli.app import main

from ..ports import free_port
from ..wrapper.conftest import prepared, stage  # noqa: F401 (a scratch installation, as the launch tests use it)


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Claudex = Callable[..., Outcome]


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    chosen = free_port()
    monkeypatch.setenv("CLAUDEX_PORT", str(chosen))
    return chosen


@pytest.fixture
def place(scratch_home: Path, port: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The home that the commands of this test use, not made yet; the working directory is scratch as well."""
    home = scratch_home / "gateway"
    monkeypatch.setenv("CLAUDEX_GATEWAY_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("ANTHROPIC_", "CLAUDE_CODE_"))]:
        monkeypatch.delenv(name)
    return home


@pytest.fixture
def claudex(place: Path, capfd: pytest.CaptureFixture[str]) -> Claudex:
    def run(*argv: str) -> Outcome:
        capfd.readouterr()
        code = main(list(argv))
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return Outcome(code, out, err)

    return run


@pytest.fixture
def proxy(claudex: Claudex, place: Path) -> Iterator[Path]:
    """The home of a real proxy that runs for the length of the test."""
    try:
        started = claudex("start")
        assert started.code == 0, started.err
        yield place
    finally:
        claudex("stop")
        wait_until_gone(place)


def wait_until_gone(place: Path) -> None:
    deadline = time.monotonic() + 10
    while control.running(str(place)) and time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.fixture
def stranger(port: int) -> Iterator[int]:
    """Another program on our port; it must never be sent the token or a signal."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        other.settimeout(0.05)
        with _answering(other):
            yield port


class _answering:
    def __init__(self, listener: socket.socket) -> None:
        import threading

        self.listener, self.heard, self.stop = listener, b"", threading.Event()
        self.thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        while not self.stop.is_set():
            try:
                client, _ = self.listener.accept()
            except TimeoutError:
                continue
            with client:
                client.settimeout(2)
                self.heard += client.recv(65536)
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    def __enter__(self) -> "_answering":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join()
        assert b"uthorization" not in self.heard
