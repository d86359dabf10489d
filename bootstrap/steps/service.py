"""The home, the login, the proxy and the probe, done by the claudex that has just been installed."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .console import Console, Outcome, StepFailed, already, done, skipped, tail, would
from .environment import python_of
from .places import Places

INSIDE = Path(__file__).with_name("inside.py")
LOGIN_NEEDED = 5  # exit code of claudex's commands: run `codex login`


@dataclass(frozen=True)
class Answer:
    """What a command of claudex said: its exit code, its JSON document and its reason on stderr."""

    code: int
    document: dict[str, Any]
    reason: str


@dataclass(frozen=True)
class Stack:
    """The installed claudex with the environment that its commands run in."""

    places: Places
    environ: Mapping[str, str]

    def claudex(self, *words: str, timeout: float = 180) -> Answer:
        program = python_of(self.places.venv).with_name("claudex")
        result = self._run([str(program), *words, "--json"], timeout)
        return Answer(result.returncode, _document(result.stdout), tail(result.stderr))

    def inside(self, *words: str) -> Any:
        result = self._run([str(python_of(self.places.venv)), "-P", str(INSIDE), *words], 60)
        if result.returncode:
            raise StepFailed(tail(result.stderr) or f"{words[0]} ended with {result.returncode}")
        return json.loads(result.stdout)

    def _run(self, argv: list[str], timeout: float) -> "subprocess.CompletedProcess[str]":
        environ = {**self.environ, "CLAUDEX_GATEWAY_HOME": str(self.places.home)}
        try:
            return subprocess.run(
                argv, capture_output=True, text=True, env=environ, stdin=subprocess.DEVNULL, cwd="/", timeout=timeout
            )
        except subprocess.TimeoutExpired as error:
            raise StepFailed(f"`claudex {' '.join(argv[1:])}` did not end within {timeout:.0f} s.") from error


def _document(output: str) -> dict[str, Any]:
    try:
        document = json.loads(output)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def home(stack: Stack, *, dry_run: bool) -> Outcome:
    """Step: directories, token, config.toml and env file, where they are missing."""
    place = stack.places.home
    if dry_run:
        return would(f"{'complete' if place.is_dir() else 'create'} {place}")
    made = stack.inside("prepare", str(place))
    if not made["created"]:
        return already(f"{place} is complete")
    return done(f"{place}, env file {made['env_file']}")


def login(stack: Stack, *, dry_run: bool) -> Outcome:
    """Step: take the official login over for the proxy. No login is no failure of the set-up."""
    source = stack.places.codex_home / "auth.json"
    if dry_run:
        return would(f"read {source}" if source.exists() else f"find no login at {source}: `codex login` makes one")
    answer = stack.claudex("sync-auth")
    if answer.code == LOGIN_NEEDED:
        return skipped(f"{answer.reason.removeprefix('claudex: ')}")
    if answer.code:
        raise StepFailed(answer.reason or f"`claudex sync-auth` ended with {answer.code}")
    return done(f"the login of {source}")


def start(stack: Stack, *, dry_run: bool) -> Outcome:
    """Step: the proxy runs."""
    if dry_run:
        return would("start the proxy on 127.0.0.1 (port 8327, unless CLAUDEX_PORT or config.toml names another)")
    answer = stack.claudex("start")
    if answer.code:
        raise StepFailed(answer.reason or f"`claudex start` ended with {answer.code}")
    pid = answer.document.get("pid")
    return done(f"runs{f' as pid {pid}' if pid else ''}; `claudex status` shows it")


def probe(console: Console, stack: Stack, *, dry_run: bool) -> Outcome:
    """Step: one real, small turn through everything."""
    if dry_run:
        return would("send a small request through the proxy to ChatGPT and back")
    answer = stack.claudex("probe", timeout=300)
    if answer.code:
        raise StepFailed(answer.reason or f"`claudex probe` ended with {answer.code}")
    return done("health, a streamed answer, a tool round trip, token count and models all work")
