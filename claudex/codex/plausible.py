"""Moments that the backend names and that are not to be trusted blindly."""

import email.utils
import math
import re

LONGEST_WINDOW_S = 32 * 86_400.0  # no known plan has a window longer than a month
SLACK_S = 120.0  # clocks differ

# codex CLI 0.169.0 reads the delay of an in-stream rate limit from its sentence: "Please try again in 1.5s."
_TRY_AGAIN = re.compile(
    r"try again in\s+((?:\d+(?:\.\d+)?\s*(?:ms|milliseconds?|s|sec|seconds?|m|minutes?|h|hours?)\s*)+)", re.I
)
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)", re.I)


def plausible_reset(resets_at: float | None, window_s: float | None, now: float) -> float | None:
    """`resets_at` (unix seconds) if it lies ahead, and within its window; else None."""
    if resets_at is None or not math.isfinite(resets_at):
        return None
    return resets_at if now - SLACK_S < resets_at <= now + (window_s or LONGEST_WINDOW_S) + SLACK_S else None


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds to wait, from a Retry-After header in either of its forms."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - now
        except (ValueError, OverflowError):
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def delay_in_text(message: str) -> float | None:
    """Seconds, from "try again in 1m 2.5s"."""
    found = _TRY_AGAIN.search(message)
    if not found:
        return None
    return sum(float(number) * _unit(unit.lower()) for number, unit in _PART.findall(found[1]))


def _unit(name: str) -> float:
    if name.startswith(("ms", "milli")):
        return 0.001
    return {"s": 1.0, "m": 60.0, "h": 3600.0}[name[0]]
