"""`claudex self serve`: the proxy in the foreground, for a service manager or a close look."""

import sys

from .. import home
from .place import Place


def run(place: Place, port: int | None, *, quiet: bool = False) -> int:
    """The proxy's own exit code."""
    from ..proxy.__main__ import main

    chosen = port or place.port
    home.prepare(place.home, place.environ, chosen)
    if not quiet:
        print(f"claudex: starting on http://127.0.0.1:{chosen}, Ctrl-C stops it", file=sys.stderr, flush=True)
    return main(["--port", str(chosen)])
