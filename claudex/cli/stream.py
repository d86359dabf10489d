"""A streamed Messages answer, put together again, with the time of its first event."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ..errors import ClaudexError


@dataclass
class Answer:
    """`first_s` is the seconds from `begun` to the first content event."""

    begun: float
    content: list[dict[str, Any]] = field(default_factory=list)
    usage: dict[str, Any] = field(default_factory=dict)
    stop_reason: str | None = None
    complete: bool = False
    first_s: float | None = None
    partial_json: dict[int, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return "".join(block["text"] for block in self.content if block["type"] == "text")

    def tool_use(self) -> dict[str, Any] | None:
        return next((block for block in self.content if block["type"] == "tool_use"), None)


class StreamError(ClaudexError):
    """An `error` event inside the stream, or an end before its time."""


def collect(lines: Iterable[str], begun: float) -> Answer:
    answer = Answer(begun)
    for line in lines:
        if line.startswith("data:"):
            _take(answer, msgspec.json.decode(line[5:].strip()))
    if not answer.complete:
        raise StreamError("the stream ended before message_stop")
    return answer


def _take(answer: Answer, event: dict[str, Any]) -> None:
    match event["type"]:
        case "error":
            raise StreamError(str(event["error"]["message"]))
        case "content_block_start":
            answer.content.append(dict(event["content_block"]))
        case "content_block_delta":
            _delta(answer, event["index"], event["delta"])
        case "content_block_stop":
            if arguments := answer.partial_json.get(event["index"]):
                answer.content[event["index"]]["input"] = msgspec.json.decode(arguments)
        case "message_delta":
            answer.usage.update(event.get("usage") or {})
            answer.stop_reason = event["delta"].get("stop_reason")
        case "message_start":
            answer.usage.update(event["message"].get("usage") or {})
        case "message_stop":
            answer.complete = True


def _delta(answer: Answer, index: int, delta: dict[str, Any]) -> None:
    block = answer.content[index]
    match delta["type"]:
        case "text_delta":
            block["text"] = block.get("text", "") + delta["text"]
        case "thinking_delta":
            block["thinking"] = block.get("thinking", "") + delta["thinking"]
            if not delta["thinking"]:
                return  # a sign of life, not the model's word
        case "signature_delta":
            block["signature"] = delta["signature"]
        case "input_json_delta":
            answer.partial_json[index] = answer.partial_json.get(index, "") + delta["partial_json"]
    if answer.first_s is None:
        answer.first_s = time.monotonic() - answer.begun
