"""Where this claudex lives: home, port, settings, and the token that proves it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from .. import paths
from ..errors import ClaudexError
from ..home.prepare import read_token
from ..settings import Settings, load


@dataclass(frozen=True)
class Place:
    home: str
    environ: Mapping[str, str]
    settings: Settings

    @property
    def port(self) -> int:
        return self.settings.proxy.port

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def env_file(self) -> str:
        return paths.env_file(self.home)

    @property
    def codex_home(self) -> str:
        return paths.codex_home(self.environ)

    @cached_property
    def token(self) -> str:
        """Raises ClaudexError when there is none."""
        return read_token(self.home)

    @property
    def known_token(self) -> str | None:
        try:
            return self.token
        except ClaudexError:
            return None


def locate(environ: Mapping[str, str] = os.environ) -> Place:
    """Raises SettingsError when config.toml or a variable cannot be used."""
    home = paths.home(environ)
    return Place(home, environ, load(home, environ))
