"""`claudex stop`: end our proxy, and no one else's, once its streams have finished."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import control, gateway, render
from .place import Place

if TYPE_CHECKING:
    from rich.console import RenderableType

# What the proxy needs beyond its drain to write its last words.
AFTER_DRAIN_S = 5.0


@dataclass(frozen=True)
class Stopped:
    """`drained` requests were let finish, `cut` ones were still running when the patience ended."""

    was_running: bool
    pid: int | None
    drained: int
    cut: int
    port: int


def run(place: Place, *, quiet: bool = False) -> Stopped:
    if place.known_token is None:
        return _without_token(place)
    with render.progress("letting running requests finish", quiet=quiet):
        patience = place.settings.proxy.drain_s + AFTER_DRAIN_S
        done = control.stop(place.home, place.port, place.token, timeout=patience)
    return Stopped(done.was_running, done.pid, done.drained, done.cut, place.port)


def _without_token(place: Place) -> Stopped:
    """Nothing here was ever started, so whatever holds the port is not ours to end."""
    if gateway.check(place).state != "none":
        raise gateway.port_held(place)
    return Stopped(False, None, 0, 0, place.port)


def view(result: Stopped) -> RenderableType:
    if not result.was_running:
        return f"proxy was not running on port {result.port}"
    if result.cut:
        return (
            f"proxy stopped (pid {result.pid}): {_requests(result.drained)} finished, {_requests(result.cut)} cut off"
        )
    finished = f": {_requests(result.drained)} finished first" if result.drained else ""
    return f"proxy stopped (pid {result.pid}){finished}"


def _requests(number: int) -> str:
    return f"{number} request" if number == 1 else f"{number} requests"
