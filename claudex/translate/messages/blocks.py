"""Content blocks on the wire: one open at a time, numbered from 0, every event as Anthropic's SSE bytes."""

import json
from collections.abc import Sequence
from typing import Literal

import msgspec

from ...wire import sse
from . import thinking
from .facts import Facts
from .thinking import Meta

Kind = Literal["", "text", "thinking", "tool_use"]

_json = msgspec.json.Encoder().encode
_START = b'{"type":"content_block_start","index":%d,"content_block":%b}'
_CITATION = b'{"type":"content_block_delta","index":%d,"delta":{"type":"citations_delta","citation":%b}}'
_SIGNATURE = b'{"type":"content_block_delta","index":%d,"delta":{"type":"signature_delta","signature":%b}}'
_DELTA = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":%b'
_AFTER = b"}}\n\n"
_DELTAS: dict[Kind, bytes] = {
    "text": b'"text_delta","text":',
    "thinking": b'"thinking_delta","thinking":',
    "tool_use": b'"input_json_delta","partial_json":',
}


def quote(value: object) -> bytes:
    """JSON. msgspec refuses lone surrogates, which clients send and models repeat; json escapes them."""
    try:
        return _json(value)
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


class Blocks:
    """Writes blocks, and decides when a thinking block gets its signature.

    A reasoning item's block stays open after the item is done: what its signature must say (the phase of the message
    that follows) is known only when the next item begins. `keep_alive` may have opened a thinking block before any item
    did: the first reasoning item takes it over.
    """

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.kind: Kind = ""
        self.started = False  # something other than a keep-alive has been written
        self.tool_ids: list[str] = []
        self.characters = 0  # of all deltas, near enough for an estimate
        self._out: list[bytes] = []
        self._index = -1
        self._before = self._between = b""  # around and between the deltas of the open block
        self._held: str | None = None  # encrypted content that waits for the next item; None: no item, or not done
        self._texts = False  # the last block was text

    def take(self) -> bytes:
        out = self._out
        if len(out) == 1:
            return out.pop()
        self._out = []
        return b"".join(out)

    def write(self, event: str, data: bytes) -> None:
        self._out.append(sse.encode(event, data))

    def deltas(self, texts: Sequence[str]) -> None:
        """One delta event per text, for the open block."""
        try:
            body = _json(texts[0]) if len(texts) == 1 else self._between.join(map(_json, texts))
        except UnicodeEncodeError:
            body = self._between.join(map(quote, texts))
        self.characters += len(body) - 2 * len(texts) - (len(texts) - 1) * len(self._between)
        self._out.append(self._before + body + _AFTER)

    def text(self, phase: str | None = None, *, message: bool = False) -> None:
        """Begin a text block. `message`: it is the first of a message item, so its place and phase must survive."""
        meta = Meta(self._after, phase if message else None)
        if self.kind == "thinking":
            self._settle(meta, carry=message)
        elif message and self.facts.thinking != "none" and (meta != thinking.NO_META or self._texts):
            self._carry(meta)
        self._begin("text", b'{"type":"text","text":""}')

    def tool_use(self, call_id: str, name: str) -> None:
        self._begin("tool_use", b'{"type":"tool_use","id":%b,"name":%b,"input":{}}' % (quote(call_id), quote(name)))
        self.tool_ids.append(call_id)

    def whole(self, block: dict[str, object], partial_json: str | None = None) -> None:
        """A block that comes in one piece; its input, if it has one, as a single delta."""
        self._begin("tool_use", quote(block))
        if partial_json is not None:
            self.deltas([partial_json])
        self.end()

    def cite(self, citation: dict[str, object]) -> None:
        """A citation of the open text block."""
        self.write("content_block_delta", _CITATION % (self._index, quote(citation)))

    def think(self) -> None:
        """A reasoning item begins."""
        if self.facts.thinking == "none":
            return
        self.started = True
        if self.kind != "thinking" or self._held is not None:
            self._begin_thinking()

    def hold(self, encrypted: str) -> None:
        """The reasoning item is done; its block waits for what follows."""
        if self.kind == "thinking":
            self._held = encrypted

    def keep_alive(self) -> None:
        """An event of content that adds nothing. Claude Code 2.1.197 takes only these as a sign of life.

        Between two blocks it is a ping: a block of our own might stay the last one, and `claude -p` prints the last
        block of an answer. The long silences are before the first block and inside of reasoning.
        """
        if not self.kind and (self.started or self.facts.thinking == "none"):
            self.write("ping", b'{"type":"ping"}')
            return
        if not self.kind:
            self._begin_thinking()
            self.started = False
        self.deltas([""])

    def end(self) -> None:
        """Close what is open."""
        if self.kind == "thinking":
            self._settle(Meta(self._after), carry=False)
        elif self.kind:
            self._stop()

    @property
    def _after(self) -> str | None:
        return self.tool_ids[-1] if self.tool_ids else None

    def _begin_thinking(self) -> None:
        self._begin("thinking", b'{"type":"thinking","thinking":"","signature":""}')

    def _begin(self, kind: Kind, block: bytes) -> None:
        self.end()
        self._index += 1
        self.kind = kind
        self.started = True
        self._texts = kind == "text"
        self.write("content_block_start", _START % (self._index, block))
        self._before = _DELTA % (self._index, _DELTAS[kind])
        self._between = _AFTER + self._before

    def _settle(self, meta: Meta, *, carry: bool) -> None:
        """Sign and close the open thinking block. Without reasoning it is signed only to carry `meta` to a message."""
        encrypted, self._held = self._held or "", None
        if encrypted or (carry and meta != thinking.NO_META):
            self._sign(encrypted, meta)
        self._stop()

    def _carry(self, meta: Meta) -> None:
        self._begin_thinking()
        self._sign("", meta)
        self._stop()

    def _sign(self, encrypted: str, meta: Meta) -> None:
        signature = thinking.encode(self.facts.tag, encrypted, meta)
        self.write("content_block_delta", _SIGNATURE % (self._index, quote(signature)))

    def _stop(self) -> None:
        self.kind = ""
        self.write("content_block_stop", b'{"type":"content_block_stop","index":%d}' % self._index)
