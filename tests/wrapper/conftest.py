"""A scratch installation: home, port, a stub `claude`, and the command as a console script runs it."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import claudex
from claudex import home as claudex_home
from claudex.wrapper import owner

from ..ports import free_port

SOURCE = Path(claudex.__file__).parent.parent

SCRIPT = """\
#!{python} -P
import sys
sys.path.insert(0, {source!r})
from claudex.wrapper.launch import main
sys.exit(main())
"""

# Its pid, then its argv, each with a NUL behind it: sh's own printf, so nothing is started and no byte is changed.
STUB = """\
#!/bin/sh
printf '%s\\0' "$$" "$@"
"""


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@dataclass
class Stage:
    folder: Path
    home: Path
    command: Path
    claude: Path
    port: int
    environ: dict[str, str]

    @property
    def token(self) -> str:
        return (self.home / "auth/proxy-token").read_text().strip()

    @property
    def env_file(self) -> Path:
        return self.home / "claude-code.env"

    def prepare(self) -> "Stage":
        claudex_home.prepare(str(self.home), self.environ, self.port)
        return self

    def run(self, *argv: str | bytes, **options: Any) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [self.command, *argv], **{"env": self.environ, "capture_output": True, "timeout": 60, **options}
        )

    def start(self, *argv: str | bytes, **options: Any) -> subprocess.Popen[bytes]:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen([self.command, *argv], **{"env": self.environ, **pipes, **options})

    def stub(self, text: str) -> None:
        executable(self.claude, text)

    def proxy_pid(self) -> int:
        """0 when no proxy of ours listens."""
        found = owner.find(self.port)
        return found.pid if found and found.is_proxy else 0

    def kill_proxy(self) -> None:
        if pid := self.proxy_pid():
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: not owner.command_of(pid))


def wait_until(condition: Any, seconds: float = 20.0) -> None:
    """For what other processes do and tell nobody."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def argv_of(output: bytes) -> list[bytes]:
    return output.split(b"\0")[1:-1]


@pytest.fixture
def stage(scratch_home: Path, tmp_path: Path) -> Iterator[Stage]:
    port = free_port()
    made = Stage(
        folder=tmp_path,
        home=scratch_home / "gateway",
        command=executable(tmp_path / "bin/claudex", SCRIPT.format(python=sys.executable, source=str(SOURCE))),
        claude=executable(tmp_path / "programs/claude", STUB),
        port=port,
        environ={
            "HOME": str(scratch_home),
            "PATH": f"{tmp_path}/bin:{tmp_path}/programs:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "CLAUDEX_GATEWAY_HOME": str(scratch_home / "gateway"),
            "CLAUDEX_PORT": str(port),
            "CLAUDEX_UPSTREAM": "http://127.0.0.1:9/backend-api",
        },
    )
    login = scratch_home / ".codex/auth.json"
    login.parent.mkdir()
    login.write_text("{}")
    yield made
    made.kill_proxy()


@pytest.fixture
def prepared(stage: Stage) -> Stage:
    return stage.prepare()


def words(*argv: str) -> Sequence[bytes]:
    return [os.fsencode(word) for word in argv]
