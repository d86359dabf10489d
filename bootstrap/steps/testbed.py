"""What the tests stand on: an environment with the pinned tools, the real clients, and a few shells."""

import hashlib
import os
import shutil
import sys
import tomllib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from . import clients, environment
from .console import Console, Outcome, StepFailed, already, done, skipped
from .pins import TESTED, Pin

CACHE_VARIABLE = "CLAUDEX_TEST_CACHE"
CLIENTS_VARIABLE = "CLAUDEX_TEST_CLIENTS"
STAMP = "claudex-tests.stamp"

# Debian package -> the program that the end-to-end tests drive. PowerShell is not in Debian: its tests skip without it.
DEBIAN = {"zsh": "zsh", "fish": "fish", "tmux": "tmux"}


@dataclass(frozen=True)
class Testbed:
    venv: Path
    environ: dict[str, str]


def cache() -> Path:
    base = os.environ.get(CACHE_VARIABLE)
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "claudex-tests"
    return Path(base) if base else default


def prepare(console: Console, root: Path, *, clients: bool) -> Testbed:
    """The environment for this checkout and this Python, and where the clients are."""
    folder = cache()
    place = hashlib.blake2s(str(root).encode(), digest_size=4).hexdigest()
    venv = folder / f"py{sys.version_info.major}.{sys.version_info.minor}-{place}"
    console.say("claudex test set-up\n")
    console.step("environment", partial(_environment, console, root, venv))
    home = Path(os.environ.get(CLIENTS_VARIABLE) or folder / "clients")
    if clients:
        for pin in TESTED:
            console.step(f"{pin.command} {pin.version}", partial(_client, console, pin, home / pin.folder))
        console.step("shells", partial(_shells, console))
    return Testbed(venv, {CLIENTS_VARIABLE: str(home), "PYTHONDONTWRITEBYTECODE": ""})


def _environment(console: Console, root: Path, venv: Path) -> Outcome:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    requirements = project["dependency-groups"]["dev"]
    recipe = f"{root}\n{requirements}\n{project['project']}\n{environment.CONSTRAINTS.read_text('utf-8')}"
    stamp = venv / STAMP
    if environment.usable(venv) and stamp.exists() and stamp.read_text("utf-8") == recipe:
        return already(str(venv))
    environment.create(console, venv)
    tool = environment.install(console, venv, ["--editable", str(root), *requirements])
    stamp.write_text(recipe, "utf-8")
    return done(f"{venv} (by {tool})")


def _client(console: Console, pin: Pin, prefix: Path) -> Outcome:
    """One version of one client in a prefix of its own. Without npm its tests skip, and say so."""
    program = prefix / "bin" / pin.command
    if clients.version_of(str(program)):
        return already(str(program))
    npm = shutil.which("npm")
    if npm is None:
        return skipped(f"npm is missing, so the tests with {pin.command} are skipped. {clients.NODE_HINT}")
    clients.install(console, npm, pin, prefix)
    return done(str(program))


def _shells(console: Console) -> Outcome:
    missing = [package for package, program in DEBIAN.items() if shutil.which(program) is None]
    if not missing:
        return already(", ".join(DEBIAN.values()))
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return skipped(f"without {', '.join(missing)} their tests are skipped")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        console.run([apt, "-q", "update"], "apt-get update", env=quiet)
        console.run([apt, "-q", "install", "-y", "--no-install-recommends", *missing], "installing", env=quiet)
    except StepFailed as failure:
        return skipped(f"without {', '.join(missing)} their tests are skipped ({failure.message})")
    return done(", ".join(missing))
