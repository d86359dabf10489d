"""The grammar of the Messages stream, as a checker: every stream that claudex writes must pass."""

import json
from typing import Any

DELTAS = {
    "text": {"text_delta", "citations_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "tool_use": {"input_json_delta"},
    "server_tool_use": {"input_json_delta"},
    "web_search_tool_result": set(),
}
STOP_REASONS = {"end_turn", "max_tokens", "stop_sequence", "tool_use", "refusal", "pause_turn"}


class Broken(AssertionError):
    pass


def need(condition: object, why: str) -> None:
    if not condition:
        raise Broken(why)


def events(stream: bytes) -> list[dict[str, Any]]:
    """The events of a stream; each must be one event line, one data line, and the same name in both."""
    found = []
    text = stream.decode("utf-8")
    need(not text or text.endswith("\n\n"), "the stream ends inside an event")
    for block in text.split("\n\n")[:-1]:
        name, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        need(name == f"event: {event['type']}", f"{name} names another event than {event['type']}")
        found.append(event)
    return found


def check(stream: bytes, *, failed: bool = False) -> list[dict[str, Any]]:
    """Check a whole answer. `failed`: it must end with an error event."""
    found = events(stream)
    need(found, "no event at all")
    if failed:
        need(found[-1]["type"] == "error", "a failed answer ends with an error event")
        need(found[-1]["error"]["type"] and found[-1]["error"]["message"], "the error says nothing")
        found = found[:-1]
    else:
        need([event["type"] for event in found[-2:]] == ["message_delta", "message_stop"], "the end is not the end")
    if found:
        _body(found, failed)
    return found


def _body(found: list[dict[str, Any]], failed: bool) -> None:
    need(found[0]["type"] == "message_start", "message_start comes first")
    need(found[0]["message"]["content"] == [], "message_start has content")
    open_block: dict[str, Any] | None = None
    blocks: list[dict[str, Any]] = []
    signed: set[int] = set()
    ids: set[str] = set()
    for position, event in enumerate(found[1:], 1):
        match event["type"]:
            case "content_block_start":
                need(open_block is None, "a block begins inside another")
                need(event["index"] == len(blocks), f"index {event['index']} after {len(blocks)} blocks")
                open_block = event["content_block"]
                need(open_block["type"] in DELTAS, f"unknown block {open_block['type']}")
                blocks.append(open_block)
                if "id" in open_block:
                    need(open_block["id"] and open_block["id"] not in ids, "tool ids are unique")
                    need(open_block["name"], "a tool call has a name")
                    ids.add(open_block["id"])
            case "content_block_delta":
                need(open_block is not None, "a delta outside a block")
                assert open_block is not None
                need(event["index"] == len(blocks) - 1, "a delta for another block")
                kind = event["delta"]["type"]
                need(kind in DELTAS[open_block["type"]], f"{kind} in a {open_block['type']} block")
                need(event["index"] not in signed, "a delta after the signature")
                if kind == "signature_delta":
                    signed.add(event["index"])
                value = next(event["delta"][key] for key in event["delta"] if key != "type")
                need(isinstance(value, dict if kind == "citations_delta" else str), f"{kind} of {type(value)}")
            case "content_block_stop":
                need(open_block is not None, "a stop outside a block")
                need(event["index"] == len(blocks) - 1, "a stop for another block")
                open_block = None
            case "message_delta":
                need(open_block is None, "the message ends inside a block")
                need(position == len(found) - 2 and not failed, "message_delta comes once, before message_stop")
                _end(event, blocks)
            case "message_stop":
                need(position == len(found) - 1, "events after message_stop")
            case kind:
                need(kind == "ping", f"unexpected {kind}")


def _end(event: dict[str, Any], blocks: list[dict[str, Any]]) -> None:
    reason = event["delta"]["stop_reason"]
    need(reason in STOP_REASONS, f"stop_reason {reason}")
    calls = any(block["type"] == "tool_use" for block in blocks)
    need(reason != "tool_use" or calls, "stop_reason tool_use without a call")
    need(reason != "end_turn" or not calls, "end_turn with a call")
    need((event["delta"]["stop_sequence"] is not None) == (reason == "stop_sequence"), "stop_sequence")
    need(
        all(isinstance(count, int) and count >= 0 for count in event["usage"].values() if not isinstance(count, dict)),
        "usage",
    )
