"""What a history is made of on its way upstream, already in the backend's JSON but not yet in its final order."""

import msgspec
from msgspec import Raw, Struct

from .losses import Losses
from .malformed import Malformed
from .names import Names

INPUT_TEXT = b'{"type":"input_text","text":'
OUTPUT_TEXT = b'{"type":"output_text","text":'
EMPTY = b'""'

encode = msgspec.json.encode


class Context(Struct):
    """What the translation of one request shares. `images`: the model reads images; `tag`: the account's."""

    names: Names
    losses: Losses
    tag: str
    strip_reasoning: bool
    images: bool
    slug: str
    replayed: int = 0


class Said(Struct, gc=False):
    """A message or reasoning item, complete."""

    data: bytes
    label: str


class Call(Struct, gc=False):
    """A tool call. `id` is the client's; `name` the backend's; `arguments` a JSON string."""

    id: str
    name: str
    arguments: bytes


class Result(Struct, gc=False):
    """The result of a call. `output` is a JSON string or a JSON list of content parts."""

    id: str
    output: bytes


Item = Said | Call | Result


def string(value: Raw, name: str) -> bytes:
    """The JSON string as the client wrote it."""
    data = bytes(value)
    if data[:1] != b'"':
        raise Malformed(name, "must be a string" if data else "is required")
    return data


def spoken(value: Raw) -> str:
    """The text of an optional string; empty when it is absent, null or something else."""
    data = bytes(value)
    return str(msgspec.json.decode(data)) if data[:1] == b'"' else ""


def input_text(text: str) -> bytes:
    return b"%b%b}" % (INPUT_TEXT, encode(text))


def note(text: str) -> str:
    """How claudex speaks inside a conversation: one short bracketed line."""
    return f"[claudex: {text}]"


def not_carried(kind: str) -> str:
    return note(f'a block of type "{kind[:60]}" could not be carried')


def message(role: bytes, parts: list[bytes], phase: str | None = None) -> bytes:
    tail = b',"phase":%b}' % encode(phase) if phase else b"}"
    return b'{"type":"message","role":"%b","content":[%b]%b' % (role, b",".join(parts), tail)
