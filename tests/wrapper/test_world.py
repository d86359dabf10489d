"""claude finds the world as the user's shell left it: compared with the same program started without us."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from claudex.wrapper import world

from . import fakes
from .conftest import Stage
from .fakes import Listener

LOCALES = [
    {},
    {"LANG": "C"},
    {"LANG": "C", "LC_CTYPE": "C.UTF-8"},
    {"LC_CTYPE": "C"},
    {"LC_CTYPE": "POSIX", "LC_ALL": ""},
    {"LC_CTYPE": "C.UTF-8", "LC_ALL": "C"},
    {"LC_CTYPE": "no_such_locale"},
    {"LANG": "C", "PYTHONCOERCECLOCALE": "0"},
]


@pytest.fixture
def running(prepared: Stage) -> Iterator[Stage]:
    prepared.env_file.write_text("# nothing\n")
    with Listener(fakes.proxy(prepared.token), prepared.port):
        yield prepared


def both(stage: Stage, script: str, **options: Any) -> tuple[bytes, bytes]:
    """What the program sees through us, and what it sees by itself."""
    stage.stub(f"#!/bin/sh\n{script}\n")
    ours = stage.run(**options)
    assert ours.stderr == b""
    options = {"env": stage.environ, "capture_output": True, "timeout": 60, **options}
    return ours.stdout, subprocess.run([stage.claude], **options).stdout


@pytest.mark.parametrize("locale", LOCALES)
def test_environment(running: Stage, locale: dict[str, str]) -> None:
    environ = {k: v for k, v in running.environ.items() if k != "LANG"} | locale | {"A": " x=y\n", "EMPTY": ""}
    ours, direct = both(running, "exec env -0", env=environ)
    assert sorted(ours.split(b"\0")) == sorted(direct.split(b"\0"))


def test_signal_dispositions_and_mask(running: Stage) -> None:
    ours, direct = both(running, "grep -E '^Sig(Ign|Blk|Cgt)' /proc/self/status")
    assert ours == direct != b""


@pytest.mark.parametrize("trap", ["PIPE", "XFSZ", "INT", "HUP", "PIPE HUP QUIT"])
def test_what_the_shell_ignores_stays_ignored(running: Stage, trap: str) -> None:
    running.stub("#!/bin/sh\ngrep ^SigIgn /proc/self/status\n")
    seen = [
        subprocess.run(
            ["sh", "-c", f"trap '' {trap}; \"$0\"; true", program], env=running.environ, capture_output=True, timeout=60
        ).stdout
        for program in (running.command, running.claude)
    ]
    assert seen[0] == seen[1] != b""


def test_a_blocked_signal_stays_blocked(running: Stage) -> None:
    def block() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])

    environ = running.environ | {"CLAUDE_BIN": "/bin/grep"}  # sh would unblock it
    seen = running.run("^SigBlk", "/proc/self/status", env=environ, preexec_fn=block).stdout
    assert int(seen.split()[1], 16) == 1 << (signal.SIGUSR1 - 1)


def test_descriptors(running: Stage, tmp_path: Path) -> None:
    with open(tmp_path / "kept", "w") as kept:
        ours, direct = both(running, "ls -l /proc/self/fd | sed 's/.*:[0-9]* //' | grep kept", pass_fds=[kept.fileno()])
        assert ours == direct != b""
        environ = running.environ | {"CLAUDE_BIN": "/bin/ls"}
        seen = running.run("/proc/self/fd", env=environ, pass_fds=[kept.fileno()]).stdout.split()
        assert {int(number) for number in seen[:-1]} == {0, 1, 2, kept.fileno()}  # the last is ls's own


def test_umask_and_directory(running: Stage, tmp_path: Path) -> None:
    ours, direct = both(running, "umask; pwd", cwd=tmp_path, umask=0o137)
    assert ours == direct == f"0137\n{tmp_path}\n".encode()


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_closed_standard_streams_stay_closed(running: Stage, tmp_path: Path, closed: tuple[int, ...]) -> None:
    def close() -> None:
        for descriptor in closed:
            os.close(descriptor)

    running.stub(f"#!/bin/sh\nls /proc/$$/fd > {tmp_path}/seen\n")
    seen = []
    for program in (running.command, running.claude):
        subprocess.run([program], env=running.environ, preexec_fn=close, timeout=60, check=False)
        seen.append((tmp_path / "seen").read_bytes())
    assert seen[0] == seen[1]


def test_without_proc_a_variable_that_came_last_was_pythons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.open", _refuse(open))
    monkeypatch.setattr(world.sys, "flags", type("Flags", (), {"utf8_mode": 1}))
    monkeypatch.setattr(world.os, "environ", {"A": "1", "LC_CTYPE": "UTF-8"})
    assert world.environment() == {"A": "1"}
    monkeypatch.setattr(world.os, "environ", {"LC_CTYPE": "UTF-8", "A": "1"})
    assert world.environment() == {"LC_CTYPE": "UTF-8", "A": "1"}


def _refuse(real: Callable[..., Any]) -> Callable[..., Any]:
    def opened(path: object, *args: Any, **options: Any) -> Any:
        if str(path).startswith("/proc/"):
            raise FileNotFoundError(path)
        return real(path, *args, **options)

    return opened
