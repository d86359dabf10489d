"""One output item as events, from `output_item.added` to `output_item.done`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .script import Call, Compaction, CustomCall, Item, RawItem, Reasoning, Refusal, Text, WebSearch

if TYPE_CHECKING:
    from .stream import Answer

Event = dict[str, Any]
LONG_TEXT = 2000
"""Characters from which deltas grow with the text, so that no answer takes more than a few hundred events."""


def item_events(item: Item, index: int, answer: Answer, *, final: bool) -> Iterator[Event]:
    """`final`: no tool call follows, which makes a message the final answer."""
    at = {"output_index": index}
    if isinstance(item, Text):
        phase = item.phase or ("final_answer" if final else "commentary")
        yield from _message(item, at, answer, phase)
    elif isinstance(item, Refusal):
        yield from _refusal(item, at, answer)
    elif isinstance(item, Reasoning):
        yield from _reasoning(item, at, answer)
    elif isinstance(item, Call):
        yield from _function_call(item, at, answer)
    elif isinstance(item, CustomCall):
        yield from _custom_call(item, at, answer)
    elif isinstance(item, WebSearch):
        yield from _web_search(item, at, answer)
    elif isinstance(item, Compaction):
        sealed = {"type": "compaction", "id": answer.new_id("cmp_"), "encrypted_content": answer.seal("compaction")}
        yield from _whole(sealed, at, answer)
    elif isinstance(item, RawItem):
        yield from _whole(dict(item.item), at, answer)


def _message(item: Text, at: Event, answer: Answer, phase: str) -> Iterator[Event]:
    shell = {"id": answer.new_id("msg_"), "type": "message", "status": "in_progress", "content": [], "phase": phase}
    shell["role"] = "assistant"
    yield _added(shell, at)
    here = {"item_id": shell["id"], **at, "content_index": 0}
    part: Event = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
    yield {"type": "response.content_part.added", **here, "part": part}
    yield from _deltas("response.output_text.delta", here, item.text, answer, {"logprobs": []})
    notes = [_citation(citation) for citation in item.citations]
    for number, note in enumerate(notes):
        kind = "response.output_text.annotation.added"
        yield {"type": kind, **here, "annotation_index": number, "annotation": note}
    yield {"type": "response.output_text.done", **here, "text": item.text, "logprobs": []}
    part = {**part, "text": item.text, "annotations": notes}
    yield {"type": "response.content_part.done", **here, "part": part}
    yield _done({**shell, "status": "completed", "content": [part]}, at, answer)


def _citation(citation: Any) -> Event:
    place = {"start_index": citation.start, "end_index": citation.end}
    return {"type": "url_citation", **place, "url": citation.url, "title": citation.title}


def _refusal(item: Refusal, at: Event, answer: Answer) -> Iterator[Event]:
    shell: Event = {"id": answer.new_id("msg_"), "type": "message", "status": "in_progress", "content": []}
    shell["role"] = "assistant"
    yield _added(shell, at)
    here = {"item_id": shell["id"], **at, "content_index": 0}
    yield {"type": "response.content_part.added", **here, "part": {"type": "refusal", "refusal": ""}}
    yield from _deltas("response.refusal.delta", here, item.text, answer)
    yield {"type": "response.refusal.done", **here, "refusal": item.text}
    part = {"type": "refusal", "refusal": item.text}
    yield {"type": "response.content_part.done", **here, "part": part}
    yield _done({**shell, "status": "completed", "content": [part]}, at, answer)


def _reasoning(item: Reasoning, at: Event, answer: Answer) -> Iterator[Event]:
    """The blob in `added` is an early one, good for nothing; only the one in `done` can be sent back."""
    shell: Event = {"id": answer.new_id("rs_"), "type": "reasoning", "summary": []}
    early = {"encrypted_content": answer.seal("early", 60)} if answer.encrypts else {}
    yield _added({**shell, **early}, at)
    for number, text in enumerate(item.summary):
        here = {"item_id": shell["id"], **at, "summary_index": number}
        empty = {"type": "summary_text", "text": ""}
        yield {"type": "response.reasoning_summary_part.added", **here, "part": empty}
        yield from _deltas("response.reasoning_summary_text.delta", here, text, answer)
        yield {"type": "response.reasoning_summary_text.done", **here, "text": text}
        yield {"type": "response.reasoning_summary_part.done", **here, "part": {**empty, "text": text}}
    summary = [{"type": "summary_text", "text": text} for text in item.summary]
    sealed = {"encrypted_content": item.encrypted or answer.seal("reasoning")} if answer.encrypts else {}
    yield _done({**shell, "summary": summary, **sealed}, at, answer)


def _function_call(item: Call, at: Event, answer: Answer) -> Iterator[Event]:
    arguments = item.arguments if isinstance(item.arguments, str) else _compact(item.arguments)
    shell: Event = {"id": answer.new_id("fc_"), "type": "function_call", "status": "in_progress", "arguments": ""}
    shell |= {"call_id": item.call_id or answer.new_call_id(), "name": item.name}
    if item.namespace:
        shell["namespace"] = item.namespace
    yield _added(shell, at)
    here = {"item_id": shell["id"], **at}
    yield from _deltas("response.function_call_arguments.delta", here, arguments, answer)
    yield {"type": "response.function_call_arguments.done", **here, "arguments": arguments}
    yield _done({**shell, "status": "completed", "arguments": arguments}, at, answer)


def _custom_call(item: CustomCall, at: Event, answer: Answer) -> Iterator[Event]:
    shell: Event = {"id": answer.new_id("ctc_"), "type": "custom_tool_call", "status": "in_progress", "input": ""}
    shell |= {"call_id": item.call_id or answer.new_call_id(), "name": item.name}
    if item.namespace:
        shell["namespace"] = item.namespace
    yield _added(shell, at)
    here = {"item_id": shell["id"], **at}
    yield from _deltas("response.custom_tool_call_input.delta", here, item.input, answer)
    yield {"type": "response.custom_tool_call_input.done", **here, "input": item.input}
    yield _done({**shell, "status": "completed", "input": item.input}, at, answer)


def _web_search(item: WebSearch, at: Event, answer: Answer) -> Iterator[Event]:
    shell: Event = {"id": answer.new_id("ws_"), "type": "web_search_call", "status": "in_progress"}
    yield _added(shell, at)
    for state in ("in_progress", "searching", "completed"):
        yield {"type": f"response.web_search_call.{state}", **at, "item_id": shell["id"]}
    sources = [{"type": "url", "url": url} for url in item.sources]
    action = {"type": "search", "query": item.query, "queries": [item.query], "sources": sources}
    yield _done({**shell, "status": "completed", "action": action}, at, answer)


def _whole(item: Event, at: Event, answer: Answer) -> Iterator[Event]:
    yield _added(item, at)
    yield _done(item, at, answer)


def _added(item: Event, at: Event) -> Event:
    return {"type": "response.output_item.added", **at, "item": item}


def _done(item: Event, at: Event, answer: Answer) -> Event:
    answer.written.append(item)
    return {"type": "response.output_item.done", **at, "item": item}


def _deltas(kind: str, here: Event, text: str, answer: Answer, more: Event | None = None) -> Iterator[Event]:
    """The text in small pieces, each with the random padding that the real backend sends along."""
    longest = max(12, 12 * len(text) // LONG_TEXT)
    start = 0
    while start < len(text):
        piece = text[start : start + answer.rng.randrange(longest // 3, longest + 1)]
        start += len(piece)
        padding = answer.rng.randbytes(8).hex()[: answer.rng.randrange(17)]
        yield {"type": kind, **here, "delta": piece, **(more or {}), "obfuscation": padding}


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
