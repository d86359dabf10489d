"""The beginning of a stream, read until it is certain that there is an answer.

The backend reports a full model or a used-up plan inside a 200 stream, after `response.created`. Nothing is promised
to the caller before the first content event, so such a failure can still be retried, or told with its own HTTP
status.
"""

from collections.abc import Mapping

import msgspec

from .. import errors
from ..wire import sse
from . import classify, identity
from .limits import Limits, from_event

HELD_LIMIT = 1024 * 1024  # bytes without a content event after which the stream is passed on as it is
CONTENT = frozenset(
    ("response.output_item.added", "response.output_item.done", "response.completed", "response.incomplete")
)


class _Typed(msgspec.Struct):
    type: str = ""


class Head:
    """Chunks in; `ready` once there is content, `failed` once `response.failed` has come. Never alters a byte."""

    def __init__(self) -> None:
        self.ready = False
        self.failed = False
        self.turn_state = ""
        self.models_etag = ""
        self.limits: Limits | None = None
        self._decoder = sse.Decoder()
        self._typed = msgspec.json.Decoder(_Typed)
        self._pieces: list[bytes] = []
        self._size = 0
        self._events = 0
        self._error: Mapping[str, object] | None = None
        self._failure: Mapping[str, object] | None = None

    @property
    def warned(self) -> bool:
        """An `error` event has come; `response.failed` or the end should follow."""
        return self._error is not None

    @property
    def data(self) -> bytes:
        return b"".join(self._pieces)

    def feed(self, chunk: bytes, now: float) -> None:
        self._pieces.append(chunk)
        self._size += len(chunk)
        try:
            payloads = self._decoder.feed(chunk)
        except sse.EventTooLarge:
            self.ready = True  # the translator has its own word for it
            return
        self._take(payloads, now)
        if self._size > HELD_LIMIT and not self.failed:
            self.ready = True

    def end(self, now: float) -> None:
        """The stream is over: a last event may lack its blank line."""
        self._take(self._decoder.rest(), now)

    def failure(
        self, headers: Mapping[str, str], *, url: str, upstream_id: str | None, now: float
    ) -> errors.UpstreamError:
        """Why there is no content, once `failed`, or at the end of the stream."""
        for event in (self._failure, self._error):
            if event is not None and (
                error := classify.from_event(event, url=url, upstream_id=upstream_id, now=now, headers=headers)
            ):
                return self._plainest(error, headers, url, upstream_id, now)
        if not self._events and self._size:
            return classify.from_response(200, headers, self.data, url=url, now=now)
        return errors.StreamTruncated(
            "ChatGPT closed the stream before it had answered.", upstream_status=200, upstream_id=upstream_id, url=url
        )

    def _plainest(
        self, error: errors.UpstreamError, headers: Mapping[str, str], url: str, upstream_id: str | None, now: float
    ) -> errors.UpstreamError:
        """`response.failed` may be vaguer than the `error` event before it."""
        if type(error) is errors.UpstreamFailed and self._failure is not None and self._error is not None:
            return classify.from_event(self._error, url=url, upstream_id=upstream_id, now=now, headers=headers) or error
        return error

    def _take(self, payloads: list[bytes], now: float) -> None:
        for payload in payloads:
            try:
                kind = self._typed.decode(payload).type
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue  # the official client passes over what is not JSON, too
            self._events += 1
            if kind in CONTENT or kind.endswith(".delta"):
                self.ready = True
                return
            self._note(kind, payload, now)
            if self.failed:
                return

    def _note(self, kind: str, payload: bytes, now: float) -> None:
        if kind not in ("error", "response.failed", "codex.rate_limits", "response.metadata"):
            return
        try:
            event = msgspec.json.decode(payload)
        except msgspec.DecodeError:  # the type was readable and the rest is not
            return
        if kind == "error":
            self._error = event
        elif kind == "response.failed":
            self._failure, self.failed = event, True
        elif kind == "codex.rate_limits":
            self.limits = from_event(event, now) or self.limits
        else:
            self._note_metadata(event.get("headers"))

    def _note_metadata(self, headers: object) -> None:
        """`response.metadata` repeats response headers inside the stream."""
        if not isinstance(headers, dict):
            return
        lower = {str(name).lower(): value for name, value in headers.items() if isinstance(value, str)}
        self.turn_state = lower.get(identity.TURN_STATE_HEADER, self.turn_state)
        self.models_etag = lower.get("x-models-etag", self.models_etag)
