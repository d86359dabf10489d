"""Assistant turns: text, reasoning and tool calls back in the order in which the model made them.

Claude Code returns a message's blocks regrouped: everything else in its order, then the tool calls in theirs. A
signature of ours says after which call its block stood; it takes the text that follows along.
"""

from ...wire.anthropic import Block
from . import content, thinking
from .decode import Turn
from .items import (
    OUTPUT_TEXT,
    Call,
    Context,
    Item,
    Said,
    encode,
    inside,
    is_empty,
    is_string,
    message,
    not_carried,
    spoken,
    string,
)
from .malformed import Malformed

PHASES = ("commentary", "final_answer")


class _Order:
    """What was said and called, in the order of the blocks; at the end, what belongs behind another call goes there."""

    __slots__ = ("_after", "_anchor", "_items", "_known", "_moved", "_parts", "_phase")

    def __init__(self, calls: set[str]) -> None:
        self._known = calls
        self._items: list[Item] = []
        self._after: list[str | None] = []
        self._anchor: str | None = None
        self._moved = False
        self._phase: str | None = None
        self._parts: list[bytes] = []

    def say(self, part: bytes) -> None:
        self._parts.append(part)

    def think(self, meta: thinking.Meta, item: Said | None) -> None:
        if self._parts:
            self._close()
        if meta.after is not None and meta.after in self._known:
            self._anchor, self._moved = meta.after, True
        if item is not None:
            self._add(item)
        self._phase = meta.phase if meta.phase in PHASES else None

    def call(self, call: Call) -> None:
        if self._parts:
            self._close()
        self._anchor, self._phase = call.id, None
        self._add(call)

    def items(self) -> list[Item]:
        if self._parts:
            self._close()
        return self._regrouped() if self._moved else self._items

    def _close(self) -> None:
        """Texts side by side are one message."""
        self._add(message("assistant", self._parts, self._phase))
        self._parts, self._phase = [], None

    def _add(self, item: Item) -> None:
        self._items.append(item)
        self._after.append(self._anchor)

    def _regrouped(self) -> list[Item]:
        behind: dict[str | None, list[Item]] = {}
        for item, after in zip(self._items, self._after, strict=True):
            if type(item) is not Call:
                behind.setdefault(after, []).append(item)
        out = behind.pop(None, [])
        for item in self._items:
            if isinstance(item, Call):
                out.append(item)
                out += behind.pop(item.id, [])
        return out


def turn(turn: Turn, ctx: Context) -> list[Item]:
    order = _Order({block.id for block in turn.blocks if block.type == "tool_use" and block.id})
    for place, block in enumerate(turn.blocks):
        try:
            _put(block, order, ctx)
        except Malformed as error:
            raise error.under(f"content[{place}]") from None
    return order.items()


def _put(block: Block, order: _Order, ctx: Context) -> None:
    if block.type == "text":
        text = string(block.text, "text")
        if not is_empty(text):
            order.say(b"%b%b}" % (OUTPUT_TEXT, text))
    elif block.type == "tool_use":
        order.call(_call(block, ctx))
    elif block.type == "thinking":
        order.think(*_reasoning(block, ctx))
    elif block.type == "redacted_thinking":
        ctx.losses.add("thinking.redacted")
    else:
        order.say(b"%b%b}" % (OUTPUT_TEXT, encode(_said(block, ctx))))


def _call(block: Block, ctx: Context) -> Call:
    if not block.id:
        raise Malformed("id", "is required")
    if block.name is None:
        raise Malformed("name", "is required")
    arguments = bytes(block.input) or b"{}"
    if arguments[:1] != b"{":
        raise Malformed("input", "must be an object")
    return Call(block.id, ctx.names.wire(block.name), encode(arguments.decode()))


def _reasoning(block: Block, ctx: Context) -> tuple[thinking.Meta, Said | None]:
    """Our own reasoning of this very account comes back; of anything else only what we know about its place."""
    found = thinking.split(inside(block.signature))
    if found is None:
        ctx.losses.add("thinking.foreign")
        return thinking.NO_META, None
    tag, meta, encrypted = found
    if not encrypted:
        return meta, None
    if tag != ctx.tag or ctx.strip_reasoning:
        ctx.losses.add("thinking.stripped" if ctx.strip_reasoning else "thinking.other_account")
        return meta, None
    ctx.replayed += 1
    return meta, _item(block, encrypted)


def _item(block: Block, encrypted: bytes) -> Said:
    """As the official client replays it: the summary as it was shown, the encrypted content byte for byte, no id.

    `encrypted` is the inside of a JSON string."""
    text = block.thinking
    shown = is_string(text) and not is_empty(text)
    summary = b'{"type":"summary_text","text":%b}' % text if shown else b""
    head = b'{"type":"reasoning","summary":[%b],"content":null,"encrypted_content":"' % summary
    return Said((head, encrypted, b'"}'), "reasoning")


def _said(block: Block, ctx: Context) -> str:
    """A block that the backend knows no item for, in words."""
    if block.type == "server_tool_use" and block.name == "web_search":
        return content.searched(block)
    if block.type == "web_search_tool_result":
        return content.found(block)
    if block.type == "compaction" and (summary := spoken(block.content)):
        return summary
    ctx.losses.add(f"block.{block.type[:60]}")
    return not_carried(block.type)
