"""`auth/codex-current.json`: the access token in use, for the proxy's own eyes and for older stacks.

It never holds a refresh token: auth.json is the only owner of that, and a copy that is redeemed burns the original.
"""

import datetime
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from .. import files, paths
from . import authfile, login
from .login import Login


@dataclass(frozen=True)
class SyncResult:
    login: Login
    source: str
    path: str
    changed: bool


def sync_auth(codex_home: str | Path, home: str | Path) -> SyncResult:
    """Bring the copy up to date with the official login. No network. Raises LoginError, OSError."""
    file = authfile.load(codex_home)
    found = login.from_document(file.document, str(file.path))
    path, changed = write_current(found, home)
    return SyncResult(found, found.source, path, changed)


def write_current(found: Login, home: str | Path) -> tuple[str, bool]:
    """Write the copy if it does not say this already. Gives its path, and whether it was written."""
    path = Path(paths.auth_current(str(home)))
    document = _document(found)
    if _stored(path) == document:
        return str(path), False
    files.private_dir(path.parent)
    stamped = {**document, "synced_at": int(time.time())}
    files.write_private(path, msgspec.json.format(msgspec.json.encode(stamped), indent=2))
    return str(path), True


def _document(found: Login) -> dict[str, object]:
    """`type`, `email`, `access_token`, `account_id` and `expired` are the keys that older stacks read."""
    expires_at = found.expires_at
    return {
        "type": "codex",
        "access_token": found.access_token,
        "account_id": found.account_id,
        "user_id": found.user_id,
        "email": found.email,
        "plan": found.plan,
        "expires_at": expires_at,
        "expired": None
        if expires_at is None
        else datetime.datetime.fromtimestamp(expires_at, datetime.UTC).isoformat(),
        "fedramp": found.fedramp,
        "source": found.source,
    }


def _stored(path: Path) -> dict[str, object] | None:
    try:
        document = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not isinstance(document, dict):
        return None
    document.pop("synced_at", None)
    return document
