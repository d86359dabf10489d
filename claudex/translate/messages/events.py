"""One answer: the backend's stream in, Anthropic's stream out.

A state machine without clock, network or log. Whole chunks are translated at once: the frequent deltas of the block
that is open are decoded to a few fields and written behind a prefix made beforehand, everything else is decoded in full
and handed to the item that it belongs to (`sequence`, `output`, `calls`).
"""

import json
from collections import Counter
from collections.abc import Callable

import msgspec

from ...errors import ClaudexError, StreamTruncated, UpstreamError, UpstreamFailed
from ...wire import responses, sse
from ...wire.responses import NO_INDEX, Delta, Event, Item
from . import errors
from .blocks import Blocks, quote
from .calls import Call
from .cut import CHARACTERS_PER_TOKEN, Cutter
from .facts import Facts
from .output import Answer, Hot, Message, Note, Output, Reasoning, SearchCall
from .search import Search
from .sequence import Sequence
from .usage import Usage

# A decoded `error`, `response.failed` or `response.incomplete` event to the error that it stands for.
Classify = Callable[[dict[str, object]], UpstreamError | None]
# An error to the SSE event that tells it.
Tell = Callable[[ClaudexError], bytes]

_delta = msgspec.json.Decoder(Delta).decode
_deltas = msgspec.json.Decoder(list[Delta]).decode
_event = msgspec.json.Decoder(Event).decode
_OUTPUTS: dict[str, Callable[[Answer, Item], Output]] = {
    "message": Message,
    "reasoning": Reasoning,
    "function_call": Call,
    "custom_tool_call": Call,
    "web_search_call": SearchCall,
}
_TERMINAL = ("response.completed", "response.done", "response.incomplete", "response.failed", "response.cancelled")
_NOTHING_HOT: tuple[Hot, int, Output | None] = (Hot(""), NO_INDEX, None)
LF, CR = b"\n\r"
_NO_LINE = b"\n"  # no event begins with it
_LINES = {
    kind: b"event: %b\ndata: " % kind.encode()
    for kind in (
        "response.output_text.delta",
        "response.function_call_arguments.delta",
        "response.reasoning_summary_text.delta",
        "response.reasoning_text.delta",
    )
}


