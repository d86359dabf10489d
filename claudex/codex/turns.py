"""The backend's turn state: a response header to be echoed on every further request of the same turn, and on no
other.

A turn reaches from a user message to the final answer. Losing the state costs stickiness, carrying it over to another
turn or account is wrong, so it is kept by both, and forgotten when there are many.
"""

from collections import OrderedDict

LIMIT = 1024


class Turns:
    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._states: OrderedDict[tuple[str, str], str] = OrderedDict()

    def state(self, turn: str, account_tag: str) -> str:
        return self._states.get((turn, account_tag), "") if turn else ""

    def keep(self, turn: str, account_tag: str, state: str) -> None:
        if not turn or not state:
            return
        self._states[turn, account_tag] = state
        self._states.move_to_end((turn, account_tag))
        while len(self._states) > self._limit:
            self._states.popitem(last=False)
