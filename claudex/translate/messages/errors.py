"""Errors as Claude Code must be told them: status, headers, body, or an event in the stream.

What its versions 2.1.197 and 2.1.329 make of a status decides (observed with both):
401 is retried for three minutes and then named a missing login; the text of 404 is hidden; a 400 or 422 is taken for an
unknown beta and asked again up to six times; 429 and 5xx are retried ten times unless `x-should-retry: false` or a
`retry-after` above 60 says otherwise; an overflow makes it compact only as a 400 that says "prompt is too long".
"""

import math
from dataclasses import dataclass

from ... import errors
from ...errors import ClaudexError
from ...wire import sse as framing
from .blocks import quote

# Above this many seconds Claude Code gives up at once instead of waiting.
_WAITS_AT_MOST = 60
# A wrong address or a redirect: the next try would meet it again, for three minutes.
_LASTING = {404, *range(300, 400)}
_BAD_REQUEST = "invalid_request_error"
# "Failed Dependency": what ChatGPT refused for good. Both versions show the text of a 424 after one single request.
_REFUSED = 424


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


def envelope(error: ClaudexError, request_id: str, *, when: str = "", tokens: tuple[int, int] | None = None) -> Reply:
    """The HTTP answer. `when` says in the user's own time when a plan limit ends ("at 18:40"); `tokens` are what a
    prompt that is too long needs, and what the model takes."""
    status, _ = _shape(error)
    headers = {"content-type": "application/json", "request-id": request_id} | _retry(error, status)
    if isinstance(error, errors.MethodNotAllowed):
        headers["allow"] = error.allow
    return Reply(status, headers, _body(error, request_id, when, tokens))


def sse(error: ClaudexError, request_id: str, *, when: str = "", tokens: tuple[int, int] | None = None) -> bytes:
    """The same as an event in a stream that has begun."""
    return framing.encode("error", _body(error, request_id, when, tokens))


def message(error: ClaudexError, request_id: str, *, when: str = "", tokens: tuple[int, int] | None = None) -> str:
    """The sentence alone: who refused, why, what to do, and where to read more."""
    text = error.message.strip() or "The request failed."
    if isinstance(error, errors.PlanLimit) and when:
        text = f"{_sentence(text)} It resets {when}."
    if not text.startswith(("ChatGPT", "claudex", "The network")):
        text = f"{error.who}: {text}"
    if isinstance(error, errors.ContextOverflow):
        text = f"{_too_long(tokens)}. {text}"
    parts = [_sentence(text), error.hint, f"(claudex self logs {request_id})" if request_id else ""]
    return " ".join(part for part in parts if part)


def _body(error: ClaudexError, request_id: str, when: str, tokens: tuple[int, int] | None) -> bytes:
    _, kind = _shape(error)
    text = message(error, request_id, when=when, tokens=tokens)
    return quote({"type": "error", "error": {"type": kind, "message": text}, "request_id": request_id})


def _shape(error: ClaudexError) -> tuple[int, str]:
    """Status and type for Claude Code, where they differ from the error's own."""
    if isinstance(error, (errors.InvalidUpstreamRequest, errors.ModelUnavailable, errors.PolicyRefused)):
        return _REFUSED, _BAD_REQUEST
    if error.status == 401 and not isinstance(error, errors.NotAuthenticated):
        return 403, "permission_error"
    return error.status, error.type


def _retry(error: ClaudexError, status: int) -> dict[str, str]:
    """When to come again, if at all."""
    if isinstance(error, errors.PlanLimit):
        wait = max(math.ceil(error.retry_after or 0), _WAITS_AT_MOST + 1)
        return {"retry-after": str(wait), "x-should-retry": "false"}
    if isinstance(error, errors.UpstreamFailed) and error.upstream_status in _LASTING:
        return {"x-should-retry": "false"}
    if status in (408, 409, 429) or status >= 500:
        after = error.retry_after if isinstance(error, errors.UpstreamError) else None
        return {"retry-after": str(max(math.ceil(after), 1))} if after is not None and math.isfinite(after) else {}
    return {"x-should-retry": "false"}


def _too_long(tokens: tuple[int, int] | None) -> str:
    return f"prompt is too long: {tokens[0]} tokens > {tokens[1]} maximum" if tokens else "prompt is too long"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", ")")) else text + "."
