"""An account's usage windows in the three shapes in which the backend tells them."""

from collections.abc import Mapping
from typing import Any

from .accounts import Account, Window
from .refusal import Refusal

Shape = dict[str, Any]


def headers(account: Account, now: float) -> dict[str, str]:
    """`x-codex-*`, on every answer of the model route, refusals by limit included. Minutes, unix seconds."""
    found = {"x-codex-plan-type": account.plan, "x-codex-active-limit": "codex"}
    for name, window in (("primary", account.usage.primary), ("secondary", account.usage.secondary)):
        if window is not None:
            found[f"x-codex-{name}-used-percent"] = f"{window.used_percent:g}"
            found[f"x-codex-{name}-window-minutes"] = str(window.minutes)
            found[f"x-codex-{name}-reset-at"] = str(window.resets_at)
            found[f"x-codex-{name}-reset-after-seconds"] = str(_left(window, now))
    credits = account.usage.credits or {}
    found["x-codex-credits-has-credits"] = str(bool(credits.get("has_credits"))).lower()
    found["x-codex-credits-unlimited"] = str(bool(credits.get("unlimited"))).lower()
    found["x-codex-credits-balance"] = str(credits.get("balance", ""))
    return found


def event(account: Account, now: float) -> Shape:
    """`codex.rate_limits` in the stream. Minutes here, too."""
    limits = {
        "allowed": True,
        "limit_reached": False,
        "primary": _minutes(account.usage.primary, now),
        "secondary": _minutes(account.usage.secondary, now),
    }
    return {
        "type": "codex.rate_limits",
        "plan_type": account.plan,
        "rate_limits": limits,
        "code_review_rate_limits": None,
        "additional_rate_limits": None,
        "credits": account.usage.credits,
        "promo": None,
    }


def document(account: Account, now: float) -> Shape:
    """`GET wham/usage`. Seconds here."""
    reached = account.usage.exhausted is not None
    return {
        "user_id": account.user_id,
        "account_id": account.account_id,
        "email": account.email,
        "plan_type": account.plan,
        "rate_limit": {
            "allowed": not reached,
            "limit_reached": reached,
            "primary_window": _seconds(account.usage.primary, now),
            "secondary_window": _seconds(account.usage.secondary, now),
        },
        "code_review_rate_limit": None,
        "additional_rate_limits": None,
        "credits": account.usage.credits,
        "rate_limit_reached_type": "rate_limit_reached" if reached else None,
        "promo": None,
    }


def check(account: Account, now: float) -> None:
    """Refuses, with nobody to blame, when a window is used up."""
    window = account.usage.exhausted
    if window is None:
        return
    error = {
        "type": "usage_limit_reached",
        "message": "The usage limit has been reached",
        "plan_type": account.plan,
        "resets_at": window.resets_at,
        "resets_in_seconds": _left(window, now),
        "limit_window_minutes": window.minutes,
    }
    more: Mapping[str, str] = {"x-codex-rate-limit-reached-type": "rate_limit_reached"}
    raise Refusal(429, {"error": error}, "", {**headers(account, now), **more})


def _left(window: Window, now: float) -> int:
    return max(0, int(window.resets_at - now))


def _minutes(window: Window | None, now: float) -> Shape | None:
    if window is None:
        return None
    times = {"window_minutes": window.minutes, "reset_after_seconds": _left(window, now), "reset_at": window.resets_at}
    return {"used_percent": window.used_percent, **times}


def _seconds(window: Window | None, now: float) -> Shape | None:
    if window is None:
        return None
    times = {"reset_after_seconds": _left(window, now), "reset_at": window.resets_at}
    return {"used_percent": window.used_percent, "limit_window_seconds": window.minutes * 60, **times}
