"""Calls and results in pairs, whatever the history looks like.

The backend wants one output for every call and one call for every output, ids used once, and all outputs behind the
whole assistant run. A history that was interrupted, rewound, compacted or edited breaks each of these.
"""

from collections.abc import Iterable
from functools import lru_cache
from itertools import count

from msgspec import Raw

from .items import INPUT_TEXT, Call, Item, Result, Said, encode, input_text, is_empty, is_string, message, note
from .losses import Losses
from .names import call_id

INTERRUPTED = encode(note("this call was interrupted; there is no result"))


class Pairing:
    """Takes turns in order, gives items that are valid in theirs.

    A run is what the assistant says in a row; what follows, up to its next word, may hold the results.
    """

    def __init__(self, losses: Losses) -> None:
        self.items: list[Said] = []
        self._losses = losses
        self._used: set[str] = set()
        self._run: list[Said] = []
        self._calls: dict[str, str] = {}
        self._results: dict[str, Result] = {}
        self._rest: list[Said] = []

    def assistant(self, items: Iterable[Item]) -> None:
        if self._rest or self._results:
            self.flush()
        run = self._run
        for item in items:
            if type(item) is Said:
                run.append(item)
            elif type(item) is Call:
                self._call(item)

    def other(self, items: Iterable[Item]) -> None:
        for item in items:
            if type(item) is Result:
                self._result(item)
            elif type(item) is Said:
                self._rest.append(item)

    def flush(self) -> None:
        """Close the run: its calls, their outputs in the order of the calls, then the messages."""
        items = self.items
        items += self._run
        for client_id, wire_id in self._calls.items():
            result = self._results.get(client_id)
            items.append(_output(wire_id, result.output if result is not None else self._interrupted()))
        items += self._rest
        self._run, self._calls, self._results, self._rest = [], {}, {}, []

    def _call(self, call: Call) -> None:
        if call.id in self._calls:
            self._losses.add("repaired.duplicate_call")
            return
        wire_id = call_id(call.id)
        if wire_id in self._used:
            wire_id = self._another(call.id)
        self._used.add(wire_id)
        self._calls[call.id] = wire_id
        self._run.append(_spoken(call, wire_id))

    def _another(self, client_id: str) -> str:
        """The id to send where a client used one in two turns."""
        self._losses.add("repaired.reused_id")
        numbered = (call_id(f"{client_id} #{again}") for again in count(2))
        return next(wire_id for wire_id in numbered if wire_id not in self._used)

    def _result(self, result: Result) -> None:
        if result.id not in self._calls:
            self._losses.add("repaired.orphan_result")
            self._rest.append(_as_text(result))
        elif result.id in self._results:
            self._losses.add("repaired.duplicate_result")
        else:
            self._results[result.id] = result

    def _interrupted(self) -> bytes:
        self._losses.add("repaired.missing_result")
        return INTERRUPTED


def _spoken(call: Call, wire_id: str) -> Said:
    head, label = _calling(call.name)
    return Said((head, call.arguments, b',"call_id":"%b"}' % wire_id.encode()), label)


@lru_cache(maxsize=1024)
def _calling(name: str) -> tuple[bytes, str]:
    """What stands before the arguments, and the label."""
    return b',{"type":"function_call","name":"%b","arguments":' % name.encode(), f"function_call {name}"


def _output(wire_id: str, output: bytes | Raw) -> Said:
    head = b',{"type":"function_call_output","call_id":"%b","output":' % wire_id.encode()
    return Said((head, output, b"}"), "function_call_output")


def _as_text(result: Result) -> Said:
    """A result whose call is gone still tells the model something."""
    lead = input_text(note("the result of a tool call that is no longer in the conversation"))
    if not is_string(result.output):
        return message("user", [lead, bytes(result.output)[1:-1]])
    return message("user", [lead] if is_empty(result.output) else [lead, b"%b%b}" % (INPUT_TEXT, result.output)])
