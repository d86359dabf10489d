"""Whether a refusal is worth another try, and after how long.

Only ever asked before the first content event: a turn that has begun is never replayed, or tools would run twice. The
schedule is the official client's (0.2 s, doubled each time, with jitter); a wait that the backend asks for is kept,
unless it is so long that the caller should decide.
"""

import random

from .. import errors

FIRST_DELAY_S = 0.2
LONGEST_WAIT_S = 20.0
JITTER = 0.1
# NetworkError codes that the next try would meet again
FRUITLESS = ("untrusted_certificate", "bad_address", "bad_proxy", "bad_certificate_file")


class Retries:
    """The tries of one call. `limit` is how many may follow the first."""

    def __init__(self, limit: int, chance: random.Random | None = None) -> None:
        self._limit = limit
        self._chance = chance or random.Random()
        self._used = 0

    def delay(self, error: errors.UpstreamError) -> float | None:
        """Seconds to wait before the next try; None when `error` is the answer."""
        if self._used >= self._limit or not transient(error):
            return None
        if error.code == "connect_timeout" and self._used:
            return None  # two times the connect limit is as long as anyone should wait to hear that there is no network
        asked = error.retry_after
        if asked is not None and asked > LONGEST_WAIT_S:
            return None
        delay: float = FIRST_DELAY_S * 2**self._used
        self._used += 1
        return max(asked or 0.0, delay * self._chance.uniform(1 - JITTER, 1 + JITTER))


def transient(error: errors.UpstreamError) -> bool:
    match error:
        case errors.PlanLimit():
            return False
        case errors.RateLimited() | errors.Overloaded() | errors.StreamTruncated():
            return True
        case errors.NetworkError():
            return error.code not in FRUITLESS
        case errors.UpstreamFailed():
            status = error.upstream_status
            return status is None or status in (200, 408, 409, 425) or status >= 500
    return False
