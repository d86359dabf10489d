"""Older stacks: found, and their model map taken over. Nothing of theirs is deleted or written to.

They left `cliproxyapi-codex-test` under the data directory, or `claude-code-gpt54.env` inside our own home, and their
proxy (cli-proxy-api) may still hold our port.
"""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from claudex import paths

from .console import Console, Outcome, StepFailed, already, done, skipped, would
from .launcher import backup_name
from .places import Manifest
from .service import Stack

OLD_PROXY = "cli-proxy-api"
STOP_WAIT_S = 10.0


def env_files(home: Path, environ: Mapping[str, str]) -> list[Path]:
    """Env files of older stacks, the one in our own home first."""
    old_home = Path(paths.data_home(environ)) / paths.LEGACY_HOME_NAME
    candidates = [home / paths.LEGACY_ENV_FILE_NAME]
    if old_home != home:
        candidates += [old_home / paths.LEGACY_ENV_FILE_NAME, old_home / paths.ENV_FILE_NAME]
    return [path for path in candidates if path.is_file()]


def ensure(stack: Stack, manifest: Manifest, *, dry_run: bool) -> Outcome:
    """Step: take over what an older stack had set. Each old file is read once, ever."""
    home = stack.places.home
    found = env_files(home, stack.environ)
    if not found:
        return already("none found")
    old = found[0]
    if dry_run:
        return would(f"take the model map of {old} over and leave the rest of that stack alone")
    if str(old) in manifest.taken_over:
        return already(f"{old} was taken over before")
    return _take_over(stack, manifest, old)


def _take_over(stack: Stack, manifest: Manifest, old: Path) -> Outcome:
    home = stack.places.home
    moved = ""
    source = old
    if old.parent == home:
        if stack.inside("fits", str(home)):
            return already(f"{old} is in use and leads to our proxy")
        source = backup_name(old)
        os.rename(old, source)
        stack.inside("prepare", str(home))
        moved = f" (it names another proxy's token, so it is now {source.name})"
    result = stack.inside("carry", str(home), str(source))
    manifest.taken_over.append(str(old))
    carried = ", ".join(f"{name}={value}" for name, value in result["carried"].items()) or "nothing that is still known"
    left = ", ".join(f"{name}={value}" for name, value in result["left"].items())
    note = f"; our own choice stands for {left}: no such model today" if left else ""
    return done(f"from {old}{moved}: {carried}{note}")


def old_proxy(console: Console, stack: Stack, *, dry_run: bool) -> Outcome | None:
    """Step: an older stack's proxy on our port is asked to end. None when there is none."""
    if dry_run:
        return None
    port = stack.environ.get(paths.PORT_VARIABLE) or str(paths.DEFAULT_PORT)
    owner = stack.inside("owner", port)
    if not owner or OLD_PROXY not in owner["name"]:
        return None
    who = f"{owner['name']} (pid {owner['pid']})"
    if not console.ask(f"The older stack's {who} holds port {port}. Stop it?"):
        return skipped(f"{who} still holds port {port}: stop it, or choose another port with CLAUDEX_PORT")
    os.kill(owner["pid"], signal.SIGTERM)
    deadline = time.monotonic() + STOP_WAIT_S
    while stack.inside("owner", port):
        if time.monotonic() > deadline:
            raise StepFailed(f"{who} did not end.", f"Stop it yourself, then run this again: kill {owner['pid']}")
        time.sleep(0.2)
    return done(f"{who} has ended")
