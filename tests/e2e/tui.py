"""A real terminal for a real program: tmux on a socket of its own, read as a person would read the screen."""

import json
import os
import re
import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

POLL_S = 0.2


class Tui:
    """One program in one tmux pane. `screen()` is what a person sees; `wait_for` shows it when it gives up."""

    def __init__(
        self, argv: Sequence[str], *, cwd: Path, environ: Mapping[str, str], socket: Path, width: int = 120
    ) -> None:
        self._tmux = ["tmux", "-f", "/dev/null", "-S", str(socket)]
        self._argv = argv
        self._cwd = cwd
        self._environ = {**environ, "TERM": "xterm-256color"}
        self._width = width

    def __enter__(self) -> Self:
        command = shlex.join(self._argv) + '; echo "[exit $?]"; exec sleep 60'
        size = ["-x", str(self._width), "-y", "50"]
        self._run("new-session", "-d", *size, "-c", str(self._cwd), command, environ=self._environ)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run("kill-server", check=False)

    def type(self, text: str) -> None:
        self._run("send-keys", "-l", text)

    def press(self, *keys: str) -> None:
        self._run("send-keys", *keys)

    def say(self, text: str) -> None:
        """Type a prompt and send it; the pause lets the program take a paste for what it is."""
        self.type(text)
        time.sleep(POLL_S)
        self.press("Enter")

    def screen(self) -> str:
        return self._run("capture-pane", "-p", "-S", "-200")

    def wait_for(self, pattern: str, *, timeout: float = 40) -> str:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            screen = self.screen()
            if re.search(pattern, screen):
                return screen
            time.sleep(POLL_S)
        raise AssertionError(f"{pattern!r} did not appear within {timeout:.0f} s; the screen is:\n{self.screen()}")

    def _run(self, *arguments: str, environ: Mapping[str, str] | None = None, check: bool = True) -> str:
        done = subprocess.run(
            [*self._tmux, *arguments],
            env=environ or os.environ,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"tmux {arguments[0]}: {done.stderr.strip()}")
        return done.stdout


def skip_first_run_dialogs(home: Path, project: Path) -> None:
    """Claude Code 2.1.197 and 2.1.329 go straight to the prompt when this stands in ~/.claude.json."""
    state = {"hasCompletedOnboarding": True, "projects": {str(project): {"hasTrustDialogAccepted": True}}}
    (home / ".claude.json").write_text(json.dumps(state))
