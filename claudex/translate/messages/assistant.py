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
REASONING = b',{"type":"reasoning","summary":[%b],"content":null,"encrypted_content":"'
SUMMARY = b'{"type":"summary_text","text":%b}'


class _Order:
    """What was said and called, in the order of the blocks; at the end, what belongs behind another call goes there."""

    __slots__ = ("_blocks", "_calls", "_ctx", "_items", "_moves", "_parts", "_phase")

    def __init__(self, blocks: list[Block], ctx: Context) -> None:
        self._blocks = blocks
        self._ctx = ctx
        self._calls: set[str] | None = None
        self._items: list[Item] = []
        self._moves: dict[int, str] = {}
        self._phase: str | None = None
        self._parts: list[bytes] = []

    def put(self, block: Block) -> None:
        if block.type == "text":
            text = string(block.text, "text")
            if not is_empty(text):
                self._parts.append(b"%b%b}" % (OUTPUT_TEXT, text))
        elif block.type == "tool_use":
            if self._parts:
                self._close()
            self._phase = None
            self._items.append(_call(block, self._ctx))
        elif block.type == "thinking":
            self._think(block)
        elif block.type == "redacted_thinking":
            self._ctx.losses.add("thinking.redacted")
        else:
            self._parts.append(b"%b%b}" % (OUTPUT_TEXT, encode(_said(block, self._ctx))))

    def items(self) -> list[Item]:
        if self._parts:
            self._close()
        return self._regrouped() if self._moves else self._items

    def _think(self, block: Block) -> None:
        if self._parts:
            self._close()
        meta, encrypted = _reasoning(block, self._ctx)
        if meta.after is not None and self._knows(meta.after):
            self._moves[len(self._items)] = meta.after
        if encrypted:
            self._items.append(_item(block, encrypted))
        self._phase = meta.phase if meta.phase in PHASES else None

    def _close(self) -> None:
        """Texts side by side are one message."""
        self._items.append(message("assistant", self._parts, self._phase))
        self._parts, self._phase = [], None

    def _knows(self, call: str) -> bool:
        if self._calls is None:
            self._calls = {block.id for block in self._blocks if block.type == "tool_use" and block.id}
        return call in self._calls

    def _regrouped(self) -> list[Item]:
        """Each item stands behind the last call before it, unless a signature has said otherwise since."""
        behind: dict[str | None, list[Item]] = {}
        after = None
        for place, item in enumerate(self._items):
            after = self._moves.get(place, after)
            if isinstance(item, Call):
                after = item.id
            else:
                behind.setdefault(after, []).append(item)
        out = behind.pop(None, [])
        for item in self._items:
            if isinstance(item, Call):
                out.append(item)
                out += behind.pop(item.id, [])
        return out


def turn(turn: Turn, ctx: Context) -> list[Item]:
    order = _Order(turn.blocks, ctx)
    for place, block in enumerate(turn.blocks):
        try:
            order.put(block)
        except Malformed as error:
            raise error.under(f"content[{place}]") from None
    return order.items()


def _call(block: Block, ctx: Context) -> Call:
    if not block.id:
        raise Malformed("id", "is required")
    if block.name is None:
        raise Malformed("name", "is required")
    arguments = str(block.input, "utf-8")
    if arguments in ("", "null"):
        arguments = "{}"  # what else is no object goes back as the model once wrote it
    return Call(block.id, ctx.names.wire(block.name), encode(arguments))


def _reasoning(block: Block, ctx: Context) -> tuple[thinking.Meta, bytes]:
    """Our own reasoning of this very account comes back; of anything else only what we know about its place."""
    found = thinking.split(inside(block.signature))
    if found is None:
        ctx.losses.add("thinking.foreign")
        return thinking.NO_META, b""
    tag, meta, encrypted = found
    if not encrypted:
        return meta, b""
    if tag != ctx.tag or ctx.strip_reasoning:
        ctx.losses.add("thinking.stripped" if ctx.strip_reasoning else "thinking.other_account")
        return meta, b""
    ctx.replayed += 1
    return meta, encrypted


def _item(block: Block, encrypted: bytes) -> Said:
    """As the official client replays it: the summary as it was shown, the encrypted content byte for byte, no id.

    `encrypted` is the inside of a JSON string."""
    text = block.thinking
    head = REASONING % (SUMMARY % text if is_string(text) and not is_empty(text) else b"")
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
