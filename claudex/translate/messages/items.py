"""What a history is made of on its way upstream, already in the backend's JSON but not yet in its final order."""

import msgspec
from msgspec import Raw, Struct

from .losses import Losses
from .malformed import Malformed
from .names import Names

INPUT_TEXT = b'{"type":"input_text","text":'
OUTPUT_TEXT = b'{"type":"output_text","text":'
EMPTY = b'""'

QUOTE = ord('"')

encode = msgspec.json.encode
_text = msgspec.json.Decoder(str).decode


class Context(Struct):
    """What the translation of one request shares. `images`: the model reads images; `tag`: the account's."""

    names: Names
    losses: Losses
    tag: bytes
    strip_reasoning: bool
    images: bool
    slug: str
    replayed: int = 0


class Said(Struct, gc=False):
    """A complete input item behind its comma, in three pieces of the body: the long one is copied once, by the last
    join."""

    data: tuple[bytes, bytes | Raw, bytes]
    label: str


class Call(Struct, gc=False):
    """A tool call. `id` is the client's; `name` the backend's; `arguments` a JSON string."""

    id: str
    name: str
    arguments: bytes


class Result(Struct, gc=False):
    """The result of a call. `output` is a JSON string or a JSON list of content parts."""

    id: str
    output: bytes | Raw


Item = Said | Call | Result

_OPENING = {
    role: b',{"type":"message","role":"%b","content":[' % role.encode() for role in ("user", "assistant", "developer")
}


def is_string(value: Raw | bytes) -> bool:
    return len(value) > 1 and memoryview(value)[0] == QUOTE


def string(value: Raw, name: str) -> Raw:
    """The JSON string as the client wrote it."""
    if not is_string(value):
        raise Malformed(name, "must be a string" if len(value) else "is required")
    return value


def is_empty(value: Raw | bytes) -> bool:
    """Whether a JSON string holds nothing."""
    return len(value) == len(EMPTY)


def spoken(value: Raw) -> str:
    """The text of an optional string; empty when it is absent, null or something else."""
    return _text(value) if is_string(value) else ""


def inside(value: Raw) -> bytes:
    """What stands between the quotes of an optional JSON string, without needless escapes."""
    data = bytes(value)
    if data[:1] != b'"':
        return b""
    return (encode(_text(value)) if b"\\" in data else data)[1:-1]


def input_text(text: str) -> bytes:
    return b"%b%b}" % (INPUT_TEXT, encode(text))


def note(text: str) -> str:
    """How claudex speaks inside a conversation: one short bracketed line."""
    return f"[claudex: {text}]"


def not_carried(kind: str) -> str:
    return note(f'a block of type "{kind[:60]}" could not be carried')


def message(role: str, parts: list[bytes], phase: str | None = None) -> Said:
    content = parts[0] if len(parts) == 1 else b",".join(parts)
    return Said((_OPENING[role], content, b'],"phase":"%b"}' % phase.encode() if phase else b"]}"), role)
