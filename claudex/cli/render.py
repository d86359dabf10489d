"""Everything that a command prints: rich text for people, or one JSON document for programs."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, TYPE_CHECKING, TypeVar

import msgspec

from ..errors import ClaudexError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

Result = TypeVar("Result")

# Wide enough that a table written to a file or a pipe keeps its values whole.
PIPE_WIDTH = 160
PROGRESS_AFTER_S = 1.0


def mend_streams() -> None:
    """A caller may have closed some (`>&-`: Python has None there), or chosen an encoding that lacks our letters."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 (lives as long as we do)
        elif mode == "w" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def discard_stdout() -> None:
    """What is still unwritten goes nowhere, so that the interpreter's end does not complain about it once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def console(stream: IO[str] | None = None) -> Console:
    """Colours only on a terminal, and never against NO_COLOR."""
    from rich.console import Console

    out = stream or sys.stdout
    terminal = out.isatty()
    coloured = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Console(
        file=out,
        width=None if terminal else PIPE_WIDTH,
        color_system="auto" if coloured else None,
        force_terminal=terminal,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
    )


def emit(result: Result, view: Callable[[Result], RenderableType], *, as_json: bool) -> int:
    """Print `result`; its `exit_code`, if it has one, is what the command ends with.

    With --json its `reason` goes to stderr, where a script that only looks at the exit code finds it.
    """
    if as_json:
        print_json(result)
        if reason := getattr(result, "reason", ""):
            complain(reason)
    else:
        show(view(result))
    return int(getattr(result, "exit_code", 0))


def show(renderable: RenderableType) -> None:
    out = console()
    if out.is_terminal:
        return out.print(renderable)
    with out.capture() as captured:  # a pipe gets no spaces that only fill a table's last column
        out.print(renderable)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def print_json(value: object) -> None:
    """UTF-8 as JSON has it, whatever the locale says."""
    document = msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
    sys.stdout.flush()
    sys.stdout.buffer.write(document)
    sys.stdout.flush()


def fail(error: ClaudexError, *, as_json: bool) -> int:
    """The reason on stderr, for programs also as a document on stdout; the exit code is the error's."""
    complain(str(error))
    try:
        if as_json:
            print_json({"error": error_document(error)})
        sys.stdout.flush()
    except OSError:  # full, or nobody reads on: the reason stands on stderr
        discard_stdout()
    return error.exit_code


def complain(reason: str) -> None:
    """One line on stderr, whatever the reason holds."""
    print(f"claudex: {' '.join(reason.split())}", file=sys.stderr)


def error_document(error: ClaudexError) -> dict[str, object]:
    return {
        "type": type(error).__name__,
        "message": error.message,
        "hint": error.hint,
        "who": error.who,
        "exit_code": error.exit_code,
    }


def pairs(rows: list[tuple[str, RenderableType]]) -> Table:
    """Names on the left, values on the right, no lines."""
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, value)
    return table


def grid(*names: str, right: tuple[str, ...] = ()) -> Table:
    """A table with a quiet header; columns in `right` hold numbers."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in names:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return table


def duration(seconds: float) -> str:
    whole = int(seconds)
    for size, unit, smaller, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {unit}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"


def moment(unix: float | None) -> str:
    """Local date and time of `unix` seconds."""
    return datetime.fromtimestamp(unix).strftime("%Y-%m-%d %H:%M") if unix is not None else "-"


def milliseconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value / 1000:.1f} s" if value >= 10_000 else f"{value:.0f} ms"


def count(value: int | None) -> str:
    return f"{value:,}" if value is not None else "-"


@contextmanager
def progress(what: str, *, quiet: bool = False) -> Iterator[None]:
    """Say on stderr what is being waited for, once it takes longer than a second; on a terminal with the time."""
    done = threading.Event()
    teller = threading.Thread(target=_tell, args=(what, done), daemon=True)
    if not quiet:
        teller.start()
    try:
        yield
    finally:
        done.set()
        if not quiet:
            teller.join()


def _tell(what: str, done: threading.Event) -> None:
    terminal, waited = sys.stderr.isatty() and os.environ.get("TERM") != "dumb", PROGRESS_AFTER_S
    if done.wait(PROGRESS_AFTER_S):
        return
    if not terminal:
        print(f"claudex: {what} …", file=sys.stderr, flush=True)
        return
    while True:
        print(f"\r\x1b[Kclaudex: {what} … {waited:.0f} s", end="", file=sys.stderr, flush=True)
        if done.wait(1.0):
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            return
        waited += 1
