"""`claudex restart`: stop, then start; a proxy that was not running is simply started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import start, stop
from .place import Place

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class Restarted:
    stopped: stop.Stopped
    started: start.Started


def run(place: Place, *, quiet: bool = False) -> Restarted:
    stopped = stop.run(place, quiet=quiet)
    return Restarted(stopped, start.run(place, quiet=quiet))


def view(result: Restarted) -> RenderableType:
    return f"{stop.view(result.stopped)}\n{start.view(result.started)}"
