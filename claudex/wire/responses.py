"""Events of the Responses stream, as far as they are read (names as observed with codex CLI 0.169.0).

Every field has a default: gateways leave out what they like, and a missing field must never cost an answer.
"""

import re

import msgspec
from msgspec import Struct

NO_INDEX = -1

_WHERE = re.compile(r" - at `\$(.*)`$")
_STEP = re.compile(r"\.([a-z_]+)|\[([0-9]+)\]")
# More wrong values than that, and nobody meant it as an event.
_WRONG_AT_MOST = 50


class Delta(Struct, frozen=True, gc=False):
    """What the frequent events need. Obfuscation, sequence numbers and log probabilities are skipped, not decoded."""

    type: str = ""
    output_index: int = NO_INDEX
    content_index: int = 0
    summary_index: int = 0
    delta: str = ""


class Part(Struct, frozen=True):
    """A content or summary part: output_text, refusal, summary_text, reasoning_text."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None
    annotations: list["Annotation"] | None = None


class Annotation(Struct, frozen=True):
    """Indexes count characters of the part's text."""

    type: str = ""
    url: str | None = None
    title: str | None = None
    start_index: int | None = None
    end_index: int | None = None


class Source(Struct, frozen=True):
    url: str | None = None
    title: str | None = None


class Action(Struct, frozen=True):
    """What a hosted call did; a web search has `type` search, open_page or find_in_page."""

    type: str = ""
    query: str | None = None
    queries: list[str] | None = None
    sources: list[Source] | None = None
    commands: list[str] | None = None
    command: list[str] | None = None


class Item(Struct, frozen=True):
    """An output item; `output_item.done` carries the authoritative one."""

    type: str = ""
    id: str | None = None
    status: str | None = None
    phase: str | None = None
    content: list[Part] | None = None
    summary: list[Part] | None = None
    encrypted_content: str | None = None
    call_id: str | None = None
    name: str | None = None
    namespace: str | None = None
    arguments: object = None  # a string of JSON; an object where a gateway was too kind
    input: str | None = None
    action: Action | None = None
    queries: list[str] | None = None
    code: str | None = None
    server_label: str | None = None
    text: str | None = None


class Event(Struct, frozen=True):
    """Any event that belongs to an output item."""

    type: str = ""
    output_index: int = NO_INDEX
    item_id: str | None = None
    content_index: int = 0
    summary_index: int = 0
    delta: str = ""
    text: str | None = None
    refusal: str | None = None
    arguments: str | None = None
    input: str | None = None
    name: str | None = None
    item: Item | None = None
    part: Part | None = None
    annotation: Annotation | None = None


def readable(document: dict[str, object]) -> tuple[Event, bool]:
    """The event in a decoded object, without the values that have another type than here, and whether that is all."""
    whole = True
    for _ in range(_WRONG_AT_MOST):
        try:
            return msgspec.convert(document, Event), whole
        except (ValueError, RecursionError) as error:
            whole = _without(document, str(error)) and whole
    return Event(), False


def _without(document: dict[str, object], error: str) -> bool:
    """Take out the value that `error` names. True if it was null, which says no more than a missing one."""
    found = _WHERE.search(error)
    inside: object = document
    last: str | int = ""
    value: object = document
    for name, place in _STEP.findall(found[1] if found else ""):
        inside, last = value, name or int(place)
        value = inside[last]  # type: ignore[index]
    if isinstance(inside, (dict, list)):
        inside.pop(last, None) if isinstance(inside, dict) else inside.pop(int(last))
    return value is None
