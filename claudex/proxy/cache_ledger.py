"""How much of each request the backend could have had in its cache, against what it says it had.

The cache holds prefixes. So for each conversation we keep a hash of every prefix of the last body that was answered,
one per item, and see how far the next body agrees: what agrees should be cached, and the first item that differs is to
blame.
"""

from _blake2 import blake2b
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from sys import intern

# The backend caches in steps of 128 tokens, from 1,024 on (public documentation of prompt caching).
STEP = 128
LEAST = 1024

Mark = tuple[int, str]


@dataclass(slots=True)
class Prefixes:
    """Of one body: the end of each item, its label, and the hash of everything up to there."""

    ends: list[int]
    labels: list[str]
    hashes: list[bytes]

    @classmethod
    def of(cls, body: bytes, marks: Sequence[Mark]) -> "Prefixes":
        running, start, hashes = blake2b(digest_size=8), 0, []
        for end, _ in marks:
            running.update(memoryview(body)[start:end])
            hashes.append(running.digest())
            start = end
        return cls([end for end, _ in marks], [intern(label) for _, label in marks], hashes)


@dataclass(slots=True)
class Prediction:
    """`tokens` is None for a conversation not known yet; `broken_at` names the item that broke the prefix."""

    key: str
    prefixes: Prefixes
    tokens: int | None = None
    broken_at: str | None = None


@dataclass(slots=True)
class Conversation:
    session: str
    model: str
    prefixes: Prefixes
    input: int
    requests: int = 0
    predicted: int = 0
    cached: int = 0
    total_input: int = 0
    last: dict[str, object] = field(default_factory=dict)


class CacheLedger:
    """The newest `limit` conversations."""

    def __init__(self, limit: int = 128) -> None:
        self._limit = limit
        self._known: OrderedDict[str, Conversation] = OrderedDict()

    def predict(self, key: str, body: bytes, marks: Sequence[Mark]) -> Prediction:
        prediction = Prediction(key, Prefixes.of(body, marks))
        before = self._known.get(key)
        if before is not None:
            same = _agreement(before.prefixes.hashes, prediction.prefixes.hashes)
            prediction.tokens = _tokens(before, same)
            prediction.broken_at = _blame(before.prefixes, prediction.prefixes, same)
        return prediction

    def counted(self, key: str) -> tuple[int, int]:
        """(tokens, bytes) of the conversation's last body, up to its last item; zeros for one not known yet."""
        known = self._known.get(key)
        return (known.input, known.prefixes.ends[-1]) if known is not None and known.prefixes.ends else (0, 0)

    def observe(
        self, prediction: Prediction, *, session: str, model: str, usage: tuple[int, int], facts: dict[str, object]
    ) -> None:
        """`usage` is (input, cached) as the backend counted; `facts` go into `last` (id, at)."""
        counted, cached = usage
        known = self._known.pop(prediction.key, None) or Conversation(session, model, prediction.prefixes, counted)
        known.session, known.model = session, model
        known.prefixes, known.input = prediction.prefixes, counted
        known.requests += 1
        known.predicted += prediction.tokens or 0
        known.cached += cached
        known.total_input += counted
        known.last = {
            **facts,
            "predicted": prediction.tokens,
            "cached": cached,
            "input": counted,
            "broken_at": prediction.broken_at,
        }
        self._known[prediction.key] = known
        while len(self._known) > self._limit:
            self._known.popitem(last=False)

    def report(self, session: str | None = None) -> list[dict[str, object]]:
        """Newest first."""
        return [
            {
                "session": known.session,
                "model": known.model,
                "requests": known.requests,
                "predicted": known.predicted,
                "cached": known.cached,
                "input": known.total_input,
                "hit_ratio": round(known.cached / known.total_input, 4) if known.total_input else 0.0,
                "last": known.last,
            }
            for known in reversed(self._known.values())
            if session is None or known.session == session
        ]


def _agreement(before: list[bytes], now: list[bytes]) -> int:
    """How many items agree from the start. Hashes are of prefixes, so the first that agrees from the end decides."""
    for count in range(min(len(before), len(now)), 0, -1):
        if before[count - 1] == now[count - 1]:
            return count
    return 0


def _tokens(before: Conversation, same: int) -> int:
    ends = before.prefixes.ends
    if not same or not ends or not ends[-1]:
        return 0
    tokens = before.input * ends[same - 1] // ends[-1]
    return tokens // STEP * STEP if tokens >= LEAST else 0


def _blame(before: Prefixes, now: Prefixes, same: int) -> str | None:
    if same == len(before.hashes):
        return None
    labels = now.labels if same < len(now.labels) else before.labels
    ending = "" if same < len(now.labels) else " (gone)"
    return f"{labels[same]} #{same}{ending}"
