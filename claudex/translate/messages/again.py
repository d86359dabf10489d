"""Sampling again: `end_turn: false` without a tool call means that the model has not finished.

The official client (observed with codex CLI 0.169.0) asks again at once, with the items of the answer behind the input.
Here they take the way that they would take through the client: out as blocks, back as an assistant turn. So the next
sample is asked with the very history that the client's next request rebuilds, and the cached prefix holds.
"""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
from msgspec import Raw

from ...wire import sse
from ...wire.responses import Item
from .aggregate import Fold
from .blocks import quote
from .decode import Request, Turn, blocks, without_lone_surrogates
from .events import MessageStream
from .facts import Facts

_COMPLETED = sse.encode("response.completed", b'{"type":"response.completed"}')


def answered(request: Request, items: Sequence[Item], facts: Facts) -> Request:
    """`request` with the items of one more sample as its last turn. `facts` are those that the sample came with."""
    content = Raw(without_lone_surrogates(quote(_content(items, facts))))
    turn = Turn("assistant", blocks(content, "content"))
    return msgspec.structs.replace(request, turns=[*request.turns, turn], continued=True)


def _content(items: Sequence[Item], facts: Facts) -> object:
    """The blocks that a client is sent for these items. Reasoning is never left out: the model goes on from it."""
    thinking = "signed" if facts.thinking == "none" else facts.thinking
    whole = replace(facts, stop_sequences=(), output_cap=None, thinking=thinking)
    stream, fold = MessageStream(message_id="", model="", facts=whole), Fold()
    for index, item in enumerate(items):
        event = {"type": "response.output_item.done", "output_index": index, "item": msgspec.to_builtins(item)}
        fold.feed(stream.feed(sse.encode("response.output_item.done", quote(event))))
    fold.feed(stream.feed(_COMPLETED))
    return fold.message()["content"]