class MessageStream:
    """`start`, then `feed` until `done`, then `close`. No method raises for what the backend sends.

    `samples` is how many streams may make up the answer. Where the backend ends one of them but not the model's turn,
    `again` is set instead of `done`, `items` holds what it said, and `resume` begins with the next.
    `message_id` must be unique in the world (clients key messages by it); `model` is echoed as the client wrote it;
    `input_tokens` is the estimate that message_start carries until the backend's own numbers overwrite it.
    """

    def __init__(
        self,
        *,
        message_id: str,
        model: str,
        input_tokens: int = 0,
        request_id: str = "",
        classify: Classify | None = None,
        tell: Tell | None = None,
        facts: Facts | None = None,
        samples: int = 1,
    ) -> None:
        self.message_id = message_id
        self.model = model
        self.done = False
        self.again = False
        self.items: list[Item] = []
        self.cancel_upstream = False
        self.error: ClaudexError | None = None
        self.usage = Usage(input=input_tokens)
        self.stop_reason: str | None = None
        self.stop_sequence: str | None = None
        self.end_turn: bool | None = None
        self.losses: Counter[str] = Counter()
        self.response_id = ""
        self._samples = samples
        self._request_id = request_id
        self._classify = classify or _unclassified
        self._tell = tell or (lambda error: errors.sse(error, request_id))
        self._decoder = sse.Decoder()
        self._started = False
        self._warned: UpstreamError | None = None  # an `error` event; the stream may still end well
        self._blocks = Blocks(facts or Facts())
        self.bind(self._blocks.facts)

    @property
    def started_content(self) -> bool:
        """A block other than a keep-alive's has been written."""
        return self._blocks.started

    def bind(self, facts: Facts) -> None:
        """What became known of the request. Before the first `feed`; a keep-alive may have opened a block already."""
        self._blocks.facts = facts
        cutter = None
        if facts.stop_sequences or facts.output_cap is not None:
            cutter = Cutter(facts.stop_sequences, facts.output_cap)
        search = Search(self._blocks, self.usage, self.losses, facts.search)
        self._answer = Answer(facts, self._blocks, self.losses, search, cutter, self.message_id)
        self._begin()

    def resume(self, facts: Facts) -> None:
        """After `again`: the next sample's stream begins, and its blocks follow those that are written."""
        if facts.tag != self._blocks.facts.tag:
            self._blocks.end()  # reasoning is signed for the account that it came from
        self._blocks.facts = self._answer.facts = facts
        self._samples -= 1
        self.again, self.items = False, []
        self.usage.next_sample()
        self._decoder, self._warned = sse.Decoder(), None
        self._begin()

    def _begin(self) -> None:
        self._items = Sequence(self._output, lambda: self._answer.ended)
        self._hottest, self._line = _NOTHING_HOT, _NO_LINE

    def start(self) -> bytes:
        """`message_start`; nothing the second time."""
        if self._started:
            return b""
        self._started = True
        message: dict[str, object] = {
            "id": self.message_id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": self.usage.wire(),
        }
        return sse.encode("message_start", b'{"type":"message_start","message":%b}' % quote(message))

    def feed(self, chunk: bytes) -> bytes:
        """Translate what arrived; b"" when nothing of it is for the client."""
        if self.done or self.again:
            return b""
        if chunk.startswith(self._line) and (out := self._lone(chunk)):
            return out
        try:
            payloads = self._decoder.feed(chunk)
        except sse.EventTooLarge as error:
            return self.fail(UpstreamFailed(f"ChatGPT sent {error}.", code="event_too_large"))
        return self._translate(payloads)

    def keepalive(self) -> bytes:
        """An event that Claude Code counts as content and that changes nothing."""
        if self.done:
            return b""
        head = self.start()
        self._blocks.keep_alive()
        return head + self._blocks.take()

    def close(self) -> bytes:
        """The backend's stream has ended. Without a terminal event that is an error, never a short answer."""
        if self.done or self.again:
            return b""
        out = self._translate(self._decoder.rest())
        if self.done or self.again:
            return out
        return out + self.fail(StreamTruncated("The stream from ChatGPT broke off before the answer was complete."))

    def fail(self, error: ClaudexError) -> bytes:
        """End the answer with an error event. What the backend said itself comes first."""
        if self.done:
            return b""
        if self._warned and isinstance(error, UpstreamError):
            error = self._warned
        self.done = True
        self.error = error
        return self._blocks.take() + self._tell(error)

    def _translate(self, payloads: list[bytes]) -> bytes:
        if not payloads:
            return b""
        head = b"" if self._started else self.start()
        failed = self._hot(payloads)
        out = self._blocks.take() + failed if failed else self._blocks.take()
        return head + out if self._blocks.started or not failed else out

    def _lone(self, chunk: bytes) -> bytes:
        """The most frequent chunk: one delta of the open block and nothing else. b"" when it is something else."""
        start = len(self._line)
        one_line = chunk.find(LF, start) + 2 == len(chunk) and chunk[-1] == LF and CR not in chunk
        if not one_line or not self._decoder.at_rest:
            return b""
        try:
            event = _delta(chunk[start:])
        except (ValueError, RecursionError):
            return b""
        (kind, content, summary), index, output = self._hottest
        if (
            event.type != kind
            or event.output_index != index
            or event.content_index != content
            or event.summary_index != summary
            or output is None
        ):
            return b""
        output.run((event.delta,))
        return self._blocks.take()

    def _hot(self, payloads: list[bytes]) -> bytes:
        """The frequent way: runs of deltas of one open block are written at once. What it returns is an error event."""
        try:
            events = [_delta(payloads[0])] if len(payloads) == 1 else _deltas(b"[%b]" % b",".join(payloads))
        except (ValueError, RecursionError):
            events = []
        if len(events) != len(payloads):
            return b"".join(map(self._cold, payloads))
        failed = b""
        run: list[str] = []
        (kind, content, summary), index, output = self._hottest
        for at, event in enumerate(events):
            if (
                event.type == kind
                and event.output_index == index
                and event.content_index == content
                and event.summary_index == summary
            ):
                run.append(event.delta)
                continue
            if run and output:
                output.run(run)
                run = []
            failed += self._cold(payloads[at])
            (kind, content, summary), index, output = self._hottest
        if run and output:
            output.run(run)
        return failed

    def _cold(self, payload: bytes) -> bytes:
        """One event, decoded in full; it may change where the frequent deltas go."""
        if self.done or self.again:
            return b""
        failed = self._whole(payload)
        self._hottest = (not self.done and self._items.hot()) or _NOTHING_HOT
        self._line = _LINES.get(self._hottest[0].type, _NO_LINE)
        return failed

    def _whole(self, payload: bytes) -> bytes:
        try:
            event = _event(payload)
        except (ValueError, RecursionError):
            return self._odd(payload)
        if event.type in _TERMINAL or event.type == "error":
            return self._of_response(_document(payload))
        self._take(event)
        return b""

    def _odd(self, payload: bytes) -> bytes:
        """Not what the decoder expects: lone surrogates, a field of another type, or no JSON at all."""
        document = _document(payload)
        kind = document.get("type")
        if kind in _TERMINAL or kind == "error":
            return self._of_response(document)
        event, whole = responses.readable(document)
        if not whole and event.type.startswith("response.output_item."):
            self.losses["event.unreadable"] += 1
        self._take(event)
        return b""

    def _take(self, event: Event) -> None:
        if event.item is not None and event.type == "response.output_item.done":
            self.items.append(event.item)
        self._items.take(event)
        if self._answer.ended and not self.done:
            self._stop_here()

    def _output(self, item: Item) -> Output:
        return _OUTPUTS.get(item.type, Note)(self._answer, item)

    def _of_response(self, document: dict[str, object]) -> bytes:
        kind = document["type"]
        if kind == "error":
            self._warned = self._classify(document) or _unclassified(document)
            return b""
        response = document.get("response")
        facts: dict[str, object] = response if isinstance(response, dict) else {}
        if isinstance(found := facts.get("id"), str):
            self.response_id = found
        self.usage.read(facts.get("usage"))
        end_turn = facts.get("end_turn")
        self.end_turn = end_turn if isinstance(end_turn, bool) else None
        if self._items.untouched and isinstance(output := facts.get("output"), list):
            self._take_output(output)
        return b"" if self.done else self._terminal(str(kind), facts, document)

    def _take_output(self, output: list[object]) -> None:
        """The items in the terminal event. Nobody may rely on them, but here they are all there is."""
        for index, item in enumerate(output):
            event = {"type": "response.output_item.done", "output_index": index, "item": item}
            self._take(responses.readable(event)[0])

    def _terminal(self, kind: str, facts: dict[str, object], document: dict[str, object]) -> bytes:
        status = facts.get("status")
        if kind in ("response.completed", "response.done") and status not in ("failed", "incomplete", "cancelled"):
            self._finish(None)
            return b""
        details = facts.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        if kind != "response.failed" and reason == "max_output_tokens":
            self._finish("max_tokens")
            return b""
        if kind != "response.failed" and reason == "content_filter":
            self._finish("refusal")
            return b""
        error = self._classify(document)
        self._warned = error or self._warned
        return self.fail(error or _unclassified(document))

    def _finish(self, reason: str | None) -> None:
        """The answer is complete: close every item and say why it ended."""
        self._items.end()
        if self._answer.ended:
            self._stop_here()
            return
        if reason is None and self.end_turn is False and not self._blocks.tool_ids and self._samples > 1:
            self.again = True  # no stop reason says so: Claude Code ends its turn at pause_turn just the same
            return
        self._conclude(reason or ("tool_use" if self._blocks.tool_ids else "end_turn"))

    def _stop_here(self) -> None:
        """A stop sequence or the output cap: the answer ends although the backend goes on."""
        cutter = self._answer.cutter
        self.stop_sequence = cutter.stopped if cutter else None
        self.cancel_upstream = True
        self._conclude("max_tokens" if self.stop_sequence is None else "stop_sequence")

    def _conclude(self, reason: str) -> None:
        self._blocks.end()
        self._answer.search.settle()
        self.done = True
        self.stop_reason = reason
        if not self.usage.known:
            self.usage.output = self._blocks.characters // CHARACTERS_PER_TOKEN
        delta: dict[str, object] = {"stop_reason": reason, "stop_sequence": self.stop_sequence}
        if self._answer.facts.safeguards:
            # No verdict is made up: the client is told that nobody judged, and judges itself or asks the user.
            delta["safeguard_results"] = [{"type": "dangerous_tool_use", "status": {"type": "unsupported"}}]
        body = {"type": "message_delta", "delta": delta, "usage": self.usage.wire()}
        self._blocks.write("message_delta", quote(body))
        self._blocks.write("message_stop", b'{"type":"message_stop"}')


def _document(payload: bytes) -> dict[str, object]:
    """Any JSON object, whatever is in it; empty when it is none."""
    try:
        document = msgspec.json.decode(payload)
    except (ValueError, RecursionError):
        document = _lenient(payload)
    return document if isinstance(document, dict) else {}


def _lenient(payload: bytes) -> object:
    """json takes lone surrogates, and bytes that are no UTF-8 are replaced."""
    try:
        return json.loads(payload.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def _unclassified(document: dict[str, object]) -> UpstreamError:
    response = document.get("response")
    error = (response.get("error") if isinstance(response, dict) else document.get("error")) or document
    facts: dict[str, object] = error if isinstance(error, dict) else {}
    code, message = facts.get("code"), facts.get("message")
    return UpstreamFailed(
        message if isinstance(message, str) and message else "ChatGPT failed while answering.",
        code=code if isinstance(code, str) else None,
        upstream_status=200,
    )
