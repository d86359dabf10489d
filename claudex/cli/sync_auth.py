"""`claudex sync-auth`: read the official login and note for the proxy, and for older stacks, what it says."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..codex.credentials import describe
from ..codex.sync import sync_auth
from ..files import private_dir
from . import render
from .place import Place

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class Synced:
    """`state` is ok or expired: an expired token is refreshed by the proxy at its next use."""

    state: str
    account_id: str
    plan: str
    email: str
    expires_at: float | None
    source: str
    path: str
    changed: bool


def run(place: Place) -> Synced:
    """Raises LoginError (exit 5). No network, and the source is only read."""
    private_dir(f"{place.home}/auth")
    done = sync_auth(place.codex_home, place.home)
    login = done.login
    state = describe(place.codex_home, time.time()).state
    return Synced(
        state, login.account_id, login.plan, login.email, login.expires_at, done.source, done.path, done.changed
    )


def view(result: Synced) -> RenderableType:
    expiry = f"token until {render.moment(result.expires_at)}" if result.expires_at else "token without a date"
    if result.state == "expired":
        expiry = "token expired: the proxy refreshes it at its next use"
    facts = " · ".join(part for part in (result.email, result.plan, result.account_id, expiry) if part)
    what = "written" if result.changed else "already up to date"
    rows: list[tuple[str, RenderableType]] = [
        ("login", facts),
        ("read", result.source),
        (what, result.path),
    ]
    return render.pairs(rows)
