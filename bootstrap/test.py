#!/usr/bin/env python3
"""The tests on a bare machine: python3 bootstrap/test.py [--no-e2e] [--slow] [PYTEST ARGUMENTS]

Makes its own environment and installs the real clients under ~/.cache/claudex-tests (or $CLAUDEX_TEST_CACHE), then runs
the style checks, the unit tests in parallel, and the end-to-end tests apart. Needs no login, and the network only for
downloads. With PYTEST ARGUMENTS only those tests run.
"""

import sys

if sys.version_info < (3, 11):
    sys.exit("claudex needs Python 3.11 or newer, and this is %d.%d." % sys.version_info[:2])

import argparse
import os
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bootstrap.steps import testbed
from bootstrap.steps.console import Console, StepFailed
from bootstrap.steps.environment import python_of

STYLE = (
    ("ruff check", ["-m", "ruff", "check", "."]),
    ("ruff format", ["-m", "ruff", "format", "--check", "."]),
    ("mypy", ["-m", "mypy", "--strict"]),
)
# More workers than cores: many tests wait for other processes.
UNIT = ["-m", "pytest", "-q", "-n", "3", "--dist", "worksteal", "-m", "not e2e and not slow"]
END_TO_END = ["-m", "pytest", "-q", "-m", "e2e and not slow"]
SLOW = ["-m", "pytest", "-q", "-m", "slow"]


def arguments(argv: list[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(prog="bootstrap/test.py", description="Check claudex on this machine.")
    parser.add_argument("--no-e2e", action="store_true", help="leave out what drives the real claude, codex and shells")
    parser.add_argument("--slow", action="store_true", help="the slow tests too")
    parser.add_argument(
        "--python", nargs=argparse.REMAINDER, help="run the test environment's Python with what follows"
    )
    parser.add_argument("--set-up-only", action="store_true", help="make the environment and the clients, run nothing")
    return parser.parse_known_args(argv)


def main(argv: list[str]) -> int:
    options, selected = arguments(argv)
    console = Console(yes=True)
    try:
        bed = testbed.prepare(console, ROOT, clients=not options.no_e2e)
    except StepFailed as failure:
        console.failed(failure)
        return 1
    if options.set_up_only:
        return 0
    if options.python:
        return 0 if _run(console, bed, "python", options.python) else 1
    failed = [name for name, words in _runs(options, selected) if not _run(console, bed, name, words)]
    console.say(f"\n{'FAILED: ' + ', '.join(failed) if failed else 'All green.'}")
    return 1 if failed else 0


def _runs(options: argparse.Namespace, selected: list[str]) -> list[tuple[str, list[str]]]:
    if selected:
        return [("tests", ["-m", "pytest", "-q", *selected])]
    runs = [*STYLE, ("unit tests", UNIT)]
    if not options.no_e2e:
        runs.append(("end-to-end tests", END_TO_END))
    if options.slow:
        runs.append(("slow tests", SLOW))
    return runs


def _run(console: Console, bed: testbed.Testbed, name: str, words: list[str]) -> bool:
    console.say(f"\n== {name}")
    started = time.monotonic()
    python = str(python_of(bed.venv))
    code = subprocess.run(
        [python, *words], cwd=ROOT, env={**os.environ, **bed.environ}, stdin=subprocess.DEVNULL
    ).returncode
    console.say(f"== {name}: {'passed' if code == 0 else f'ended with {code}'} in {time.monotonic() - started:.0f} s")
    return code == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
