"""Output items of the backend, each turned into blocks while it is the one being written."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ...wire.responses import Event, Item, Part
from . import notes
from .blocks import Blocks
from .cut import Cutter
from .facts import Facts
from .search import Search


class Hot(NamedTuple):
    """The delta events that may skip the full decode: they go, as they are, into the open block."""

    type: str
    content_index: int = 0
    summary_index: int = 0


@dataclass
class Answer:
    """What the items of one answer share."""

    facts: Facts
    blocks: Blocks
    losses: "Counter[str]"
    search: Search
    cutter: Cutter | None
    message_id: str

    @property
    def ended(self) -> bool:
        """A stop sequence or the output cap has been met: nothing more is written."""
        return self.cutter is not None and self.cutter.ended


class Output(Protocol):
    """One output item. `done` comes exactly once, with None when the stream ended before the item did."""

    def event(self, event: Event) -> None: ...
    def done(self, item: Item | None) -> None: ...
    def hot(self) -> Hot | None: ...
    def run(self, texts: Sequence[str]) -> None: ...


class Flow:
    """The text of one part as it was written, so that a final text adds only what is missing."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self.finished = False

    def add(self, texts: Sequence[str]) -> None:
        self._texts.extend(texts)

    def __str__(self) -> str:
        return "".join(self._texts)

    def missing(self, final: str | None) -> str:
        """What `final` has beyond the deltas. A final text that contradicts them is too late to be honoured."""
        if self.finished or not final:
            return ""
        self.finished = True
        sent = str(self)
        return final[len(sent) :] if final.startswith(sent) else ""


class Message:
    """A message: a text block per part. Refusals are text too: what the model said should be readable."""

    def __init__(self, answer: Answer, item: Item) -> None:
        self._answer = answer
        self._phase = item.phase
        self._flows: dict[int, Flow] = {}
        self._part: int | None = None  # whose block is open
        self._begun = False
        self._cited = False

    def event(self, event: Event) -> None:
        match event.type.removeprefix("response."):
            case "output_text.delta" | "refusal.delta":
                self._write(event.content_index, event.delta)
            case "output_text.done" | "refusal.done":
                self._complete(event.content_index, event.text or event.refusal)
            case "content_part.done" if event.part:
                self._complete(event.content_index, event.part.text or event.part.refusal)
            case "output_text.annotation.added" if event.annotation and self._part is not None:
                self._cited = True
                self._answer.search.cite(event.annotation, str(self._flow(event.content_index)))
            case "output_item.added" if event.item:
                self._phase = self._phase or event.item.phase

    def done(self, item: Item | None) -> None:
        for index, part in enumerate((item and item.content) or []):
            self._complete(index, part.text or part.refusal)
            self._cite(index, part)
        self._close()
        self._answer.search.settle()

    def hot(self) -> Hot | None:
        if self._part is None or self._answer.cutter:
            return None
        return Hot("response.output_text.delta", self._part)

    def run(self, texts: Sequence[str]) -> None:
        self._flow(self._part or 0).add(texts)
        self._answer.blocks.deltas(texts)

    def _write(self, index: int, text: str) -> None:
        if text and not self._flow(index).finished:
            self._flow(index).add([text])
            self._show(index, text)

    def _show(self, index: int, text: str) -> None:
        if self._part != index:
            self._close()
        if self._answer.cutter:
            text = self._answer.cutter.push(text)
        if not text:
            return
        if self._part is None:
            self._answer.blocks.text(self._phase, message=not self._begun)
            self._begun = True
            self._part = index
        self._answer.blocks.deltas([text])

    def _complete(self, index: int, final: str | None) -> None:
        if missing := self._flow(index).missing(final):
            self._flow(index).add([missing])
            self._show(index, missing)

    def _cite(self, index: int, part: Part) -> None:
        if not self._cited and self._part == index:
            for note in part.annotations or []:
                self._answer.search.cite(note, part.text or "")

    def _close(self) -> None:
        """End the open block; a held-back tail turned out to be no stop sequence."""
        rest = self._answer.cutter.flush() if self._answer.cutter else ""
        if rest and self._part is None:
            self._answer.blocks.text(self._phase, message=not self._begun)
            self._begun = True
            self._part = -1
        if rest:
            self._answer.blocks.deltas([rest])
        if self._part is not None:
            self._answer.blocks.end()
            self._part = None

    def _flow(self, index: int) -> Flow:
        flow = self._flows.get(index)
        if flow is None:
            flow = self._flows[index] = Flow()
        return flow


