"""Where the real programs are, and a world in which they may run: a scratch HOME, no updates, no way home."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bootstrap.steps.pins import CLAUDE, CLAUDE_OLDER, CODEX, Pin
from bootstrap.steps.testbed import CLIENTS_VARIABLE, cache

# Read at import: the tests' own HOME is a scratch one.
CLIENTS = Path(os.environ.get(CLIENTS_VARIABLE) or cache() / "clients")
CLAUDES = (CLAUDE, CLAUDE_OLDER)

# claude under test: no updater, no telemetry, root allowed, plain text.
QUIET = {
    "DISABLE_UPDATES": "1",
    "DISABLE_AUTOUPDATER": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "IS_SANDBOX": "1",
    "NO_COLOR": "1",
}
# Of the caller's environment; everything else would be the caller's claude, codex or proxy leaking in.
KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "TERM", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")


def program(pin: Pin) -> str:
    """The pinned program's path; the test is skipped, saying why, when it is not there."""
    path = CLIENTS / pin.folder / "bin" / pin.command
    if not path.exists():
        pytest.skip(
            f"{pin.command} {pin.version} is not in {CLIENTS}: `python3 bootstrap/test.py --set-up-only` gets it"
        )
    return str(path)


def codex() -> str:
    return program(CODEX)


def safe_environ(home: Path, **more: str) -> dict[str, str]:
    """An environment for the real programs with `home` as HOME."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, **QUIET, "HOME": str(home), "TERM": kept.get("TERM", "xterm-256color"), **more}


def run(
    argv: list[str], environ: dict[str, str], cwd: Path, timeout: float = 120, stdin: str | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run to the end. What hangs is ended, and the test fails with what it had said."""
    source = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
    return subprocess.run(argv, env=environ, cwd=cwd, capture_output=True, text=True, timeout=timeout, **source)  # type: ignore[call-overload,no-any-return]


def repository(path: Path) -> Path:
    """A scratch git repository with one file in it."""
    path.mkdir(parents=True)
    (path / "README.md").write_text("# Scratch\n")
    git = shutil.which("git")
    if git:
        subprocess.run([git, "init", "-q", str(path)], check=True)
    return path
