"""`claudex self cache` and `claudex self losses`: the proxy's two running counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from . import gateway, render
from .place import Place

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class Cache:
    """Per session: tokens sent, tokens that the backend took from its cache, and how many should have been there."""

    sessions: list[dict[str, Any]]


@dataclass(frozen=True)
class Losses:
    """What could not be carried over to the backend, by kind. Kept across restarts; `since` is unix seconds."""

    total: int
    kinds: dict[str, int]
    since: float | None


def cache(place: Place, session: str | None) -> Cache:
    query = f"?session={quote(session, safe='')}" if session else ""
    return Cache(gateway.get(place, f"/api/cache{query}").get("sessions") or [])


def losses(place: Place) -> Losses:
    document = gateway.get(place, "/api/losses")
    return Losses(document.get("total", 0), document.get("kinds") or {}, document.get("since"))


def view_cache(result: Cache) -> RenderableType:
    if not result.sessions:
        return "no requests since the proxy started"
    numbers = ("requests", "input", "cached", "hits", "predicted")
    table = render.grid("session", "model", *numbers, "last break", right=numbers)
    for row in result.sessions:
        last = row.get("last") or {}
        ratio = row.get("hit_ratio")
        table.add_row(
            str(row.get("session")),
            str(row.get("model")),
            *(render.count(row.get(key)) for key in ("requests", "input", "cached")),
            f"{ratio:.0%}" if isinstance(ratio, int | float) else "-",
            render.count(row.get("predicted")),
            str(last.get("broken_at") or "-"),
        )
    return table


def view_losses(result: Losses) -> RenderableType:
    if not result.kinds:
        return "nothing was lost in translation so far"
    table = render.grid("what", "times", right=("times",))
    for kind, times in sorted(result.kinds.items(), key=lambda item: -item[1]):
        table.add_row(kind, render.count(times))
    return table
