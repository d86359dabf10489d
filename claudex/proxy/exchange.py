"""One request and what becomes of it: the facts of its log line."""

import asyncio
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from ..errors import ClaudexError

MESSAGE_LIMIT = 400


def new_request_id() -> str:
    return "req_" + os.urandom(12).hex()


@dataclass(slots=True, eq=False)
class Exchange:
    """Times in seconds of the monotonic clock. `cut` is set when the proxy stops and can wait no longer."""

    route: str
    method: str
    id: str = field(default_factory=new_request_id)
    started: float = field(default_factory=time.monotonic)
    task: "asyncio.Task[Any] | None" = field(default_factory=asyncio.current_task)
    cut: bool = False
    client_gone: bool = False
    status: int = 0
    error: ClaudexError | None = None
    error_type: str | None = None
    first_event: float | None = None
    overflow: tuple[int, int] | None = None
    retries: list[str] = field(default_factory=list)
    losses: Counter[str] = field(default_factory=Counter)
    facts: dict[str, Any] = field(default_factory=dict)

    def elapsed_ms(self, until: float | None = None) -> float:
        return round(((until or time.monotonic()) - self.started) * 1000, 1)

    def line(self) -> dict[str, Any]:
        """What the log says: never a prompt, never a credential."""
        facts: dict[str, Any] = {
            "id": self.id,
            "route": self.route,
            "method": self.method,
            "status": self.status,
            **{name: value for name, value in self.facts.items() if value is not None},
            "total_ms": self.elapsed_ms(),
        }
        if self.first_event is not None:
            facts["first_event_ms"] = self.elapsed_ms(self.first_event)
        if self.error is not None:
            facts["error"] = describe(self.error)
        elif self.error_type:
            facts["error"] = {"who": "claudex", "type": self.error_type}
        if self.client_gone:
            facts["client_gone"] = True
        if self.retries:
            facts["retries"] = self.retries
        if self.losses:
            facts["losses"] = dict(self.losses)
        return facts

    @property
    def level(self) -> str:
        if self.error is None and not self.error_type:
            return "info"
        return "error" if self.status >= 500 else "warning"


def describe(error: ClaudexError) -> dict[str, Any]:
    known = {
        name: getattr(error, name, None) for name in ("upstream_status", "code", "retry_after", "upstream_id", "url")
    }
    return {
        "who": error.who,
        "type": type(error).__name__,
        "message": error.message[:MESSAGE_LIMIT],
        **({"hint": error.hint} if error.hint else {}),
        **{name: value for name, value in known.items() if value is not None},
    }
