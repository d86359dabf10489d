"""Upstream events in, the message out: what the tests of the response side share."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from claudex.errors import ClaudexError
from claudex.translate.messages.aggregate import Fold
from claudex.translate.messages.events import MessageStream
from claudex.translate.messages.facts import Facts

from . import grammar

Event = dict[str, Any]
USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 60},
    "output_tokens": 20,
    "output_tokens_details": {"reasoning_tokens": 5},
}


@dataclass(frozen=True)
class Tool:
    optional_strings: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()


@dataclass
class Played:
    sse: bytes
    stream: MessageStream
    message: Event = field(default_factory=dict)

    @property
    def content(self) -> list[Event]:
        found: list[Event] = self.message["content"]
        return found

    @property
    def events(self) -> list[Event]:
        return grammar.events(self.sse)

    @property
    def error(self) -> ClaudexError:
        assert self.stream.error
        return self.stream.error


def sse(events: Iterable[Event]) -> bytes:
    return b"".join(b"event: %b\ndata: %b\n\n" % (e["type"].encode(), json.dumps(e).encode()) for e in events)


def stream_for(**facts: Any) -> MessageStream:
    return MessageStream(
        message_id="msg_1", model="opus", input_tokens=7, request_id="req_1", facts=Facts(tag="tag00000", **facts)
    )


def play_bytes(stream: MessageStream, chunks: Iterable[bytes]) -> Played:
    out = stream.start() + b"".join(stream.feed(chunk) for chunk in chunks) + stream.close()
    grammar.check(out, failed=stream.error is not None)
    fold = Fold()
    fold.feed(out)
    return Played(out, stream, fold.message())


def play(*events: Event, end: bool = True, **facts: Any) -> Played:
    """Play `events`; `end` adds response.completed."""
    return play_bytes(stream_for(**facts), [sse([*events, completed()] if end else events)])


def added(index: int, kind: str, **item: Any) -> Event:
    return {"type": "response.output_item.added", "output_index": index, "item": {"type": kind, **item}}


def done(index: int, kind: str, **item: Any) -> Event:
    return {"type": "response.output_item.done", "output_index": index, "item": {"type": kind, **item}}


def text_delta(index: int, delta: str, part: int = 0) -> Event:
    return {"type": "response.output_text.delta", "output_index": index, "content_index": part, "delta": delta}


def arguments_delta(index: int, delta: str) -> Event:
    return {"type": "response.function_call_arguments.delta", "output_index": index, "delta": delta}


def summary_delta(index: int, delta: str, part: int = 0) -> Event:
    return {
        "type": "response.reasoning_summary_text.delta",
        "output_index": index,
        "summary_index": part,
        "delta": delta,
    }


def message(index: int, *texts: str, phase: str | None = None) -> list[Event]:
    """A message of one part, its text in pieces."""
    content = [{"type": "output_text", "text": "".join(texts), "annotations": []}]
    return [
        added(index, "message", id=f"m{index}", phase=phase),
        *(text_delta(index, text) for text in texts),
        done(index, "message", id=f"m{index}", phase=phase, content=content),
    ]


def call(index: int, name: str, *pieces: str, call_id: str | None = None) -> list[Event]:
    item = {"id": f"f{index}", "call_id": call_id or f"call_{index}", "name": name}
    return [
        added(index, "function_call", arguments="", **item),
        *(arguments_delta(index, piece) for piece in pieces),
        done(index, "function_call", arguments="".join(pieces), **item),
    ]


def reasoning(index: int, *parts: str, encrypted: str | None = "secret") -> list[Event]:
    summary = [{"type": "summary_text", "text": part} for part in parts]
    return [
        added(index, "reasoning", id=f"r{index}", encrypted_content="early"),
        *(summary_delta(index, part, number) for number, part in enumerate(parts)),
        done(index, "reasoning", id=f"r{index}", summary=summary, encrypted_content=encrypted),
    ]


def completed(**response: Any) -> Event:
    return {
        "type": "response.completed",
        "response": {"id": "resp_1", "status": "completed", "usage": USAGE, **response},
    }


def incomplete(reason: str) -> Event:
    response = {"status": "incomplete", "incomplete_details": {"reason": reason}, "usage": USAGE}
    return {"type": "response.incomplete", "response": response}


def failed(code: str, text: str = "no") -> Event:
    return {"type": "response.failed", "response": {"status": "failed", "error": {"code": code, "message": text}}}
