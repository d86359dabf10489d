"""Tool calls: function_call and custom_tool_call items become tool_use blocks."""

import json
from collections.abc import Sequence

from ...wire.responses import Event, Item
from .blocks import quote
from .output import Answer, Flow, Hot
from .scrub import Scrubber

# Names under which GPT models wrap several calls in one. It is no tool that anybody offers.
WRAPPERS = frozenset({"multi_tool_use.parallel", "multi_tool_use_parallel", "parallel"})
NAMESPACE = "functions."


class Call:
    """The block begins when the name is known; arguments stream on, but for a wrapper's, which are needed whole."""

    def __init__(self, answer: Answer, item: Item) -> None:
        self._answer = answer
        self._id = item.call_id or item.id
        self._custom = item.type == "custom_tool_call"
        self._flow = Flow()
        self._scrubber: Scrubber | None = None
        self._open = False
        self._name = ""
        self._namespace = ""
        self._named(item)

    def event(self, event: Event) -> None:
        match event.type.removeprefix("response."):
            case "function_call_arguments.delta" | "custom_tool_call_input.delta":
                self._named_by(event.name)
                self._add(event.delta)
            case "function_call_arguments.done" | "custom_tool_call_input.done":
                self._named_by(event.name)
            case "output_item.added" if event.item:
                self._named(event.item)

    def done(self, item: Item | None) -> None:
        if item:
            self._named(item)
        final = _arguments(item) if item else None
        if not self._name:
            self._nameless()
        elif self._whole:
            self._emit_whole(final or str(self._flow))
        else:
            self._write(self._flow.missing(final))
            if self._scrubber and (rest := self._scrubber.flush()):
                self._answer.blocks.deltas([rest])
            self._answer.blocks.end()

    def hot(self) -> Hot | None:
        if not self._open or self._scrubber:
            return None
        return Hot("response.function_call_arguments.delta")

    def run(self, texts: Sequence[str]) -> None:
        self._flow.add(texts)
        self._answer.blocks.deltas(texts)

    @property
    def _whole(self) -> bool:
        """Not streamed: the arguments must be seen in full first."""
        return self._custom or (self._name in WRAPPERS and self._name not in self._answer.facts.tools)

    def _named(self, item: Item) -> None:
        self._id = item.call_id or self._id or item.id
        self._namespace = item.namespace or self._namespace
        self._named_by(item.name)

    def _named_by(self, name: str | None) -> None:
        if self._name or not name:
            return
        self._name = _in_namespace(self._answer, self._namespace, name) or _client_name(self._answer, name)
        if self._whole:
            return
        self._scrubber = _scrubber(self._answer, self._name)
        self._answer.blocks.tool_use(_unique(self._answer, self._id), self._name)
        self._open = True
        self._write(str(self._flow))

    def _add(self, delta: str) -> None:
        self._flow.add([delta])
        if self._open:
            self._write(delta)

    def _write(self, text: str) -> None:
        if self._scrubber:
            text = self._scrubber.push(text)
        if text:
            self._answer.blocks.deltas([text])

    def _emit_whole(self, arguments: str) -> None:
        if self._custom:
            _emit(self._answer, self._id, self._name, quote({"input": arguments}).decode())
            return
        calls = _unwrapped(arguments)
        if calls is None:
            _emit(self._answer, self._id, self._name, arguments)
            return
        for number, (name, parameters) in enumerate(calls):
            name = _client_name(self._answer, name)
            _emit(self._answer, f"{self._id or 'call'}_{number}", name, parameters)

    def _nameless(self) -> None:
        self._answer.losses["call.nameless"] += 1
        self._answer.blocks.text()
        self._answer.blocks.deltas(["[claudex: ChatGPT made a tool call without a name; it was left out]"])
        self._answer.blocks.end()


def _client_name(answer: Answer, name: str) -> str:
    known = answer.facts.client_name(name)
    return known if known != name else answer.facts.client_name(name.removeprefix(NAMESPACE))


def _in_namespace(answer: Answer, namespace: str, name: str) -> str | None:
    """The tool that a call names in two parts; None when there is none. The backend's own namespace means nothing."""
    if not namespace or namespace == NAMESPACE[:-1]:
        return None
    joined = (_client_name(answer, f"{namespace}{dash}{name}") for dash in ("", "__", "_"))
    return next((found for found in joined if found in answer.facts.tools), None)


def _scrubber(answer: Answer, name: str) -> Scrubber | None:
    tool = answer.facts.tools.get(name)
    return Scrubber(tool.optional_strings) if tool and tool.optional_strings else None


def _unique(answer: Answer, call_id: str | None) -> str:
    """The backend's id as it came, so that it comes back the same; made unique only if it is missing or repeated."""
    used = answer.blocks.tool_ids
    wanted = call_id or f"toolu_{answer.message_id}"
    if wanted not in used:
        return wanted
    return next(found for number in range(2, len(used) + 3) if (found := f"{wanted}_{number}") not in used)


def _emit(answer: Answer, call_id: str | None, name: str, arguments: str) -> None:
    scrubber = _scrubber(answer, name)
    if scrubber:
        arguments = scrubber.push(arguments) + scrubber.flush()
    answer.blocks.tool_use(_unique(answer, call_id), name)
    if arguments:
        answer.blocks.deltas([arguments])
    answer.blocks.end()


def _arguments(item: Item) -> str | None:
    if item.type == "custom_tool_call":
        return item.input
    if item.arguments is None or isinstance(item.arguments, str):
        return item.arguments
    return quote(item.arguments).decode()


def _unwrapped(arguments: str) -> list[tuple[str, str]] | None:
    """The calls inside a wrapper as (name, arguments); None when it is not one."""
    try:
        uses = json.loads(arguments)["tool_uses"]
        calls = [(use["recipient_name"], use.get("parameters", {})) for use in uses]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if not calls or not all(isinstance(name, str) and name for name, _ in calls):
        return None
    return [(name, quote(parameters).decode()) for name, parameters in calls]
