"""`$CODEX_HOME/auth.json` on disk: reading it without guessing, replacing it without losing anything."""

import datetime
import os
import tempfile
import time
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from .. import errors, files

NAME = "auth.json"
TEMPORARY_PREFIX = f".{NAME}-"  # what files.write_private leaves behind when it is killed
STORE_SETTING = "cli_auth_credentials_store"
REHEARSED_BYTES = 64 * 1024
LEFTOVER_S = 60.0  # no write takes that long
SIZE_LIMIT = 4 * 1024 * 1024

Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class AuthFile:
    """The decoded document as found; `stamp` changes whenever the file is replaced or rewritten."""

    path: Path
    document: dict[str, object]
    stamp: Stamp | None

    def token(self, name: str) -> str:
        tokens = self.document.get("tokens")
        value = tokens.get(name) if isinstance(tokens, dict) else None
        return value if isinstance(value, str) else ""


def path(codex_home: str | Path) -> Path:
    return Path(codex_home) / NAME


def stamp(codex_home: str | Path) -> Stamp | None:
    """None when there is no such file, or none that can be looked at."""
    try:
        found = os.stat(os.path.join(codex_home, NAME))  # before every request, and pathlib costs more than the stat
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def load(codex_home: str | Path) -> AuthFile:
    """Raises LoginMissing, LoginDamaged (unreadable counts as damaged: it is never taken for absent), LoginUnusable."""
    store = _credential_store(Path(codex_home))
    if store in ("keyring", "ephemeral"):
        raise _stored_elsewhere(Path(codex_home), store)
    source = path(codex_home)
    before = stamp(codex_home)
    try:
        data = _read(source)
    except FileNotFoundError:
        raise _absent(source, store) from None
    except OSError as error:
        raise errors.LoginDamaged(f"{source} cannot be read: {error.strerror or error}.", hint=_MEND) from error
    return AuthFile(source, _decode(data, source), before)


def replace_tokens(file: AuthFile, tokens: dict[str, str]) -> None:
    """Write `tokens` over those of `file` and note the time; every key that is not ours stays where it was."""
    old = file.document.get("tokens")
    document = {
        **file.document,
        "tokens": {**(old if isinstance(old, dict) else {}), **tokens},
        "last_refresh": _timestamp(time.time_ns()),
    }
    encoded = msgspec.json.format(msgspec.json.encode(document), indent=2)
    files.write_private(file.path, encoded)
    _sync_directory(file.path.resolve().parent)


def rehearse(file: AuthFile) -> None:
    """Raise OSError if the directory or the disk would not take a new file: later, the old token is spent."""
    with tempfile.TemporaryFile(dir=file.path.resolve().parent) as trial:
        trial.write(bytes(REHEARSED_BYTES))


def sweep(codex_home: str | Path) -> None:
    """Remove what a claudex that was killed while writing has left behind."""
    for left in path(codex_home).resolve().parent.glob(f"{TEMPORARY_PREFIX}*"):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > LEFTOVER_S:
                left.unlink()


def last_refresh(file: AuthFile) -> float | None:
    """Unix seconds. The official CLI writes nanoseconds, which `fromisoformat` reads to the microsecond."""
    value = file.document.get("last_refresh")
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()


_MEND = "Make it readable, or run `codex login`."


def _read(source: Path) -> bytes:
    with source.open("rb") as file:
        return file.read(SIZE_LIMIT + 1)


def _decode(data: bytes, source: Path) -> dict[str, object]:
    if len(data) > SIZE_LIMIT:
        raise errors.LoginDamaged(f"{source} is damaged: it is far too long.")
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise errors.LoginDamaged(f"{source} is damaged: it is not JSON.") from None
    if not isinstance(document, dict):
        raise errors.LoginDamaged(f"{source} is damaged: it is not a JSON object.")
    return document


def _credential_store(codex_home: Path) -> str:
    """The official CLI's setting; its config file is not ours to judge, so a damaged one means the default."""
    try:
        document = tomllib.loads((codex_home / "config.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "file"
    store = document.get(STORE_SETTING)
    return store if isinstance(store, str) else "file"


def _stored_elsewhere(codex_home: Path, store: str) -> errors.LoginUnusable:
    place = "in the system keyring" if store == "keyring" else "in memory only"
    return errors.LoginUnusable(
        f'The Codex login is kept {place} ({STORE_SETTING} = "{store}" in {codex_home / "config.toml"}), '
        "where claudex cannot reach it.",
        hint=f'Set {STORE_SETTING} = "file" there and run `codex login`.',
    )


def _absent(source: Path, store: str) -> errors.LoginMissing:
    if store == "auto":
        return errors.LoginMissing(
            f"{source} does not exist; the Codex login may be in the system keyring.",
            hint=f'Set {STORE_SETTING} = "file" in {source.parent / "config.toml"} and run `codex login`.',
        )
    return errors.LoginMissing(f"No Codex login: {source} does not exist.")


def _timestamp(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def _sync_directory(directory: Path) -> None:
    """Make the rename itself survive a power cut: the old refresh token is spent by now."""
    try:
        handle = os.open(directory, os.O_RDONLY)
    except OSError:  # Windows does not open directories
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
