"""Files that may change while we run: settings, env file, token. Looked at before each request, read when they changed.

A file that cannot be used leaves its last good reading in force, and `problems` says so.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from .. import paths, settings
from ..errors import ClaudexError, EnvFileError
from ..settings import Settings
from ..translate.models import ModelMap, model_map
from ..wrapper import envfile

T = TypeVar("T")
Stamp = tuple[int, int, int] | None


def stamp(path: str) -> Stamp:
    """What changes when a file is written or replaced; None when there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size, status.st_ino)


class Watched(Generic[T]):
    """The value that `read` makes of the file at `path()`, and the sentence to say when it cannot."""

    def __init__(self, path: Callable[[], str], read: Callable[[str], T], initial: T) -> None:
        self._path = path
        self._read = read
        self._seen: tuple[str, Stamp] | None = None
        self.value = initial
        self.problem: str | None = None

    def refresh(self) -> bool:
        """True when the value was read anew."""
        path = self._path()
        seen = (path, stamp(path))
        if seen == self._seen:
            return False
        self._seen = seen
        try:
            self.value = self._read(path)
        except (ClaudexError, OSError, UnicodeDecodeError) as error:
            self.problem = f"{error} (the last good reading stays in use)"
            return False
        self.problem = None
        return True


class Live:
    """Settings, model map and token of one home, as they are now."""

    def __init__(self, home: str, environ: Mapping[str, str]) -> None:
        self.home = home
        self._environ = environ
        self._settings = Watched(lambda: paths.config(home), self._read_settings, self._default_settings())
        self._models = Watched(lambda: paths.env_file(home), self._read_models, model_map({}))
        self._token = Watched(lambda: paths.proxy_token(home), _read_token, b"")
        self.on_settings: list[Callable[[Settings], None]] = []
        self.on_problem: list[Callable[[str], None]] = []
        self._told: frozenset[str] = frozenset()
        self.refresh()

    @property
    def settings(self) -> Settings:
        return self._settings.value

    @property
    def models(self) -> ModelMap:
        return self._models.value

    @property
    def token(self) -> bytes:
        return self._token.value

    @property
    def problems(self) -> list[str]:
        return list(self._problems())

    def refresh(self) -> None:
        changed = self._settings.refresh()
        self._models.refresh()
        self._token.refresh()
        if changed:
            for tell in self.on_settings:
                tell(self.settings)
        self._tell_problems()

    def _problems(self) -> Iterator[str]:
        for watched in (self._settings, self._models, self._token):
            if watched.problem:
                yield watched.problem

    def _tell_problems(self) -> None:
        now = frozenset(self._problems())
        for problem in now - self._told:
            for tell in self.on_problem:
                tell(problem)
        self._told = now

    def _default_settings(self) -> Settings:
        return settings.load(os.path.join(self.home, "no-such-directory"), self._environ)

    def _read_settings(self, path: str) -> Settings:
        return settings.load(self.home, self._environ)

    def _read_models(self, path: str) -> ModelMap:
        """The file's own defaults: what the shell of the first launch exported is that shell's affair."""
        if not os.path.exists(path):
            return model_map({})
        return model_map(_defaults(path, self._environ))


def _defaults(path: str, environ: Mapping[str, str]) -> dict[str, str]:
    shell = {name: value for name, value in environ.items() if not name.startswith(("ANTHROPIC_", "CLAUDE_"))}
    try:
        return dict(envfile.load(path, shell))
    except EnvFileError:
        raise
    except ValueError as error:
        raise EnvFileError(path, 0, str(error)) from error


def _read_token(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(4096).strip()
    except FileNotFoundError:
        return b""
