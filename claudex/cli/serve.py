"""`claudex self serve`: the proxy in the foreground, for a service manager or a close look."""

from .. import home
from .place import Place


def run(place: Place, port: int | None) -> int:
    """The proxy's own exit code."""
    from ..proxy.__main__ import main

    chosen = port or place.port
    home.prepare(place.home, place.environ, chosen)
    return main(["--port", str(chosen)])
