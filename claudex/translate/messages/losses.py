"""What could not be carried, counted by kind."""

import re
from collections import Counter

from ...errors import BadRequest

# Neither is the caller's to mend: another maker's reasoning can never be replayed, and a repair makes a history valid.
ALWAYS_ALLOWED = ("thinking.", "repaired.")

# A kind may end in the client's own word for a block or tool; it goes into messages, logs and counters.
_ODD = re.compile(r"[^a-zA-Z0-9_.-]")


class Losses:
    """Counts losses; in strict mode refuses the request at the first one instead."""

    def __init__(self, strict: bool = False) -> None:
        self.counts: Counter[str] = Counter()
        self._strict = strict

    def add(self, kind: str, count: int = 1) -> None:
        kind = _ODD.sub("_", kind)
        if self._strict and not kind.startswith(ALWAYS_ALLOWED):
            raise BadRequest(
                f"claudex cannot carry {kind} to ChatGPT, and strict mode refuses what it cannot carry.",
                hint="Set proxy.strict = false in config.toml to go on without it.",
            )
        self.counts[kind] += count
