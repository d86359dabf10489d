"""Create what is missing under the home, and nothing else."""

import os
import re
import secrets
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .. import files, paths
from ..errors import ClaudexError
from .configtext import config_text
from .envtext import env_text
from .models import known_models

TOKEN_BYTES = 32  # 256 bits: nothing that another user of the machine could guess
DIRECTORIES = ("", "auth", "run", "logs")

# An older stack's env file may already hold a token. It becomes ours only if it could not have been guessed.
_STRONG_TOKEN = re.compile(r"""^\s*(?:export\s+)?ANTHROPIC_AUTH_TOKEN=(["']?)([A-Za-z0-9_-]{40,512})\1\s*$""", re.M)


@dataclass(frozen=True)
class Prepared:
    """`created` lists the paths that were not there before, in the order they were made."""

    home: str
    env_file: str
    token_file: str
    created: tuple[str, ...]


def prepare(home: str, environ: Mapping[str, str] = os.environ, port: int = paths.DEFAULT_PORT) -> Prepared:
    """Make directories (0700), proxy token, config.toml and env file (0600) where they are missing.

    Raises ClaudexError with one sentence when the home cannot be written.
    """
    created: list[str] = []
    try:
        _directories(home, created)
        token = _token(home, created)
        _create(paths.config(home), config_text, created)
        _create(paths.env_file(home), lambda: env_text(known_models(home), token=token, port=port), created)
    except OSError as error:
        raise ClaudexError(f"cannot prepare {home}: {error.strerror or error} ({error.filename or home})") from error
    return Prepared(home, paths.env_file(home), paths.proxy_token(home), tuple(created))


def read_token(home: str) -> str:
    """The proxy token. Raises ClaudexError when there is none or the file is empty."""
    path = paths.proxy_token(home)
    try:
        token = Path(path).read_text(encoding="ascii").strip()
    except FileNotFoundError as error:
        raise ClaudexError(f"{path} does not exist.", hint="Run `claudex start`: it makes one.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ClaudexError(f"cannot read {path}: {error}") from error
    if not token:
        raise ClaudexError(f"{path} is empty.", hint="Delete it and run `claudex restart`: that makes a new one.")
    return token


def _directories(home: str, created: list[str]) -> None:
    for name in DIRECTORIES:
        path = os.path.join(home, name) if name else home
        if not os.path.isdir(path):
            created.append(path)
        files.private_dir(path)


def _token(home: str, created: list[str]) -> str:
    path = paths.proxy_token(home)
    if not os.path.exists(path):
        token = _adopted(home) or secrets.token_urlsafe(TOKEN_BYTES)
        if create_private(path, token + "\n"):
            created.append(path)
    elif os.stat(path).st_mode & 0o077:
        os.chmod(path, files.PRIVATE_FILE)
    return read_token(home)


def _adopted(home: str) -> str | None:
    """The strong token that the env file already names, so that an older stack's file goes on working."""
    with suppress(OSError, UnicodeDecodeError):
        if found := _STRONG_TOKEN.search(Path(paths.env_file(home)).read_text(encoding="utf-8")):
            return found[2]
    return None


def _create(path: str, text: Callable[[], str], created: list[str]) -> None:
    if not os.path.lexists(path) and create_private(path, text()):
        created.append(path)


def create_private(path: str, text: str) -> bool:
    """Create `path` (0600) with all of `text` at once; False, and nothing changed, when it is already there.

    The hard link is the atomic step: of many processes exactly one wins, and nobody reads half a file.
    """
    handle, temporary = tempfile.mkstemp(prefix=".new-", dir=os.path.dirname(path))
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        return _link(temporary, path)
    finally:
        os.unlink(temporary)


def _link(source: str, target: str) -> bool:
    try:
        os.link(source, target)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links: the exclusive open still lets only one win
        return _copy_exclusively(source, target)
    return True


def _copy_exclusively(source: str, target: str) -> bool:
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, files.PRIVATE_FILE)
    except FileExistsError:
        return False
    with os.fdopen(handle, "wb") as file:
        file.write(Path(source).read_bytes())
    return True
