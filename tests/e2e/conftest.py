"""The whole stack in a scratch world: simulator, login, home, our command, and claude behind it."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from ..ports import free_port
from . import clients

if TYPE_CHECKING:
    from claudex.simulator import Simulator

    from .conversation import Talk
    from .faults import Client

CLAUDEX = str(Path(sys.executable).with_name("claudex"))
STOP_WAIT_S = 40.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@dataclass
class Stack:
    """`environ` is a user's shell: `claudex` in it finds this home, this login and the simulator."""

    simulator: "Simulator"
    home: Path
    codex_home: Path
    user: Path
    port: int
    environ: dict[str, str] = field(default_factory=dict)

    def claudex(self, *words: str, claude: str = "", cwd: Path | None = None, timeout: float = 120, **more: str):  # type: ignore[no-untyped-def]
        """Run our command to its end; `claude` is the real one that it is to become."""
        environ = {**self.environ, **({"CLAUDE_BIN": claude} if claude else {}), **more}
        return clients.run([CLAUDEX, *words], environ, cwd or self.user, timeout)

    @property
    def pid(self) -> int | None:
        """The proxy's process id, while it says so in run/proxy.json."""
        try:
            return int(json.loads((self.home / "run" / "proxy.json").read_text())["pid"])
        except (OSError, ValueError, KeyError):
            return None

    def log(self) -> str:
        path = self.home / "logs" / "proxy.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def end(self) -> None:
        """End the proxy that this stack started, by its id."""
        pid = self.pid
        if pid is None:
            return
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.kill(pid, sign)
            except ProcessLookupError:
                return
            if _gone(pid, STOP_WAIT_S):
                return


def _gone(pid: int, within: float) -> bool:
    """The proxy is nobody's child here, so its end can only be polled for; in a container init may be slow to reap."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def simulator() -> "Iterator[Simulator]":
    from claudex.simulator import Simulator

    with Simulator.threaded() as running:
        yield running


@pytest.fixture
def stack(simulator: "Simulator", tmp_path: Path) -> Iterator[Stack]:
    """A simulated login and no home yet: the first `claudex` makes it and starts the proxy."""
    user, codex_home, home = tmp_path / "user", tmp_path / "codex", tmp_path / "home"
    user.mkdir()
    simulator.login(codex_home)
    port = free_port()
    environ = clients.safe_environ(
        user, CLAUDEX_GATEWAY_HOME=str(home), CLAUDEX_PORT=str(port), **simulator.environ(codex_home)
    )
    made = Stack(simulator, home, codex_home, user, port, environ)
    yield made
    made.end()


@pytest.fixture(params=clients.CLAUDES, ids=lambda pin: pin.version)
def claude(request: pytest.FixtureRequest) -> str:
    """Each of the pinned claudes in turn."""
    return clients.program(request.param)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return clients.repository(tmp_path / "work")


@pytest.fixture
def client(stack: Stack, claude: str, repository: Path) -> "Client":
    """Each of the pinned claudes, to be asked through `claudex`."""
    from .faults import Client

    return Client(stack, claude, repository)


@pytest.fixture
def older(stack: Stack, repository: Path) -> "Client":
    """One claude where both behave alike, as most of the work is ours: the one that starts faster."""
    from .faults import Client

    return Client(stack, clients.program(clients.CLAUDES[-1]), repository)


@pytest.fixture
def talk(stack: Stack, claude: str, repository: Path) -> "Iterator[Talk]":
    """The real claude to talk to. Whatever a test asks, the backend has nothing to refuse and nothing is lost."""
    from .conversation import Talk

    made = Talk(stack, claude, repository)
    yield made
    made.check()
