"""What the tests of faults share: one prompt asked of the real claude, timed, and what the two ends saw of it."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from claudex.simulator import Call, Recorded, Turn, turn
from claudex.simulator.script import Playable, as_turn

from .conftest import CLAUDEX, Stack

TOOLS = ("--allowedTools", "Write,Bash,Read", "--permission-mode", "acceptEdits")
# So that a test which fails does so in seconds; claude's own are ten, spread over three minutes.
FEW_RETRIES = {"CLAUDE_CODE_MAX_RETRIES": "2"}


@dataclass(frozen=True)
class Asked:
    """How a `claudex -p` ended. `said` is what a person would have read on stdout."""

    code: int
    said: str
    stderr: str
    seconds: float

    def __str__(self) -> str:
        return f"exit {self.code} after {self.seconds:.1f} s\n{self.said}\n{self.stderr}"


@dataclass(frozen=True)
class Client:
    """One of the real claudes in one repository, started by `claudex`."""

    stack: Stack
    program: str
    cwd: Path

    def ask(self, prompt: str, *words: str, timeout: float = 100, **environ: Any) -> Asked:
        began = time.monotonic()
        done = self.stack.claudex(
            "-p",
            prompt,
            *TOOLS,
            *words,
            claude=self.program,
            cwd=self.cwd,
            timeout=timeout,
            **{**FEW_RETRIES, **environ},
        )
        return Asked(done.returncode, done.stdout.strip(), done.stderr.strip(), time.monotonic() - began)

    @staticmethod
    def wait(happened: Callable[[], bool], within: float = 30.0) -> None:
        """For what another process does, and what can only be polled for."""
        deadline = time.monotonic() + within
        while not happened():
            assert time.monotonic() < deadline, "what was waited for did not happen"
            time.sleep(0.05)

    def interrupt(self, prompt: str, *, after: Callable[[], bool], within: float = 30.0) -> float:
        """SIGINT once `after` is true; the seconds that claude then took to end."""
        environ = {**self.stack.environ, **FEW_RETRIES, "CLAUDE_BIN": self.program}
        running = subprocess.Popen(
            [CLAUDEX, "-p", prompt],
            env=environ,
            cwd=self.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            self.wait(after, within)
            began = time.monotonic()
            running.send_signal(signal.SIGINT)
            running.communicate(timeout=within)
            return time.monotonic() - began
        finally:
            running.kill()
            running.communicate()

    def answer(self, prompt: str, *words: str, **environ: Any) -> dict[str, Any]:
        """The JSON result of a prompt that must work."""
        asked = self.ask(prompt, *words, "--output-format", "json", **environ)
        assert asked.code == 0, f"{asked}\n{self.stack.log()}"
        found: dict[str, Any] = json.loads(asked.said)
        return found


def is_agent(request: Recorded) -> bool:
    """The agent's own request: titles and summaries of web pages offer no Bash."""
    return b'"name":"Bash"' in request.data


def agent(played: Playable) -> Turn:
    """A turn that only the agent's own request gets."""
    found = as_turn(played)
    before = found.when
    if before is None:
        return replace(found, when=is_agent)
    return replace(found, when=_both(before))


def _both(before: str | Callable[[Recorded], bool]) -> Callable[[Recorded], bool]:
    if callable(before):
        return lambda request: is_agent(request) and before(request)
    return lambda request: is_agent(request) and before in request.user


def asked_of(stack: Stack) -> list[Recorded]:
    """The agent's requests as they reached the backend, in order."""
    return [request for request in stack.simulator.requests if is_agent(request)]


def mark(name: str) -> Turn:
    """A turn with one call, which can be counted: it appends `name` to ran.txt."""
    return turn(Call("Bash", {"command": f"echo {name} >> ran.txt", "description": f"Leave the mark {name}"}))


def marks(cwd: Path) -> list[str]:
    """The marks of the calls that were carried out, in order."""
    path = cwd / "ran.txt"
    return path.read_text().split() if path.exists() else []


def lines(stack: Stack, event: str = "request", **facts: object) -> list[dict[str, Any]]:
    """Log lines of this kind with these facts, oldest first. A line is written once its answer has gone out."""
    Client.wait(lambda: not busy(stack))
    found = [json.loads(line) for line in stack.log().splitlines() if line.startswith("{")]
    return [line for line in found if line["event"] == event and facts.items() <= line.items()]


def busy(stack: Stack) -> bool:
    """Whether a request is still in flight; a proxy that is gone is not busy."""
    try:
        with urlopen(f"http://127.0.0.1:{stack.port}/healthz", timeout=5) as answer:
            return bool(json.load(answer)["in_flight"])
    except OSError:
        return False


def messages(stack: Stack) -> list[dict[str, Any]]:
    """The log lines of the model calls."""
    return [line for line in lines(stack) if line["route"] == "messages"]


def explained(stack: Stack, text: str) -> str:
    """What `claudex self logs ID` says of the id in this refusal."""
    before, word, rest = text.partition("claudex self logs req_")
    assert word, f"the refusal names no request: {before}"
    request_id = "req_" + rest[:24]
    done = stack.claudex("self", "logs", request_id)
    assert done.returncode == 0, done.stderr
    assert request_id in done.stdout
    return " ".join(done.stdout.split())
