"""The facts inside a refusal, whatever style its body has."""

import base64
import binascii
import math
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

TEXT_LIMIT = 600  # characters of the backend's own words that are passed on
ID_HEADERS = ("x-request-id", "x-oai-request-id", "cf-ray")


@dataclass(frozen=True)
class Refusal:
    """`code` and `type` are the backend's words, "" when it gave none; times are unix seconds or seconds from now."""

    status: int
    message: str = ""
    code: str = ""
    type: str = ""
    upstream_id: str | None = None
    plan: str = ""
    resets_at: float | None = None
    resets_in: float | None = None
    window_minutes: float | None = None
    is_page: bool = False

    def has(self, *names: str) -> bool:
        return self.code in names or self.type in names

    def sentence(self, otherwise: str) -> str:
        return self.message or otherwise


def from_body(status: int, headers: Mapping[str, str], body: bytes) -> Refusal:
    lower = {name.lower(): value for name, value in headers.items()}
    upstream_id = next((lower[name] for name in ID_HEADERS if lower.get(name)), None)
    text = body.decode("utf-8", "replace").strip()
    document = _decoded(body) or _error_header(lower)
    if not document and text != "{}":
        page = text[:1] == "<" or "html" in lower.get("content-type", "")
        return Refusal(status, "" if page else shorten(text), upstream_id=upstream_id, is_page=page)
    return _from_document(status, document, upstream_id)


def from_event(event: Mapping[str, object], upstream_id: str | None) -> Refusal:
    """An `error` event carries its facts flat or under `error`; `response.failed` under `response.error`."""
    response = _object(event.get("response"))
    error = _object(response.get("error")) or _object(event.get("error")) or {**event, "type": ""}
    if isinstance(words := event.get("error"), str) and "message" not in error:
        error = {**error, "message": words}
    status = _number(event.get("status"))
    return _from_error(int(status or 200), error, upstream_id or _text(response.get("id")) or None)


def incomplete_reason(event: Mapping[str, object]) -> str:
    details = _object(_object(event.get("response")).get("incomplete_details"))
    return _text(details.get("reason"))


def shorten(text: str) -> str:
    """One line, bounded: an error message goes into logs and terminals."""
    line = " ".join(text.split())
    return line if len(line) <= TEXT_LIMIT else line[: TEXT_LIMIT - 1] + "…"


def _from_document(status: int, document: Mapping[str, object], upstream_id: str | None) -> Refusal:
    detail = document.get("detail")
    if isinstance(detail, str):
        return Refusal(status, shorten(detail), upstream_id=upstream_id)
    error = document.get("error")
    if isinstance(error, str):  # OAuth style
        words = _text(document.get("error_description"))
        return Refusal(status, shorten(words), code=error, upstream_id=upstream_id)
    return _from_error(status, _object(error) or _object(detail) or document, upstream_id)


def _from_error(status: int, error: Mapping[str, object], upstream_id: str | None) -> Refusal:
    return Refusal(
        status,
        shorten(_text(error.get("message"))),
        code=_text(error.get("code")),
        type=_text(error.get("type")),
        upstream_id=upstream_id,
        plan=_text(error.get("plan_type")),
        resets_at=_number(error.get("resets_at")),
        resets_in=_number(error.get("resets_in_seconds")),
        window_minutes=_number(error.get("limit_window_minutes")),
    )


def _decoded(body: bytes) -> Mapping[str, object]:
    try:
        return _object(msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def _error_header(headers: Mapping[str, str]) -> Mapping[str, object]:
    """`x-error-json`: the error as base64 JSON, beside a body that may be empty."""
    try:
        return _decoded(base64.b64decode(headers.get("x-error-json", ""), validate=True))
    except (ValueError, binascii.Error):
        return {}


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None
