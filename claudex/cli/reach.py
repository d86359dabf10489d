"""Can the ChatGPT backend be reached from here at all? Asked without login and without cost."""

import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..settings import UpstreamSettings

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Reached:
    """Any HTTP answer counts: without a login even a working backend refuses."""

    ok: bool
    url: str
    status: int | None
    ms: float
    detail: str


def reach(upstream: UpstreamSettings) -> Reached:
    import httpx

    url = f"{upstream.url}/codex/models"
    begun = time.monotonic()
    try:
        direct = urlsplit(url).hostname in LOOPBACK  # a proxy of the shell is meant for the outside
        with httpx.Client(trust_env=not direct, timeout=upstream.connect_timeout_s) as client:
            status = client.get(url).status_code
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:  # ValueError: an address or proxy out of shape
        return Reached(False, url, None, _ms(begun), f"unreachable: {error or type(error).__name__}")
    ms = _ms(begun)
    return Reached(True, url, status, ms, f"reachable (HTTP {status} in {ms:.0f} ms)")


def _ms(begun: float) -> float:
    return round((time.monotonic() - begun) * 1000, 1)
