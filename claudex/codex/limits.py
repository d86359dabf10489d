"""The account's rate-limit windows, from the three places where the backend tells them.

Response headers (`x-codex-primary-used-percent`, `-window-minutes`, `-reset-at`, the same with `secondary`, and a
family for each further limit), the in-stream event `codex.rate_limits` (minutes), and `GET /wham/usage` (seconds);
field names as codex CLI 0.169.0 reads them. A window is named by its length: which one is `primary` differs between
accounts.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from .plausible import plausible_reset

NAMES = {300: "5h", 1440: "daily", 10_080: "weekly", 43_200: "monthly"}
MAIN_LIMIT = "codex"
_FAMILY = re.compile(r"^x-(?P<limit>[a-z0-9-]+?)-(?P<rank>primary|secondary)-used-percent$")


@dataclass(frozen=True)
class Window:
    """`used_percent` is 0 to 100; `resets_at` unix seconds, None when unknown or not to be believed."""

    name: str
    used_percent: float
    minutes: int
    resets_at: float | None
    limit: str = ""


@dataclass(frozen=True)
class Credits:
    has_credits: bool
    unlimited: bool
    balance: str


@dataclass(frozen=True)
class Limits:
    plan: str
    windows: tuple[Window, ...]
    credits: Credits | None
    reached: str
    fetched_at: float


def from_headers(headers: Mapping[str, str], now: float) -> Limits | None:
    """None when the response says nothing of limits."""
    lower = {name.lower(): value for name, value in headers.items() if name[:2] in ("x-", "X-")}
    windows = [window for name in lower if (window := _header_window(lower, name, now))]
    if not windows and "x-codex-plan-type" not in lower:
        return None
    credits = None
    if "x-codex-credits-has-credits" in lower:
        credits = Credits(
            _flag(lower.get("x-codex-credits-has-credits")),
            _flag(lower.get("x-codex-credits-unlimited")),
            lower.get("x-codex-credits-balance", ""),
        )
    reached = lower.get("x-codex-rate-limit-reached-type", "")
    return Limits(lower.get("x-codex-plan-type", ""), _sorted(windows), credits, reached, now)


def from_event(event: Mapping[str, object], now: float) -> Limits | None:
    """None when the event is not `codex.rate_limits`."""
    if event.get("type") != "codex.rate_limits":
        return None
    name = _text(event.get("limit_name"))
    limit = "" if _text(event.get("metered_limit_name")) in ("", MAIN_LIMIT) else name or "other"
    windows = _windows(_object(event.get("rate_limits")), "primary", "secondary", limit, now)
    for extra in _extras(event.get("additional_rate_limits")):
        inner = _object(extra.get("rate_limits")) or _object(extra.get("rate_limit"))
        windows += _windows(inner, "primary", "secondary", _extra_name(extra), now)
    reached = _text(event.get("rate_limit_reached_type"))
    return Limits(_text(event.get("plan_type")), _sorted(windows), _credits(event), reached, now)


def from_usage(document: object, now: float) -> Limits:
    """The body of `GET /wham/usage`; anything unreadable in it counts as not said."""
    usage = _object(document)
    windows = _windows(_object(usage.get("rate_limit")), "primary_window", "secondary_window", "", now)
    for extra in _extras(usage.get("additional_rate_limits")):
        inner = _object(extra.get("rate_limit"))
        windows += _windows(inner, "primary_window", "secondary_window", _extra_name(extra), now)
    reached = usage.get("rate_limit_reached_type")
    kind = _text(_object(reached).get("type")) if isinstance(reached, dict) else _text(reached)
    return Limits(_text(usage.get("plan_type")), _sorted(windows), _credits(usage), kind, now)


def merge(older: Limits | None, newer: Limits) -> Limits:
    """`newer`, with what it is silent about taken from `older`: headers tell less than `wham/usage` does."""
    if older is None:
        return newer
    told = {window.limit for window in newer.windows}
    kept = [window for window in older.windows if window.limit not in told]
    return replace(
        newer,
        plan=newer.plan or older.plan,
        windows=_sorted([*newer.windows, *kept]),
        credits=newer.credits or older.credits,
    )


def window_name(minutes: int, limit: str = "") -> str:
    name = NAMES.get(minutes) or _computed_name(minutes)
    return f"{limit} {name}" if limit else name


def _computed_name(minutes: int) -> str:
    for unit, size in (("d", 1440), ("h", 60)):
        if minutes and minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}min" if minutes else "unknown"


def _header_window(headers: Mapping[str, str], name: str, now: float) -> Window | None:
    family = _FAMILY.match(name)
    if not family:
        return None
    stem = name.removesuffix("used-percent")
    limit = family["limit"]
    shown = "" if limit == MAIN_LIMIT else headers.get(f"x-{limit}-limit-name") or limit.removeprefix("codex-")
    return _window(
        headers[name],
        headers.get(f"{stem}window-minutes"),
        headers.get(f"{stem}reset-at"),
        headers.get(f"{stem}reset-after-seconds"),
        shown,
        now,
    )


def _windows(source: Mapping[str, object], first: str, second: str, limit: str, now: float) -> list[Window]:
    found = []
    for key in (first, second):
        entry = _object(source.get(key))
        seconds = _number(entry.get("limit_window_seconds"))
        minutes = entry.get("window_minutes") if seconds is None else math.ceil(seconds / 60)
        window = _window(
            entry.get("used_percent"), minutes, entry.get("reset_at"), entry.get("reset_after_seconds"), limit, now
        )
        if window:
            found.append(window)
    return found


def _window(used: object, minutes: object, at: object, after: object, limit: str, now: float) -> Window | None:
    percent = _number(used)
    if percent is None:
        return None
    length = int(_number(minutes) or 0)
    resets_at, delay = _number(at), _number(after)
    if resets_at is None and delay is not None:
        resets_at = now + delay
    believed = plausible_reset(resets_at, length * 60 or None, now)
    return Window(window_name(length, limit), min(max(percent, 0.0), 100.0), length, believed, limit)


def _sorted(windows: Iterable[Window]) -> tuple[Window, ...]:
    return tuple(sorted(windows, key=lambda window: (window.limit, window.minutes)))


def _credits(source: Mapping[str, object]) -> Credits | None:
    found = source.get("credits")
    if not isinstance(found, dict):
        return None
    balance = found.get("balance")
    return Credits(
        found.get("has_credits") is True, found.get("unlimited") is True, "" if balance is None else str(balance)
    )


def _extras(value: object) -> list[Mapping[str, object]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _extra_name(extra: Mapping[str, object]) -> str:
    return _text(extra.get("limit_name")) or _text(extra.get("metered_feature")) or "other"


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _flag(value: str | None) -> bool:
    return (value or "").lower() in ("true", "1")


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
