"""Calls and results in pairs, whatever the history looks like.

The backend wants one output for every call and one call for every output, ids used once, and all outputs behind the
whole assistant run. A history that was interrupted, rewound, compacted or edited breaks each of these.
"""

from collections.abc import Iterable

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
        self._run: list[Said | Call] = []
        self._calls: dict[str, str] = {}
        self._results: dict[str, Result] = {}
        self._rest: list[Said] = []

    def assistant(self, items: Iterable[Item]) -> None:
        if self._rest or self._results:
            self.flush()
        for item in items:
            if isinstance(item, Said):
                self._run.append(item)
            elif isinstance(item, Call):
                self._call(item)

    def other(self, items: Iterable[Item]) -> None:
        for item in items:
            if isinstance(item, Said):
                self._rest.append(item)
            elif isinstance(item, Result):
                self._result(item)

    def flush(self) -> None:
        """Close the run: its calls, their outputs in the order of the calls, then the messages."""
        items, calls = self.items, self._calls
        for item in self._run:
            items.append(_spoken(item, calls[item.id]) if isinstance(item, Call) else item)
        for client_id, wire_id in calls.items():
            items.append(_output(wire_id, self._outcome(client_id)))
        items += self._rest
        self._run, self._calls, self._results, self._rest = [], {}, {}, []

    def _call(self, call: Call) -> None:
        if call.id in self._calls:
            self._losses.add("repaired.duplicate_call")
            return
        self._calls[call.id] = self._unused(call.id)
        self._run.append(call)

    def _unused(self, client_id: str) -> str:
        """The id to send; a client that used one id in two turns gets another for the second."""
        wire_id, again = call_id(client_id), 1
        while wire_id in self._used:
            again += 1
            wire_id = call_id(f"{client_id} #{again}")
        if again > 1:
            self._losses.add("repaired.reused_id")
        self._used.add(wire_id)
        return wire_id

    def _result(self, result: Result) -> None:
        if result.id not in self._calls:
            self._losses.add("repaired.orphan_result")
            self._rest.append(_as_text(result))
        elif result.id in self._results:
            self._losses.add("repaired.duplicate_result")
        else:
            self._results[result.id] = result

    def _outcome(self, client_id: str) -> bytes | Raw:
        if result := self._results.get(client_id):
            return result.output
        self._losses.add("repaired.missing_result")
        return INTERRUPTED


def _spoken(call: Call, wire_id: str) -> Said:
    head = b'{"type":"function_call","name":"%b","arguments":' % call.name.encode()
    tail = b',"call_id":"%b"}' % wire_id.encode()
    return Said((head, call.arguments, tail), f"function_call {call.name}")


def _output(wire_id: str, output: bytes | Raw) -> Said:
    head = b'{"type":"function_call_output","call_id":"%b","output":' % wire_id.encode()
    return Said((head, output, b"}"), "function_call_output")


def _as_text(result: Result) -> Said:
    """A result whose call is gone still tells the model something."""
    lead = input_text(note("the result of a tool call that is no longer in the conversation"))
    if not is_string(result.output):
        return message("user", [lead, bytes(result.output)[1:-1]])
    return message("user", [lead] if is_empty(result.output) else [lead, b"%b%b}" % (INPUT_TEXT, result.output)])
