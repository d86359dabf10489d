"""The README's first command in a fresh HOME, then an ordinary set-up on top, and then all of it taken back."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap.steps.pins import CLAUDE, CODEX

from ..ports import free_port
from . import clients

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 400
COMMAND = re.search(r"^    python3 (bootstrap/install\.py.*)$", (ROOT / "README.md").read_text(), re.M)
DOWNLOADS = ("PIP_", "UV_", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")


@pytest.fixture
def world(tmp_path: Path) -> dict[str, str]:
    """A HOME with nothing in it, and the pinned clients on PATH as if npm had put them there."""
    home, bins = tmp_path / "fresh", tmp_path / "bin"
    home.mkdir()
    bins.mkdir()
    for pin in (CLAUDE, CODEX):
        (bins / pin.command).symlink_to(clients.program(pin))
    network = {name: value for name, value in os.environ.items() if name.startswith(DOWNLOADS)}
    return clients.safe_environ(home, PATH=f"{bins}:/usr/bin:/bin", CLAUDEX_PORT=str(free_port()), **network)


def install(world: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    ran = clients.run([sys.executable, *words], world, ROOT, TIMEOUT_S)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran


@pytest.mark.timeout(TIMEOUT_S * 2)
def test_from_nothing_to_an_answer_and_back_to_nothing(world: dict[str, str]) -> None:
    assert COMMAND
    first = install(world, *COMMAND[1].split()).stdout
    assert "SIMULATED" in first
    assert re.search(r"^  claude: .*Write: File created", first, re.M | re.S), first
    assert "claudex is set up." in first

    second = install(world, "bootstrap/install.py", "--yes", "--no-clients").stdout
    assert "environment    already" in second
    assert "login          skipped" in second
    home = Path(world["HOME"])
    command = str(home / ".local" / "bin" / "claudex")
    status = clients.run([command, "status", "--json"], world, home)
    assert status.returncode == 0, status.stdout + status.stderr

    gone = clients.run([command, "self", "uninstall", "--yes"], world, home)
    assert gone.returncode == 0, gone.stdout + gone.stderr
    assert list((home / ".local").rglob("claudex*")) == []
