"""The small words of `claudex self`: token, version, completions."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from .. import __version__, paths
from ..errors import ClaudexError
from ..wrapper import claude
from .place import Place

# shell -> file in completions/
SHELLS = {"bash": "claudex.bash", "zsh": "_claudex", "fish": "claudex.fish", "powershell": "claudex.ps1"}


@dataclass(frozen=True)
class Token:
    token: str


@dataclass(frozen=True)
class Version:
    version: str
    python: str
    package: str
    claude: str | None


@dataclass(frozen=True)
class Completions:
    shell: str
    script: str


class UnknownShell(ClaudexError):
    exit_code = 2


def token(place: Place) -> Token:
    return Token(place.token)


def version(place: Place) -> Version:
    try:
        program: str | None = claude.find(place.environ)
    except ClaudexError:
        program = None
    return Version(__version__, platform.python_version(), str(Path(__file__).parent.parent), program)


def completions(shell: str) -> Completions:
    if shell not in SHELLS:
        raise UnknownShell(f"there are no completions for {shell!r}: choose {', '.join(SHELLS)}.")
    path = os.path.join(paths.share("completions"), SHELLS[shell])
    try:
        return Completions(shell, Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ClaudexError(f"cannot read {path}: {error.strerror}", hint="Install claudex again.") from error
