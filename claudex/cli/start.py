"""`claudex start`: prepare the home, make sure that our proxy serves, wait until it answers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .. import home, paths
from ..codex.credentials import describe
from ..errors import ProxyUnavailable
from ..wrapper import daemon
from . import control, gateway, render
from .place import Place, locate

if TYPE_CHECKING:
    from rich.console import RenderableType

# Longer than any start that was seen, on a loaded machine too; the start itself takes a fraction of a second.
START_WITHIN_S = 30.0


@dataclass(frozen=True)
class Started:
    """`started` is False when the proxy ran already; `replacing`, when an older version is making way for this one."""

    started: bool
    replacing: bool
    pid: int | None
    instance_id: str
    version: str
    base_url: str
    created: tuple[str, ...]
    login: str


def run(place: Place, *, quiet: bool = False) -> Started:
    prepared = home.prepare(place.home, place.environ, place.port)
    fresh = locate(place.environ)
    with render.progress(f"waiting for the proxy on port {place.port}", quiet=quiet):
        ensured = daemon.ensure(place.home, place.port, fresh.token, wait=START_WITHIN_S)
        if ensured.started:
            _settled(fresh)
    return Started(
        started=ensured.started,
        replacing=ensured.retiring,
        pid=process_id(place),
        instance_id=ensured.health.instance_id,
        version=ensured.health.version,
        base_url=place.base_url,
        created=prepared.created,
        login=describe(place.codex_home, time.time()).detail,
    )


def _settled(place: Place) -> None:
    """It answers its health before all of it is loaded; a start that fails after that is no start."""
    try:
        gateway.get(place, "/api/status")
    except ProxyUnavailable as error:
        raise ProxyUnavailable(
            f"the proxy ended while it was starting: {_last_words(place)}", hint=f"See {paths.log(place.home)}."
        ) from error


def _last_words(place: Place) -> str:
    try:
        lines = Path(paths.log(place.home)).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return "it left no word."
    return next((line for line in reversed(lines) if line.strip()), "it left no word.")


def process_id(place: Place) -> int | None:
    pid = (control.running(place.home) or {}).get("pid")
    return pid if isinstance(pid, int) else None


def view(result: Started) -> RenderableType:
    done = "started" if result.started else "already running"
    if result.replacing:
        done = "already running; an older version makes way as soon as it is idle"
    lines = [f"created {path}" for path in result.created]
    lines.append(f"proxy {done}: pid {result.pid or '?'}, version {result.version}, {result.base_url}")
    if result.login:
        lines.append(f"login: {result.login}")
    return "\n".join(lines)
