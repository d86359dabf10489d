"""The answer as one JSON document for callers that do not stream: a fold of the events that a stream would carry."""

import json
from typing import Any

from ...wire import sse
from .blocks import quote

_COPIED = ("stop_reason", "stop_sequence", "safeguard_results")


class Fold:
    """`feed` what `MessageStream` wrote; `body` when it is done."""

    def __init__(self) -> None:
        self._decoder = sse.Decoder()
        self._message: dict[str, Any] = {}
        self._pieces: list[list[str]] = []  # per block, the deltas of its text, thinking or input

    def feed(self, chunk: bytes) -> None:
        for payload in self._decoder.feed(chunk):
            self._apply(json.loads(payload))

    def message(self) -> dict[str, Any]:
        """The Message as an SDK would have it."""
        decoded: dict[str, Any] = json.loads(self.body())
        return decoded

    def body(self) -> bytes:
        content = b",".join(map(self._block, range(len(self._pieces))))
        head = {key: value for key, value in self._message.items() if key != "content"}
        return quote(head)[:-1] + b',"content":[%b]}' % content

    def _apply(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "message_start":
                self._message = event["message"]
            case "content_block_start":
                self._message["content"].append(event["content_block"])
                self._pieces.append([])
            case "content_block_delta":
                self._delta(event["index"], event["delta"])
            case "message_delta":
                self._message.update({key: event["delta"][key] for key in _COPIED if key in event["delta"]})
                self._message["usage"].update(event["usage"])

    def _delta(self, index: int, delta: dict[str, Any]) -> None:
        block = self._message["content"][index]
        match delta["type"]:
            case "text_delta":
                self._pieces[index].append(delta["text"])
            case "thinking_delta":
                self._pieces[index].append(delta["thinking"])
            case "input_json_delta":
                self._pieces[index].append(delta["partial_json"])
            case "signature_delta":
                block["signature"] = delta["signature"]
            case "citations_delta":
                block.setdefault("citations", []).append(delta["citation"])

    def _block(self, index: int) -> bytes:
        block = self._message["content"][index]
        pieces = "".join(self._pieces[index])
        match block["type"]:
            case "text" | "thinking":
                return quote({**block, block["type"]: pieces})
            case "tool_use" | "server_tool_use":
                rest = {key: value for key, value in block.items() if key != "input"}
                return quote(rest)[:-1] + b',"input":%b}' % _input(pieces)
        return quote(block)


def _input(text: str) -> bytes:
    """Tool input as it was written. What is no JSON object is marked the way Claude Code marks it in a stream."""
    if not text:
        return b"{}"
    try:
        if isinstance(json.loads(text, parse_constant=_refuse), dict):
            return text.encode()
    except (ValueError, RecursionError):
        pass  # UnicodeEncodeError of a lone surrogate is a ValueError too
    return quote({"__unparsedToolInput": {"raw": text, "len": len(text)}})


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
