"""Where the set-up puts things, and the list of what it made, for `claudex self uninstall`."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from claudex import files, paths

PROGRAM_NAME = "claudex-gateway-program"
MANIFEST_NAME = "install.json"


@dataclass(frozen=True)
class Places:
    """`program` holds what can be thrown away and installed again; `home` holds the user's settings and state."""

    program: Path
    home: Path
    wrapper: Path
    codex_home: Path
    user_home: Path

    @property
    def venv(self) -> Path:
        return self.program / "venv"

    @property
    def npm_prefix(self) -> Path:
        return self.program / "npm"

    @property
    def manifest(self) -> Path:
        return self.home / MANIFEST_NAME


def locate(environ: Mapping[str, str] = os.environ) -> Places:
    """A fresh set-up always gets a home of its own name, even beside an older stack's."""
    data = Path(paths.data_home(environ))
    home = Path(paths.home(environ)) if environ.get(paths.HOME_VARIABLE) else data / paths.HOME_NAME
    return Places(
        program=data / PROGRAM_NAME,
        home=home,
        wrapper=Path(paths.wrapper(environ)).expanduser().absolute(),
        codex_home=Path(paths.codex_home(environ)),
        user_home=Path(paths.user_home(environ)),
    )


@dataclass
class Manifest:
    """`files` were made by us and go with us; `backups` maps what we replaced to where it went.

    `taken_over` names the env files of older stacks that were read already.
    """

    files: list[str] = field(default_factory=list)
    environment: str = ""
    npm_prefix: str = ""
    npm_packages: list[str] = field(default_factory=list)
    backups: dict[str, str] = field(default_factory=dict)
    taken_over: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        """What an earlier run wrote; empty when there is none or it cannot be read."""
        try:
            stored: Any = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{name: stored[name] for name in cls.__dataclass_fields__ if name in stored})
        except (OSError, ValueError, TypeError):
            return cls()

    def add(self, path: Path) -> None:
        if str(path) not in self.files:
            self.files.append(str(path))

    def write(self, path: Path) -> None:
        files.private_dir(path.parent)
        files.write_private(path, json.dumps(vars(self), indent=2) + "\n")
