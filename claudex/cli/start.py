"""`claudex start`: prepare the home, make sure that our proxy serves, wait until it answers."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .. import home, paths
from ..codex.credentials import describe
from ..errors import ProxyUnavailable
from ..wrapper import daemon
from . import gateway, render
from .place import Place, locate

if TYPE_CHECKING:
    from rich.console import RenderableType

# Longer than any start that was seen, on a loaded machine too; the start itself takes a fraction of a second.
START_WITHIN_S = 30.0
# From closing its port to run/stopped.json an idle proxy needs a few milliseconds.
LAST_WORDS_S = 0.2


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
        ensured = _ensured(fresh)
    return Started(
        started=ensured.started,
        replacing=ensured.retiring,
        pid=ensured.health.pid or None,
        instance_id=ensured.health.instance_id,
        version=ensured.health.version,
        base_url=place.base_url,
        created=prepared.created,
        login=describe(place.codex_home, time.time()).detail,
    )


def _ensured(place: Place, tries: int = 5) -> daemon.Ensured:
    """Another command may stop what this one has just started; then it is started again."""
    begun = time.time()
    try:
        ensured = daemon.ensure(place.home, place.port, place.token, wait=START_WITHIN_S)
        if ensured.started:
            _settled(place)
    except ProxyUnavailable:
        if tries > 1 and _stopped_since(place, begun):
            return _ensured(place, tries - 1)
        raise
    return ensured


def _stopped_since(place: Place, begun: float) -> bool:
    time.sleep(LAST_WORDS_S)
    try:
        return os.stat(paths.stopped(place.home)).st_mtime >= begun
    except OSError:
        return False


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


def view(result: Started) -> RenderableType:
    done = "started" if result.started else "already running"
    if result.replacing:
        done = "already running; an older version makes way as soon as it is idle"
    lines = [f"created {path}" for path in result.created]
    lines.append(f"proxy {done}: pid {result.pid or '?'}, version {result.version}, {result.base_url}")
    if result.login:
        lines.append(f"login: {result.login}")
    return "\n".join(lines)
