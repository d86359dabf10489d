"""What the proxy remembers: in state.json what must outlive it (losses, calibration), in memory its last requests."""

import json
import os
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Mapping
from typing import Any

from .. import paths
from ..files import private_dir, write_private
from ..translate.tokens import Calibration

RECENT_REQUESTS = 1000
RECENT_SESSIONS = 50

Line = dict[str, Any]


class Memory:
    """`dirty` says that state.json should be written; the lifecycle does so, rarely and off the loop."""

    def __init__(self, home: str) -> None:
        self._path = paths.state(home)
        stored = _load(self._path)
        self.since: float = _number(stored.get("since")) or time.time()
        self.losses: Counter[str] = Counter(_counts(stored.get("losses")))
        self.calibration = Calibration(_ratios(stored.get("calibration")))
        self.requests: deque[Line] = deque(maxlen=RECENT_REQUESTS)
        self.sessions: OrderedDict[str, Line] = OrderedDict()
        self.totals = Counter({"total": 0, "ok": 0, "errors": 0, "client_gone": 0})
        self.dirty = False

    def lost(self, losses: Mapping[str, int]) -> None:
        if losses:
            self.losses.update(losses)
            self.dirty = True

    def counted(self, model: str, estimated: float, counted: int) -> None:
        self.dirty |= self.calibration.learn(model, estimated, counted)

    def remember(self, line: Line) -> None:
        self.requests.append(line)
        self.totals["total"] += 1
        self.totals["client_gone" if line.get("client_gone") else "errors" if line.get("error") else "ok"] += 1
        if session := line.get("session"):
            self._remember_session(str(session), line)

    def find(self, request_id: str) -> Line | None:
        return next((line for line in reversed(self.requests) if line["id"] == request_id), None)

    def snapshot(self) -> str:
        self.dirty = False
        state = {"since": self.since, "losses": dict(self.losses), "calibration": self.calibration.ratios}
        return json.dumps(state, indent=1) + "\n"

    def write(self, text: str) -> None:
        private_dir(os.path.dirname(self._path))
        write_private(self._path, text)

    def _remember_session(self, session: str, line: Line) -> None:
        known = self.sessions.pop(session, None) or {
            "session": session,
            "requests": 0,
            "input": 0,
            "cached": 0,
            "output": 0,
        }
        known["requests"] += 1
        known["last_at"] = time.time()
        known["model"] = line.get("model") or known.get("model")
        for name in ("input", "cached", "output"):
            known[name] += line.get(name) or 0
        self.sessions[session] = known
        while len(self.sessions) > RECENT_SESSIONS:
            self.sessions.popitem(last=False)


def _load(path: str) -> Mapping[str, object]:
    """A damaged state file costs the statistics, never the service."""
    try:
        with open(path, encoding="utf-8") as file:
            stored = json.load(file)
    except (OSError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _counts(value: object) -> dict[str, int]:
    return {str(k): v for k, v in value.items() if isinstance(v, int)} if isinstance(value, dict) else {}


def _ratios(value: object) -> dict[str, float]:
    return {str(k): float(v) for k, v in value.items() if _number(v) is not None} if isinstance(value, dict) else {}
