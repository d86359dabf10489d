"""`claude` and `codex`: found, or installed from npm at the versions that claudex is tested with."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from .console import Console, Outcome, StepFailed, already, done, skipped, tail, would
from .launcher import is_ours
from .pins import INSTALLED, Pin
from .places import Manifest, Places

NODE_HINT = (
    "Install Node.js 22 or newer (Debian: apt install nodejs npm; macOS: brew install node), then run this again."
)
QUIET = ("--logs-max=0", "--no-fund", "--no-audit", "--no-update-notifier", "--loglevel=error")
NAMED_BY = {"claude": "CLAUDE_BIN", "codex": "CODEX_BIN"}
POSTINSTALL = "install.cjs"


def find(command: str, environ: Mapping[str, str], *extra: Path) -> str | None:
    """The program as claudex will find it: `$CLAUDE_BIN` or `$CODEX_BIN`, PATH, then the folders named here."""
    if named := environ.get(NAMED_BY[command]):
        return named
    folders = [*environ.get("PATH", os.defpath).split(os.pathsep), *map(str, extra)]
    for folder in folders:
        found = shutil.which(command, path=folder or ".")
        if found and not is_ours(Path(os.path.realpath(found))):
            return found
    return None


def version_of(program: str) -> str:
    """What `--version` says, or "" when the program does not run."""
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""


def ensure(
    console: Console, places: Places, manifest: Manifest, environ: Mapping[str, str], *, dry_run: bool
) -> list[Outcome]:
    """Step, for each of the two programs."""
    return [
        console.step(pin.command, partial(_one, console, pin, places, manifest, environ, dry_run)) for pin in INSTALLED
    ]


def _one(
    console: Console, pin: Pin, places: Places, manifest: Manifest, environ: Mapping[str, str], dry_run: bool
) -> Outcome:
    present = find(pin.command, environ, places.wrapper.parent)
    if present and (version := version_of(present)):
        return already(f"{version} at {present}")
    npm = shutil.which("npm", path=environ.get("PATH"))
    if npm is None:
        return skipped(f"{pin.command} is missing, and so is npm. {NODE_HINT}")
    prefix = global_prefix(npm) or places.npm_prefix
    if dry_run:
        return would(f"offer to install {pin.spec} from npm into {prefix}")
    if not console.ask(f"Install {pin.spec} from npm into {prefix}?"):
        return skipped(f"{pin.command} is missing: npm install -g {pin.spec}")
    program = install(console, npm, pin, prefix)
    if prefix == places.npm_prefix:
        manifest.npm_prefix = str(prefix)
    if find(pin.command, environ) is None:
        program = _link(program, places, manifest)
    if pin.package not in manifest.npm_packages:
        manifest.npm_packages.append(pin.package)
    return done(f"{version_of(str(program))} at {program}")


def global_prefix(npm: str) -> Path | None:
    """npm's global prefix, if this user may write there."""
    with TemporaryDirectory() as cache:  # npm makes its cache whatever it is asked, and a dry run touches nothing
        question = [npm, "prefix", "--global", "--logs-max=0", f"--cache={cache}"]
        answer = subprocess.run(question, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    prefix = Path(answer.stdout.strip() or "/nowhere")
    targets = [prefix / "bin", prefix / "lib" / "node_modules"]
    nearest = [next(folder for folder in (target, *target.parents) if folder.exists()) for target in targets]
    return prefix if answer.returncode == 0 and all(os.access(folder, os.W_OK) for folder in nearest) else None


def install(console: Console, npm: str, pin: Pin, prefix: Path) -> Path:
    """`npm install -g` into `prefix`; the program, which is seen to run."""
    prefix.mkdir(parents=True, exist_ok=True)
    program = prefix / "bin" / pin.command
    console.run([npm, "install", "--global", "--prefix", str(prefix), *QUIET, pin.spec], f"installing {pin.spec}")
    if version_of(str(program)):
        return program
    finish = prefix / "lib" / "node_modules" / pin.package / POSTINSTALL
    if finish.exists():  # npm 11 does not run a package's own install script unless told to
        console.run(["node", str(finish)], f"unpacking {pin.command}")
    if not version_of(str(program)):
        raise StepFailed(f"{pin.spec} was installed, but {program} does not run.", tail(_why(program)))
    return program


def _why(program: Path) -> str:
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return answer.stdout + answer.stderr


def _link(program: Path, places: Places, manifest: Manifest) -> Path:
    """Beside the wrapper, where PATH finds it, unless something stands there."""
    link = places.wrapper.parent / program.name
    if os.path.lexists(link):
        return program
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(program)
    manifest.add(link)
    return link