class Reasoning:
    """A reasoning item: one thinking block, its summary parts (or raw text) a blank line apart."""

    def __init__(self, answer: Answer, item: Item) -> None:
        self._answer = answer
        self._shown = answer.facts.thinking == "shown"
        self._flows: dict[tuple[str, int], Flow] = {}
        self._part: tuple[str, int] | None = None
        answer.blocks.think()

    def event(self, event: Event) -> None:
        match event.type.removeprefix("response."):
            case "reasoning_summary_text.delta":
                self._write(("summary", event.summary_index), event.delta)
            case "reasoning_text.delta":
                self._write(("content", event.content_index), event.delta)
            case "reasoning_summary_text.done":
                self._complete(("summary", event.summary_index), event.text)
            case "reasoning_summary_part.done" if event.part:
                self._complete(("summary", event.summary_index), event.part.text)
            case "reasoning_text.done":
                self._complete(("content", event.content_index), event.text)

    def done(self, item: Item | None) -> None:
        if item:
            for kind, parts in (("summary", item.summary), ("content", item.content)):
                for index, part in enumerate(parts or []):
                    self._complete((kind, index), part.text)
        # Only the done item's content counts: that of `output_item.added` is refused in the next turn.
        self._answer.blocks.hold((item and item.encrypted_content) or "")

    def hot(self) -> Hot | None:
        if not self._shown or not self._part:
            return None
        kind, index = self._part
        if kind == "summary":
            return Hot("response.reasoning_summary_text.delta", summary_index=index)
        return Hot("response.reasoning_text.delta", content_index=index)

    def run(self, texts: Sequence[str]) -> None:
        if self._part:
            self._flow(self._part).add(texts)
            self._answer.blocks.deltas(texts)

    def _write(self, key: tuple[str, int], text: str) -> None:
        if not self._shown or not text or self._flow(key).finished:
            return
        if self._part != key:
            if self._part:
                self._answer.blocks.deltas(["\n\n"])
            self._part = key
        self._flow(key).add([text])
        self._answer.blocks.deltas([text])

    def _complete(self, key: tuple[str, int], final: str | None) -> None:
        flow = self._flow(key)
        if missing := flow.missing(final):
            flow.finished = False
            self._write(key, missing)
            flow.finished = True

    def _flow(self, key: tuple[str, int]) -> Flow:
        flow = self._flows.get(key)
        if flow is None:
            flow = self._flows[key] = Flow()
        return flow


class SearchCall:
    def __init__(self, answer: Answer, item: Item) -> None:
        self._answer = answer
        self._item = item

    def event(self, event: Event) -> None:
        """Progress: in_progress, searching, completed."""

    def done(self, item: Item | None) -> None:
        self._answer.search.call(item or self._item, self._answer.message_id)

    def hot(self) -> Hot | None:
        return None

    def run(self, texts: Sequence[str]) -> None:
        """Never: there is nothing hot."""


class Note(SearchCall):
    """An item that Messages has no block for."""

    def done(self, item: Item | None) -> None:
        item = item or self._item
        self._answer.losses[f"item.{item.type[:60] or 'untyped'}"] += 1
        if line := notes.line(item):
            self._answer.blocks.text()
            self._answer.blocks.deltas([line])
            self._answer.blocks.end()
