"""`claudex self logs`: the request log for people; with an ID, all that is known of one request."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from .. import paths
from ..errors import ClaudexError
from . import gateway, render
from .place import Place

if TYPE_CHECKING:
    from rich.console import RenderableType

POLL_S = 0.25


@dataclass(frozen=True)
class Lines:
    """Log entries, oldest first; a line that is not JSON (a crash of the interpreter) is {"text": line}."""

    file: str
    entries: list[dict[str, Any]]


@dataclass(frozen=True)
class Request:
    id: str
    request: dict[str, Any]


def run(place: Place, number: int) -> Lines:
    lines: list[str] = []
    for file in log_files(place):  # newest first
        lines = _read(file) + lines
        if len(lines) >= number:
            break
    return Lines(paths.log(place.home), [entry(line) for line in lines[-number:]] if number else [])


def request(place: Place, wanted: str) -> Request:
    """From the log files, which outlive the proxy; else from the proxy's memory."""
    for file in log_files(place):
        for line in reversed(_read(file)):
            if wanted in line and (found := entry(line)).get("id") == wanted:
                return Request(wanted, found)
    try:
        return Request(wanted, gateway.get(place, f"/api/requests/{wanted}"))
    except ClaudexError as error:
        raise ClaudexError(f"no request {wanted} in {paths.log(place.home)} or in the running proxy.") from error


def log_files(place: Place) -> list[Path]:
    """The log and its rotated parts, newest first."""
    log = Path(paths.log(place.home))
    rotated = [path for path in log.parent.glob(log.name + ".*") if path.suffix[1:].isdigit()]
    return [path for path in (log, *sorted(rotated, key=lambda path: int(path.suffix[1:]))) if path.exists()]


def _read(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise ClaudexError(f"cannot read {file}: {error.strerror}") from error


def entry(line: str) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return {"text": line}
    return document if isinstance(document, dict) else {"text": line}


def follow(place: Place, number: int) -> None:
    """Print the last `number` lines and then every new one, across rotations, until Ctrl-C."""
    console = render.console()
    for known in run(place, number).entries:
        console.print(pretty(known))
    for line in _new_lines(Path(paths.log(place.home))):
        console.print(pretty(entry(line)))
        sys.stdout.flush()


def _new_lines(path: Path) -> Iterator[str]:
    place = path.stat().st_size if path.exists() else 0
    inode, rest = _inode(path), ""
    while True:
        if _inode(path) != inode or (path.exists() and path.stat().st_size < place):
            inode, place, rest = _inode(path), 0, ""
        if path.exists():
            with path.open(encoding="utf-8", errors="replace") as file:
                file.seek(place)
                *whole, rest = (rest + file.read()).split("\n")
                place = file.tell()
            yield from whole
        time.sleep(POLL_S)


def _inode(path: Path) -> int | None:
    try:
        return os.stat(path).st_ino
    except FileNotFoundError:
        return None


def pretty(known: dict[str, Any]) -> RenderableType:
    from rich.text import Text

    if "text" in known:
        return Text(str(known["text"]), style="dim")
    line = Text().append(f"{_clock(known.get('time'))} ", style="dim")
    if known.get("event") != "request":
        rest = {key: value for key, value in known.items() if key not in ("time", "level", "event")}
        words = " ".join(f"{key}={value}" for key, value in rest.items())
        style = "red" if known.get("level") == "error" else "cyan"
        return line.append(f"{known.get('event', '')} ", style=style).append(words)
    return _request_line(line, known)


def _request_line(line: Any, known: dict[str, Any]) -> RenderableType:
    status = known.get("status")
    good = isinstance(status, int) and status < 400 and not known.get("error")
    line.append(f"{status} ", style="green" if good else "red")
    effort = f"({known['effort']})" if known.get("effort") else ""
    line.append(
        f"{known.get('slot') or '-'} → {known.get('model') or '-'}{effort} {known.get('lane') or ''}", style="default"
    )
    line.append(f"  in {known.get('input', 0)} cached {known.get('cached', 0)} out {known.get('output', 0)}")
    first, total = render.milliseconds(known.get("first_event_ms")), render.milliseconds(known.get("total_ms"))
    line.append(f"  first {first} total {total}  ").append(str(known.get("id", "")), style="dim")
    if error := known.get("error"):
        line.append(f"\n         {error.get('who')}: {error.get('message')}", style="red")
    return line  # type: ignore[no-any-return]


def _clock(stamp: object) -> str:
    try:
        return datetime.fromisoformat(str(stamp)).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return "--:--:--"


def view(result: Lines) -> RenderableType:
    from rich.console import Group

    if not result.entries:
        return f"{result.file} is empty or not there yet"
    return Group(*(pretty(known) for known in result.entries))


def view_request(result: Request) -> RenderableType:
    from rich.console import Group

    known = result.request
    plain = [(key, _plain(value)) for key, value in known.items() if key not in ("event", "level", "error")]
    return Group(explain(known), "", render.pairs([(key, value) for key, value in plain]))


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {item}" for key, item in value.items()) or "none"
    return "-" if value is None else str(value)


def explain(known: dict[str, Any]) -> str:
    """One sentence or two: what was asked of whom, how it ended, and what the cache did."""
    effort = f" at {known['effort']}" if known.get("effort") else ""
    asked = f"{known.get('requested') or 'A model'} went to {known.get('model') or 'no model'}{effort}"
    ended = f"and ended with {known.get('status')} after {render.milliseconds(known.get('total_ms'))}."
    parts = [asked, ended]
    if error := known.get("error"):
        parts.append(f"Refused by {error.get('who')}: {error.get('message')} {error.get('hint') or ''}".rstrip())
    if known.get("client_gone"):
        parts.append("The client left before the end.")
    if (known.get("attempts") or 1) > 1:
        parts.append(f"It took {known['attempts']} attempts.")
    if known.get("broken_at"):
        parts.append(f"The prompt cache broke at {known['broken_at']}.")
    return " ".join(parts)
