"""Cloudflare's cookies, and no others: in memory, per host and account.

codex CLI 0.169.0 echoes `__cf_bm` and drops what is not Cloudflare's. A cookie of one account sent with another's
token gets the second one blocked, so they never mix.
"""

import time
from collections.abc import Callable
from http.cookies import Morsel, SimpleCookie

NAMES = ("__cf_bm", "_cfuvid", "cf_clearance", "__cflb", "__cfruid")
LIMIT = 256  # host and account pairs

Jar = dict[str, tuple[str, float | None]]


class Cookies:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._jars: dict[tuple[str, str], Jar] = {}

    def keep(self, host: str, account: str, received: SimpleCookie) -> None:
        for name, morsel in received.items():
            if name in NAMES:
                self._keep_one(host, account, name, morsel)

    def header(self, host: str, account: str) -> str:
        """The `cookie` header for a request, "" when there is nothing to send."""
        jar = self._jars.get((host, account))
        if not jar:
            return ""
        now = self._clock()
        return "; ".join(f"{name}={value}" for name, (value, ends) in jar.items() if ends is None or ends > now)

    def forget(self, host: str, account: str) -> bool:
        """After a Cloudflare refusal: True when there was something to forget, so that a retry may differ."""
        return bool(self._jars.pop((host, account), None))

    def _keep_one(self, host: str, account: str, name: str, morsel: Morsel[str]) -> None:
        lifetime = _max_age(morsel)
        jar = self._jars.setdefault((host, account), {})
        if lifetime is not None and lifetime <= 0:
            jar.pop(name, None)
        else:
            jar[name] = (morsel.coded_value, None if lifetime is None else self._clock() + lifetime)
        while len(self._jars) > LIMIT:
            del self._jars[next(iter(self._jars))]


def _max_age(morsel: Morsel[str]) -> float | None:
    try:
        return float(morsel["max-age"])
    except ValueError:
        return None
