"""Several processes, one auth.json."""

import json
import random
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from claudex.codex.credentials import read_login
from claudex.simulator import Simulator

ROOT = Path(__file__).parents[2]


@contextmanager
def renewer(mode: str, codex_home: Path, home: Path, sim: Simulator) -> Iterator[subprocess.Popen[str]]:
    environ = {**sim.environ(codex_home), "HOME": str(home), "PATH": "/usr/bin:/bin"}
    argv = [sys.executable, "-m", "tests.codex.renewer", mode, str(codex_home), str(home)]
    process = subprocess.Popen(
        argv, cwd=ROOT, env=environ, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_two_processes_that_refresh_at_once_make_one_call_and_end_with_one_token(codex_home: Path, home: Path) -> None:
    with Simulator.threaded() as sim:
        sim.login(codex_home, expires_in=-10)
        with renewer("once", codex_home, home, sim) as one, renewer("once", codex_home, home, sim) as two:
            go(one)
            go(two)
            tokens = [process.communicate(timeout=20)[0].strip() for process in (one, two)]
        assert sim.refresh_attempts == 1
        assert tokens[0] == tokens[1] == read_login(codex_home).access_token
        assert sim.violations == []


@pytest.mark.parametrize("times", [4, pytest.param(50, marks=[pytest.mark.slow, pytest.mark.timeout(300)])])
def test_the_file_parses_after_every_kill_in_the_middle_of_a_refresh(codex_home: Path, home: Path, times: int) -> None:
    chance = random.Random(times)
    with Simulator.threaded(grace=3600.0) as sim:
        sim.login(codex_home)
        for _ in range(times):
            before = sim.refreshes
            with renewer("forever", codex_home, home, sim) as process:
                go(process)
                deadline = time.monotonic() + 10
                while sim.refreshes == before and time.monotonic() < deadline:
                    time.sleep(0.001)
                time.sleep(chance.uniform(0, 0.05))
            assert sim.refreshes > before
            json.loads((codex_home / "auth.json").read_text())
            assert read_login(codex_home).access_token
            assert stat.S_IMODE((codex_home / "auth.json").stat().st_mode) == 0o600
        with renewer("once", codex_home, home, sim) as process:
            go(process)
            assert process.communicate(timeout=20)[0].strip() == read_login(codex_home).access_token
