"""What the set-up says while it works: one line a step, a clock on what takes longer than a second, no traceback."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

NAME_WIDTH = 14
TICK_S = 0.2
QUIET_TICK_S = 15.0
TAIL_LINES = 12


class StepFailed(Exception):
    """A step could not be done. `hint` is what the user can do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Outcome:
    """What a step came to: `word` is done, already, would, skipped or note."""

    word: str
    detail: str


def done(detail: str) -> Outcome:
    return Outcome("done", detail)


def already(detail: str) -> Outcome:
    return Outcome("already", detail)


def would(detail: str) -> Outcome:
    return Outcome("would", detail)


def skipped(detail: str) -> Outcome:
    return Outcome("skipped", detail)


@dataclass
class Console:
    yes: bool = False
    out: TextIO = field(default_factory=lambda: sys.stdout)
    _label: str = ""

    @property
    def live(self) -> bool:
        return self.out.isatty() and os.environ.get("TERM") != "dumb"

    def say(self, text: str = "") -> None:
        self.out.write(text + "\n")
        self.out.flush()

    def step(self, name: str, work: Callable[[], Outcome]) -> Outcome:
        """Do `work` and say what it came to, with its time when that is worth saying."""
        self._label = name
        started = time.monotonic()
        outcome = work()
        self._clear()
        elapsed = time.monotonic() - started
        seconds = f"  ({elapsed:.0f} s)" if elapsed >= 1 and outcome.word == "done" else ""
        self.say(f"  {name:<{NAME_WIDTH}} {outcome.word}: {tilde(outcome.detail)}{seconds}")
        return outcome

    def failed(self, failure: StepFailed) -> None:
        self._clear()
        self.say(f"  {self._label:<{NAME_WIDTH}} failed: {tilde(failure.message)}")
        for line in failure.hint.splitlines():
            self.say(f"    {tilde(line)}")

    def ask(self, question: str) -> bool:
        """Yes with `--yes`; no where nobody can answer."""
        if self.yes:
            return True
        if not sys.stdin.isatty():
            return False
        self._clear()
        return input(f"  {question} [y/N] ").strip().lower() in ("y", "yes")

    def run(
        self, argv: Sequence[str], what: str, *, env: Mapping[str, str] | None = None, cwd: str | Path | None = None
    ) -> str:
        """Run a program to its end, showing the clock; its output, or StepFailed with the last lines of it."""
        result = self.attempt(argv, what, env=env, cwd=cwd)
        if result.returncode:
            raise StepFailed(f"`{' '.join(argv)}` ended with {result.returncode}", tail(result.stdout))
        return result.stdout

    def attempt(
        self, argv: Sequence[str], what: str, *, env: Mapping[str, str] | None = None, cwd: str | Path | None = None
    ) -> "subprocess.CompletedProcess[str]":
        try:
            process = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=dict(env) if env is not None else None,
                cwd=cwd,
                text=True,
                errors="replace",
            )
        except OSError as error:
            raise StepFailed(f"cannot run {argv[0]}: {error.strerror}") from error
        output, code = self._wait(process, what)
        return subprocess.CompletedProcess(list(argv), code, output)

    def _wait(self, process: "subprocess.Popen[str]", what: str) -> tuple[str, int]:
        started = time.monotonic()
        try:
            while True:
                try:
                    output, _ = process.communicate(timeout=TICK_S if self.live else QUIET_TICK_S)
                except subprocess.TimeoutExpired:
                    self._tick(what, time.monotonic() - started)
                    continue
                return output, process.returncode
        except BaseException:
            process.kill()
            process.wait()
            raise

    def _tick(self, what: str, elapsed: float) -> None:
        line = f"  {self._label:<{NAME_WIDTH}} {what} ... {elapsed:.0f} s"
        if self.live:
            self.out.write(f"\r\x1b[K{line}")
            self.out.flush()
        else:
            self.say(line)

    def _clear(self) -> None:
        if self.live:
            self.out.write("\r\x1b[K")
            self.out.flush()


def tilde(text: str) -> str:
    """Paths under the home directory as people write them."""
    home = os.path.expanduser("~")
    return text.replace(home + os.sep, "~" + os.sep) if home not in ("", "/") else text


def tail(output: str) -> str:
    return "\n".join(output.rstrip().splitlines()[-TAIL_LINES:])
