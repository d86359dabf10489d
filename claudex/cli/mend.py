"""Why a probe failed, where, and the one command that mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import ClaudexError, LoginError, PortHeld, ProxyUnavailable, UpstreamError
from ..wrapper.daemon import another_port
from . import gateway
from .place import Place


@dataclass(frozen=True)
class Failure:
    cause: str
    who: str
    url: str
    mend: str
    request_id: str
    exit_code: int


class Refused(ClaudexError):
    """The proxy answered with another status than 200, or with an error inside the stream (then 200)."""

    def __init__(self, http_status: int, message: str, request_id: str) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.request_id = request_id


def explain(place: Place, error: Exception) -> Failure:
    match error:
        case PortHeld():
            return _local(place, error.message, f"{another_port(place.port)} claudex start", error.exit_code)
        case ProxyUnavailable():
            return _local(place, error.message, "claudex start", error.exit_code)
        case Refused():
            return _refused(place, error.message, error.http_status, error.request_id)
        case ClaudexError():
            return _refused(place, error.message, 200, "")
    # Between us and the proxy, on loopback: it fell silent, broke off, or said something out of shape.
    cause = f"the proxy's answer cannot be used: {type(error).__name__} {error}".rstrip()
    return _local(place, cause, "claudex restart", 1)


def _local(place: Place, cause: str, mend: str, exit_code: int) -> Failure:
    return Failure(cause, "claudex", place.base_url, mend, "", exit_code)


def _refused(place: Place, cause: str, status: int, request_id: str) -> Failure:
    """The proxy's own note on the request says who refused; without one the status has to do."""
    note = _note(place, request_id)
    who = str((note.get("error") or {}).get("who") or ("claudex" if status in (400, 401, 404, 413) else "ChatGPT"))
    ours = f"{place.base_url}/v1/messages"
    if status == 401:
        return Failure(cause, "claudex", ours, "claudex restart", request_id, 1)
    if "codex login" in cause:
        return Failure(cause, who, ours, "codex login", request_id, LoginError.exit_code)
    if who == "claudex":
        return Failure(cause, who, ours, _look(request_id), request_id, 1)
    url = f"{place.settings.upstream.url}/codex/responses"
    return Failure(cause, who, url, _upstream_mend(cause, status, who, request_id), request_id, UpstreamError.exit_code)


def _upstream_mend(cause: str, status: int, who: str, request_id: str) -> str:
    if who == "the network" or status == 502:
        return "claudex status --check"
    if status == 429:
        return "claudex status   (it shows when the limit resets)"
    if "model" in cause.lower() and status in (400, 404):
        return "claudex self models"
    return _look(request_id)


def _look(request_id: str) -> str:
    return f"claudex self logs {request_id}".rstrip()


def _note(place: Place, request_id: str) -> dict[str, Any]:
    if not request_id:
        return {}
    try:
        note = gateway.get(place, f"/api/requests/{request_id}")
    except ClaudexError:
        return {}
    return note if isinstance(note, dict) else {}
