"""Who may talk to us: programs of this user that know the token, and no web page.

A listener on loopback can be reached by every page that a browser shows. So the Host must name loopback with our port
(a page whose name was rebound to 127.0.0.1 sends its own), a foreign Origin or site is refused, and no CORS header is
ever sent.
"""

from collections.abc import Mapping
from hmac import compare_digest

from ..errors import ForbiddenCaller, NotAuthenticated

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
OWN_SITES = ("none", "same-origin")

Headers = Mapping[str, str]


class Guard:
    """Checks request headers; knows the port we listen on."""

    def __init__(self, port: int) -> None:
        self._hosts = frozenset(f"{name}:{port}" for name in LOOPBACK_NAMES)
        self._origins = frozenset(f"http://{host}" for host in self._hosts)

    def check_caller(self, headers: Headers) -> None:
        """Raises ForbiddenCaller for a foreign Host, Origin or site."""
        host = headers.get("Host", "")
        if host.lower() not in self._hosts:
            raise ForbiddenCaller(f"claudex: the Host header {host[:100]!r} is not this proxy's own address.")
        origin = headers.get("Origin")
        if origin is not None and origin.lower() not in self._origins:
            raise ForbiddenCaller(f"claudex: web pages may not call this proxy (Origin {origin[:100]!r}).")
        site = headers.get("Sec-Fetch-Site")
        if site is not None and site.lower() not in OWN_SITES:
            raise ForbiddenCaller(f"claudex: other sites may not call this proxy (Sec-Fetch-Site {site[:30]!r}).")

    def check_token(self, headers: Headers, token: bytes) -> None:
        """Either header may carry the token; clients with several credentials send different values in both.

        Raises NotAuthenticated.
        """
        shown = [secret for secret in _credentials(headers) if secret]
        if token and any(compare_digest(secret, token) for secret in shown):
            return
        raise NotAuthenticated(_what_to_do(bool(token), bool(shown)))


def _credentials(headers: Headers) -> tuple[bytes, bytes]:
    authorization = headers.get("Authorization", "")
    scheme, _, bearer = authorization.partition(" ")
    key = headers.get("x-api-key", "")
    return (_bytes(bearer) if scheme.lower() == "bearer" else b"", _bytes(key))


def _bytes(text: str) -> bytes:
    return text.strip().encode("utf-8", "surrogateescape")


def _what_to_do(token_exists: bool, shown: bool) -> str:
    if not token_exists:
        return "claudex: this proxy has no token yet: run `claudex start`, which makes one."
    said = "is not this proxy's" if shown else "is missing"
    return (
        f"claudex: the proxy token {said}. Start Claude Code with `claudex`, or use what `claudex self token` prints."
    )
