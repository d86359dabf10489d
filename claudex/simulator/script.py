"""What the simulator shall answer, written in Python or TOML.

A turn is a list of items plus how the answer ends or fails. The first queued turn whose `when` fits the request is
played, so that side calls (titles, classifiers) need not eat the turns meant for the conversation.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .recorded import Recorded

When = str | Callable[[Recorded], bool] | None


@dataclass(frozen=True)
class Citation:
    """Characters `start` to `end` of the text rest on `url`."""

    url: str
    title: str = ""
    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class Text:
    text: str
    phase: str | None = None
    citations: Sequence[Citation] = ()


@dataclass(frozen=True)
class Reasoning:
    """`summary` parts are streamed whether or not the request asked for them. `encrypted` None: a genuine seal."""

    summary: Sequence[str] = ()
    encrypted: str | None = None


@dataclass(frozen=True)
class Call:
    """`arguments` as an object, or as the string to send, which may be broken JSON."""

    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict)
    namespace: str | None = None
    call_id: str | None = None


@dataclass(frozen=True)
class CustomCall:
    name: str
    input: str
    namespace: str | None = None
    call_id: str | None = None


@dataclass(frozen=True)
class Refusal:
    text: str


@dataclass(frozen=True)
class WebSearch:
    query: str
    sources: Sequence[str] = ()


@dataclass(frozen=True)
class Compaction:
    pass


@dataclass(frozen=True)
class RawItem:
    """Any output item: added and done with the same content."""

    item: Mapping[str, Any]


@dataclass(frozen=True)
class Pause:
    """Silence of `seconds` inside the stream, or `keepalive` events ten times a second."""

    seconds: float
    keepalive: bool = False


Item = Text | Reasoning | Call | CustomCall | Refusal | WebSearch | Compaction | RawItem | Pause


@dataclass(frozen=True)
class Turn:
    items: tuple[Item, ...] = ()
    when: When = None
    repeat: int = 1
    """How often the turn is played; 0: for ever."""

    sse: bytes | None = None
    """The stream, verbatim, instead of items."""

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Status, body and further headers of an HTTP refusal; with status 200 the headers are added to the stream's."""

    usage: Mapping[str, int] | None = None
    end_turn: bool | None = None
    incomplete: str | None = None
    failed: Mapping[str, Any] | None = None
    error_event: bool = False
    """An `error` event stands before response.failed, as with capacity errors of the real backend."""

    terminal: bool = True
    delay: float = 0.0
    """Silence before the response headers."""

    cut_after: int | None = None
    """The connection drops after so many events; with `cut_inside` in the middle of the next one."""

    cut_inside: bool = False
    reset: bool = False
    """The connection drops before any answer."""

    def fits(self, request: Recorded) -> bool:
        if self.when is None:
            return True
        return self.when in request.user if isinstance(self.when, str) else self.when(request)


Playable = Turn | str | bytes | Path


def turn(*items: Item | str, **facts: Any) -> Turn:
    """A turn of items; a string is a text item. `facts` are Turn's fields."""
    return Turn(tuple(Text(item) if isinstance(item, str) else item for item in items), **facts)


def sse(source: bytes | Path, **facts: Any) -> Turn:
    """A recorded stream, played byte for byte."""
    return Turn(sse=source.read_bytes() if isinstance(source, Path) else source, **facts)


def fault(status: int, body: object = None, **facts: Any) -> Turn:
    """An HTTP refusal. `body`: a dict is sent as JSON, a string as HTML, as Cloudflare would."""
    return Turn(status=status, body=body, **facts)


def failed(code: str, message: str = "", *, error_event: bool = False, **facts: Any) -> Turn:
    """HTTP 200, then response.failed with this code."""
    return Turn(failed={"code": code, "message": message}, error_event=error_event, **facts)


def reset(**facts: Any) -> Turn:
    return Turn(reset=True, **facts)


def as_turn(played: Playable) -> Turn:
    if isinstance(played, Turn):
        return played
    return turn(played) if isinstance(played, str) else sse(played)


@dataclass(frozen=True)
class Script:
    """A TOML file's content: the turns, and what it says about the simulator itself."""

    turns: tuple[Turn, ...] = ()
    seed: int | None = None
    window: int | None = None

    @classmethod
    def load(cls, path: str | Path) -> "Script":
        """Read a TOML script. Raises ValueError naming the file and what is wrong in it."""
        file = Path(path)
        try:
            return cls.parse(file.read_text(encoding="utf-8"), file.parent)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{file}: {error}") from error

    @classmethod
    def parse(cls, text: str, folder: Path) -> "Script":
        document = tomllib.loads(text)
        if unknown := set(document) - {"seed", "window", "turn"}:
            raise ValueError(f"unknown key {sorted(unknown)[0]!r}")
        turns = tuple(_turn(table, folder) for table in document.get("turn", []))
        return cls(turns, document.get("seed"), document.get("window"))


_ITEMS: dict[str, Callable[..., Item]] = {
    "text": Text,
    "reasoning": Reasoning,
    "call": Call,
    "custom_call": CustomCall,
    "refusal": Refusal,
    "web_search": WebSearch,
    "compaction": Compaction,
    "raw": RawItem,
    "pause": Pause,
}
_PLAIN = set(Turn.__dataclass_fields__) - {"items", "sse", "when"}


def _turn(table: dict[str, Any], folder: Path) -> Turn:
    known = _PLAIN | {"item", "text", "sse", "when"}
    if unknown := set(table) - known:
        raise ValueError(f"unknown key {sorted(unknown)[0]!r} in a turn; known are {', '.join(sorted(known))}")
    items = [_item(entry) for entry in table.get("item", [])]
    if "text" in table:
        items.append(Text(table["text"]))
    made = turn(*items, when=table.get("when"), **{key: table[key] for key in _PLAIN & set(table)})
    return replace(made, sse=(folder / table["sse"]).read_bytes()) if "sse" in table else made


def _item(table: dict[str, Any]) -> Item:
    facts = dict(table)
    kind = facts.pop("type", None)
    if kind not in _ITEMS:
        raise ValueError(f"item type {kind!r} is none of {', '.join(_ITEMS)}")
    if "citations" in facts:
        facts["citations"] = [Citation(**citation) for citation in facts["citations"]]
    return _ITEMS[kind](**facts)
