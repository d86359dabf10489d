"""The whole stack against the simulator: a scratch home, no login, no network, and claude's answer at the end."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import service
from .clients import find
from .console import Console, Outcome, StepFailed, done, tail, would
from .environment import python_of
from .places import Places
from .service import Stack

PROMPT = "write 'Hello from claudex' to hello.txt and run `cat hello.txt`"
TURN_TIMEOUT_S = 180
# claude must not update itself, phone home, or meet the user's own settings while it is shown.
CLAUDE_ENVIRON = {
    "DISABLE_UPDATES": "1",
    "DISABLE_AUTOUPDATER": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "NO_COLOR": "1",
}
DROPPED = ("ANTHROPIC_", "CLAUDE_CODE_", "CLAUDE_CONFIG_DIR", "CLAUDEX_", "CODEX_")


def run(console: Console, places: Places, environ: Mapping[str, str], *, dry_run: bool) -> None:
    """Every step of a real set-up, SIMULATED, then one turn of the real claude."""
    console.say("\nDemonstration (SIMULATED: a stand-in for ChatGPT on this machine answers, no model is asked)\n")
    if dry_run:
        console.step(
            "simulator", lambda: would("start it with a scratch home, probe it, run one `claude -p`, remove all")
        )
        return
    with _scratch() as scratch, _simulator(places, environ, scratch) as facts:
        console.step("simulator", lambda: done(facts["url"]))
        stack = _stack(places, environ, scratch, facts)
        console.step("home", lambda: service.home(stack, dry_run=False))
        console.step("login", lambda: service.login(stack, dry_run=False))
        try:
            console.step("proxy", lambda: service.start(stack, dry_run=False))
            console.step("probe", lambda: service.probe(console, stack, dry_run=False))
            answer = ""

            def turn() -> Outcome:
                nonlocal answer
                answer = _turn(console, stack, scratch)
                return done("claude wrote hello.txt and ran a command")

            console.step("claude -p", turn)
        finally:
            stack.claudex("stop")
    console.say(f"\n  You:    {PROMPT}\n  claude: {answer.replace(chr(10), chr(10) + ' ' * 10)}   [SIMULATED]\n")


@contextmanager
def _scratch() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="claudex-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _simulator(places: Places, environ: Mapping[str, str], scratch: Path) -> Iterator[dict[str, Any]]:
    argv = [
        str(python_of(places.venv)),
        "-P",
        "-m",
        "claudex.simulator",
        "--port",
        "0",
        "--home",
        str(scratch / "codex"),
    ]
    with (scratch / "simulator.log").open("w") as log:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, cwd="/"
        )
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise StepFailed("the simulator did not start.", tail((scratch / "simulator.log").read_text()))
        yield json.loads(line)
    finally:
        process.terminate()
        process.wait(10)


def _stack(places: Places, environ: Mapping[str, str], scratch: Path, facts: dict[str, Any]) -> Stack:
    kept = {name: value for name, value in environ.items() if not name.startswith(DROPPED)}
    claude = find("claude", environ, places.wrapper.parent, places.npm_prefix / "bin")
    if claude is None:
        raise StepFailed("there is no claude to show.", "Install it (npm install -g @anthropic-ai/claude-code).")
    user_home = scratch / "user"
    user_home.mkdir()
    own = {"HOME": str(user_home), "CLAUDE_BIN": claude, "CLAUDEX_PORT": str(_free_port()), **CLAUDE_ENVIRON}
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        own["IS_SANDBOX"] = "1"
    scene = replace(places, home=scratch / "home", codex_home=scratch / "codex", user_home=user_home)
    return Stack(scene, {**kept, **own, **facts["environ"]})


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _turn(console: Console, stack: Stack, scratch: Path) -> str:
    work = scratch / "work"
    work.mkdir()
    argv = [str(stack.places.wrapper), "-p", PROMPT, "--allowedTools", "Write,Bash", "--permission-mode", "acceptEdits"]
    environ = {**stack.environ, "CLAUDEX_GATEWAY_HOME": str(stack.places.home)}
    try:
        result = subprocess.run(
            argv,
            cwd=work,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TURN_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise StepFailed(f"claude did not answer within {TURN_TIMEOUT_S} s.") from error
    if result.returncode or not result.stdout.strip():
        raise StepFailed(f"claude ended with {result.returncode}.", tail(result.stdout + result.stderr))
    if not (work / "hello.txt").exists():
        raise StepFailed("claude answered, but did not write hello.txt.", tail(result.stdout))
    return result.stdout.strip()
