"""One request as the simulator saw it, for tests to look at."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .accounts import Account


@dataclass
class Recorded:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Case-insensitive."""

    raw: bytes = b""
    """The body as it was on the wire; `data` is the same, decompressed."""

    data: bytes = b""
    body: dict[str, Any] = field(default_factory=dict)
    account: Account | None = None
    status: int = 0
    """What was answered; 0: nothing, the connection was dropped."""

    events: int = 0
    cancelled: bool = False
    """The client went away before the answer's end."""

    closed: threading.Event = field(default_factory=threading.Event)
    """Set when the simulator is done with the request, in whatever way."""

    @property
    def lane(self) -> str:
        return "lite" if "x-openai-internal-codex-responses-lite" in self.headers else "full"

    @property
    def input(self) -> list[dict[str, Any]]:
        items = self.body.get("input")
        return items if isinstance(items, list) else []

    @property
    def user(self) -> str:
        """Text of the last user message, parts joined by newlines."""
        for item in reversed(self.input):
            if item.get("type") == "message" and item.get("role") == "user":
                return text_of(item.get("content"))
        return ""


def text_of(content: object) -> str:
    """The text of a message's content or of a tool's output."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "\n".join(str(part["text"]) for part in content if isinstance(part, dict) and "text" in part)
