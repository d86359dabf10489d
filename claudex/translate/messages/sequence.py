"""Output items one after the other, however their events are mixed.

Messages allows one open block. The item that began first is written as its events come; the events of any other wait
until their item's turn. Items are known by `output_index`; some gateways change `item_id` with every event, so ids only
serve where there is no index.
"""

from collections import deque
from collections.abc import Callable, Hashable

from ...wire.responses import NO_INDEX, Event, Item
from .output import Hot, Output

Make = Callable[[Item], Output]

# The kind of item that an event belongs to, for streams that never announced it.
_KINDS = {
    "response.output_text": "message",
    "response.refusal": "message",
    "response.reasoning_summary_text": "reasoning",
    "response.reasoning_summary_part": "reasoning",
    "response.reasoning_text": "reasoning",
    "response.function_call_arguments": "function_call",
    "response.custom_tool_call_input": "custom_tool_call",
}


class Slot:
    """An item in line. `output` exists from its turn on; until then events wait."""

    __slots__ = ("index", "item", "key", "output", "waiting")

    def __init__(self, key: Hashable, index: int, item: Item) -> None:
        self.key = key
        self.index = index
        self.item = item
        self.output: Output | None = None
        self.waiting: list[Event] = []


class Sequence:
    def __init__(self, make: Make, ended: Callable[[], bool]) -> None:
        self._make = make
        self._ended = ended  # cut short: what waits is not written any more
        self._line: deque[Slot] = deque()
        self._slots: dict[Hashable, Slot] = {}
        self._finished: dict[Hashable, Item] = {}  # key -> the item that is done
        self._unnamed = 0

    @property
    def untouched(self) -> bool:
        """No item has come."""
        return not (self._line or self._finished)

    @property
    def current(self) -> Slot | None:
        return self._line[0] if self._line else None

    def hot(self) -> tuple[Hot, int, Output] | None:
        """The frequent deltas of the item being written, its output_index and where they go."""
        slot = self.current
        if slot is None or slot.output is None or slot.index == NO_INDEX:
            return None
        hot = slot.output.hot()
        return (hot, slot.index, slot.output) if hot else None

    def take(self, event: Event) -> None:
        slot = self._slot(event)
        if slot is None:
            return
        slot.waiting.append(event)
        if slot is self.current:
            self._advance()

    def end(self) -> None:
        """No more events: finish every item, in order, with what there is."""
        while (slot := self.current) and not self._ended():
            self._advance()
            if slot is self.current and slot.output:
                slot.output.done(None)
                self._pop(slot)

    def _advance(self) -> None:
        """Give the item in front its events; when it is done, the next one its."""
        while (slot := self.current) and not self._ended():
            if slot.output is None:
                slot.output = self._make(slot.item)
            waiting, slot.waiting = slot.waiting, []
            for event in waiting:
                if event.type == "response.output_item.done":
                    slot.output.done(event.item)
                    slot.item = event.item or slot.item
                    self._pop(slot)
                    break
                slot.output.event(event)
            else:
                return

    def _pop(self, slot: Slot) -> None:
        self._line.popleft()
        del self._slots[slot.key]
        self._finished[slot.key] = slot.item

    def _slot(self, event: Event) -> Slot | None:
        item = event.item
        key: Hashable = event.output_index
        if key == NO_INDEX:
            key = event.item_id or (item and (item.id or item.call_id))
        if key is None:
            return self.current or self._begin_unnamed(event)
        if slot := self._slots.get(key):
            return slot
        if key in self._finished and not self._reused(key, event):
            return None
        return self._begin(key, event)

    def _reused(self, key: Hashable, event: Event) -> bool:
        """A new item under the index of one that is done, as some gateways send them all under 0."""
        item, known = event.item, self._finished[key]
        if item is None:
            return False
        for one, other in ((item.call_id, known.call_id), (item.id, known.id)):
            if one and other:
                return one != other
        return item != known

    def _begin_unnamed(self, event: Event) -> Slot | None:
        """No index and no id: it is whatever comes next."""
        self._unnamed += 1
        return self._begin(f"unnamed {self._unnamed}", event)

    def _begin(self, key: Hashable, event: Event) -> Slot | None:
        item = event.item
        if item is None:
            kind = _KINDS.get(event.type.rpartition(".")[0])
            if kind is None:
                return None
            item = Item(type=kind)
        slot = Slot(key, event.output_index, item)
        self._slots[key] = slot
        self._line.append(slot)
        return slot
