"""`claudex self uninstall`: take away what claudex made, and nothing that anyone else made."""

from __future__ import annotations

import io
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from .. import paths
from ..errors import ClaudexError, PortHeld
from . import render, stop
from .place import Place

if TYPE_CHECKING:
    from rich.console import RenderableType

# What claudex writes under its home. Everything else there is someone else's and stays.
OURS = (
    "config.toml",
    paths.ENV_FILE_NAME,
    "auth/proxy-token",
    "auth/codex-current.json",
    "auth",
    "accounts",
    "run",
    "logs",
    "models.json",
    "state.json",
    "install.json",
)
SHARED_WITH_OLDER_STACKS = ("auth/codex-current.json",)
WHOLE = ("accounts", "run", "logs")
KEPT = ("usage.db",)
PROGRAM = "claudex-gateway-program"  # bootstrap's directory for the environment and the npm prefix


class Manifest(msgspec.Struct):
    """`install.json`, written by bootstrap: what it made outside the home, and what it set aside for that."""

    files: list[str] = []
    environment: str | None = None
    npm_prefix: str | None = None
    backups: dict[str, str] = {}


@dataclass(frozen=True)
class Uninstalled:
    """`done` is False when this only says what would happen."""

    done: bool
    remove: list[str]
    restore: dict[str, str]
    keep: list[str]
    note: str


def plan(place: Place) -> Uninstalled:
    """What would be removed, restored and kept; nothing is touched."""
    manifest = _manifest(place)
    outside = [path for path in manifest.files if os.path.islink(path) or os.path.isfile(path)]
    folders = [path for path in (manifest.npm_prefix, manifest.environment) if path and _disposable(path)]
    kept = [str(path) for name in KEPT if (path := Path(place.home, name)).exists()]
    restore = {to: saved for to, saved in manifest.backups.items() if os.path.lexists(saved)}
    return Uninstalled(
        False, outside + _inside(place.home) + folders, restore, kept + _foreign(place.home), _note(manifest)
    )


def run(place: Place, *, quiet: bool = False) -> Uninstalled:
    """Stop the proxy, then remove. The environment that this very program runs in goes last."""
    with suppress(PortHeld):  # another program's port: there is nothing of ours to stop
        stop.run(place, quiet=quiet)
    todo = plan(place)  # after the stop: the proxy writes its last files then
    render.console(io.StringIO()).print(view(todo))  # loads what is needed to say it when the environment is gone
    for path in todo.remove:
        _remove(Path(path))
    for to, saved in todo.restore.items():
        os.replace(saved, to)
    return replace(todo, done=True)


def _manifest(place: Place) -> Manifest:
    path = Path(place.home, "install.json")
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        return Manifest()
    except (OSError, msgspec.MsgspecError) as error:
        raise ClaudexError(
            f"{path}: {error}", hint="Mend or delete it; without it only the home is removed."
        ) from error


def _inside(home: str) -> list[str]:
    shared = SHARED_WITH_OLDER_STACKS if os.path.basename(home) == paths.LEGACY_HOME_NAME else ()
    names = [name for name in OURS if name not in shared and os.path.lexists(os.path.join(home, name))]
    here = [home] if os.path.isdir(home) else []
    return [os.path.join(home, name) for name in names] + here


def _foreign(home: str) -> list[str]:
    known = (
        {name.split("/")[0] for name in OURS}
        | set(KEPT)
        | {f"{name}-{part}" for name in KEPT for part in ("wal", "shm")}
    )
    names = sorted(os.listdir(home)) if os.path.isdir(home) else []
    return [os.path.join(home, name) for name in names if name not in known]


def _disposable(path: str) -> bool:
    """A virtual environment, or the npm prefix that bootstrap keeps beside it; never a directory of another kind."""
    folder = Path(path)
    return folder.is_absolute() and ((folder / "pyvenv.cfg").is_file() or folder.name == "npm") and folder.is_dir()


def _remove(path: Path) -> None:
    """A directory that still holds something of others stays."""
    try:
        if path.is_symlink() or not path.is_dir():
            path.unlink(missing_ok=True)
        elif path.name in WHOLE or _disposable(str(path)):
            shutil.rmtree(path)
            if path.parent.name == PROGRAM and not any(path.parent.iterdir()):
                path.parent.rmdir()
        elif not any(path.iterdir()):
            path.rmdir()
    except OSError as error:
        raise ClaudexError(f"cannot remove {path}: {error.strerror}") from error


def _note(manifest: Manifest) -> str:
    untouched = "~/.codex and ~/.claude are never touched."
    own = "" if manifest.environment else " The program itself goes with the tool that installed it (pip, pipx, uv)."
    return untouched + own


def view(result: Uninstalled) -> RenderableType:
    lines = ["removed:" if result.done else "will be removed:"]
    lines += [f"  {path}" for path in result.remove] or ["  nothing: there is no home"]
    if result.restore:
        lines += ["put back:" if result.done else "will be put back:"]
        lines += [f"  {to}" for to in result.restore]
    if result.keep:
        lines += ["kept:", *(f"  {path}" for path in result.keep)]
    return "\n".join([*lines, result.note])
