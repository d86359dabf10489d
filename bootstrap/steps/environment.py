"""A Python environment of claudex's own, by uv when it is there, else by venv and pip."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .console import Console, Outcome, StepFailed, already, done, would

ROOT = Path(__file__).resolve().parents[2]
CONSTRAINTS = ROOT / "bootstrap" / "constraints.txt"
VERIFY = "import claudex.wrapper.launch, claudex; print(claudex.__version__)"


def python_of(venv: Path) -> Path:
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def usable(venv: Path) -> bool:
    """The environment's interpreter runs and is of the version that runs us."""
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run([python_of(venv), "-c", ask], capture_output=True, text=True, timeout=60)
    except OSError:
        return False
    return answer.stdout.strip() == f"{sys.version_info.major}.{sys.version_info.minor}"


def create(console: Console, venv: Path) -> str:
    """Make the environment anew unless it is usable. Says what made it ("" when nothing had to be)."""
    if usable(venv):
        return ""
    venv.parent.mkdir(parents=True, exist_ok=True)
    if uv := shutil.which("uv"):
        argv = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(venv)]
        if console.attempt(argv, "creating").returncode == 0:
            return "uv"
    if importlib.util.find_spec("ensurepip") is None:
        raise StepFailed(f"{sys.executable} cannot make environments: it lacks ensurepip.", _ensurepip_hint())
    console.run([sys.executable, "-m", "venv", "--clear", str(venv)], "creating")
    return "venv"


def _ensurepip_hint() -> str:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if Path("/etc/debian_version").exists():
        return f"On Debian and Ubuntu: apt install python{version}-venv   (or install uv), then run this again."
    return "Install your system's package with the venv module (or uv), then run this again."


def install(console: Console, venv: Path, requirements: Sequence[str], *, fresh: str = "claudex") -> str:
    """Install `requirements` within our pins. `fresh` is always built anew. Says which tool did it."""
    python = str(python_of(venv))
    if uv := shutil.which("uv"):
        argv = [uv, "pip", "install", "--quiet", "--python", python, "--constraints", str(CONSTRAINTS)]
        if console.attempt([*argv, "--reinstall-package", fresh, *requirements], "installing").returncode == 0:
            return "uv"
    if importlib.util.find_spec("ensurepip") is not None:
        console.attempt([python, "-m", "ensurepip", "--default-pip"], "installing pip")
    argv = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", str(CONSTRAINTS)]
    console.run([*argv, *requirements], "installing")
    return "pip"


def installed_version(venv: Path) -> str | None:
    """The version of claudex in the environment, or None. Asked from `/`, so that a checkout cannot answer for it."""
    try:
        answer = subprocess.run([python_of(venv), "-c", VERIFY], capture_output=True, text=True, cwd="/", timeout=60)
    except OSError:
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def ensure(console: Console, venv: Path, source: str, *, dry_run: bool) -> Outcome:
    """Step: the environment with claudex in it. `source` is a checkout, a wheel or a requirement."""
    before = installed_version(venv)
    if dry_run:
        verb = f"bring {before} up to date" if before else "create"
        return would(f"{verb} in {venv} from {source}")
    maker = create(console, venv)
    tool = install(console, venv, [source])
    version = installed_version(venv)
    if version is None:
        raise StepFailed(
            f"claudex was installed into {venv}, but cannot be imported there.", "Remove it and try again."
        )
    if not maker and before == version:
        return already(f"claudex {version} in {venv}, installed again from {source}")
    return done(f"claudex {version} in {venv} (by {maker + ' and ' if maker and maker != tool else ''}{tool})")
