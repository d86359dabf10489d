"""Server-sent events, as a stream of bytes.

The decoder is incremental and linear: no byte is searched twice however the stream was cut, inside a UTF-8 sequence or
between CR and LF included. It follows the WHATWG grammar (CR, LF and CRLF end a line, `:` begins a comment, several
`data` lines are joined with LF, a byte order mark may come first) and gives the `data` of each event. The event's name
is left out: the Responses protocol repeats it inside the JSON, and the JSON is what counts.
"""

import re

MAX_EVENT_BYTES = 64 * 1024 * 1024  # far above any real event: a runaway line must not eat the memory

_BOM = b"\xef\xbb\xbf"
_usual_events = re.compile(rb"\ndata: (.*)\n\n").findall


class EventTooLarge(ValueError):
    """One event is longer than the limit: the stream cannot be what it claims to be."""


class Decoder:
    """Bytes in, payloads out. `feed` and `rest` raise EventTooLarge."""

    __slots__ = ("_after_cr", "_head", "_held", "_held_size", "_limit")

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self._limit = limit
        self._head: bytes | None = b""  # the first bytes, while they may still be a byte order mark
        self._after_cr = False  # the last chunk ended in CR: an LF that follows belongs to it
        self._held: list[bytes] = []  # the event that has begun, in pieces, line ends made LF
        self._held_size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The payloads of the events that `chunk` completes, in order."""
        if self._head is not None:
            chunk = self._without_bom(chunk)
        if self._after_cr or b"\r" in chunk:
            chunk = self._with_lf(chunk)
        if not chunk:
            return []
        held = self._held
        if held:
            if b"\n\n" not in chunk and not (chunk[0] == 10 and held[-1][-1] == 10):
                return self._hold(chunk)
            held.append(chunk)
            chunk = b"".join(held)
            held.clear()
            self._held_size = 0
        if chunk.endswith(b"\n\n"):
            return _payloads(chunk)
        end = chunk.rfind(b"\n\n") + 2
        if end == 1:
            return self._hold(chunk)
        self._hold(chunk[end:])
        return _payloads(chunk[:end])

    @property
    def at_rest(self) -> bool:
        """The next chunk begins an event."""
        return not (self._held or self._after_cr) and self._head is None

    def rest(self) -> list[bytes]:
        """At the end of the stream: the payload of a last event that lacks its blank line, if there is one."""
        block = (self._head or b"") + b"".join(self._held)
        self._held.clear()
        self._held_size = 0
        return _payloads(block)

    def _hold(self, piece: bytes) -> list[bytes]:
        self._held_size += len(piece)
        if self._held_size > self._limit:
            raise EventTooLarge(f"an event of more than {self._limit} bytes")
        self._held.append(piece)
        return []

    def _without_bom(self, chunk: bytes) -> bytes:
        head = (self._head or b"") + chunk
        if len(head) < len(_BOM) and _BOM.startswith(head):
            self._head = head
            return b""
        self._head = None
        return head.removeprefix(_BOM)

    def _with_lf(self, chunk: bytes) -> bytes:
        if not chunk:
            return chunk
        if self._after_cr and chunk[0] == 10:
            chunk = chunk[1:]
            self._after_cr = False
            if not chunk:
                return chunk
        self._after_cr = chunk[-1] == 13
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _payloads(complete: bytes) -> list[bytes]:
    """What whole events carry. Nearly all are one event line and one data line: one pass of a regular expression."""
    found: list[bytes] = _usual_events(complete)
    lone = len(found) == 1 or b"\n\ndata" not in complete  # no data line stands where an event line should
    if lone and 3 * len(found) == complete.count(b"\n") and complete[:4] != b"data":
        return found
    return [data for block in complete.split(b"\n\n") if (data := _payload(block)) is not None]


def _payload(block: bytes) -> bytes | None:
    data: list[bytes] = []
    for line in block.split(b"\n"):
        if line.startswith(b"data:"):
            data.append(line[6:] if line[5:6] == b" " else line[5:])
        elif line == b"data":
            data.append(b"")
    return b"\n".join(data) if data else None


def encode(event: str, data: bytes) -> bytes:
    """One event on the wire. `data` is JSON and so without line breaks."""
    return b"event: %b\ndata: %b\n\n" % (event.encode(), data)
