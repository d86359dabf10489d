"""Answers: JSON, and refusals in the caller's dialect."""

import math
import time
from typing import Any

import msgspec
from aiohttp import web

from ..errors import ClaudexError, PlanLimit, RateLimited
from ..translate.messages import errors as anthropic

REQUEST_ID = "request-id"
_encode = msgspec.json.Encoder().encode


def json(document: Any, request_id: str, status: int = 200) -> web.Response:
    return body(_encode(document), request_id, status)


def body(data: bytes, request_id: str, status: int = 200) -> web.Response:
    headers = {"Content-Type": "application/json", REQUEST_ID: request_id}
    return web.Response(body=data, status=status, headers=headers)


def refusal(
    error: ClaudexError, request_id: str, *, openai: bool, tokens: tuple[int, int] | None = None
) -> web.Response:
    if openai:
        return _openai(error, request_id)
    reply = anthropic.envelope(error, request_id, when=when(error), tokens=tokens)
    return web.Response(body=reply.body, status=reply.status, headers=reply.headers)


def when(error: ClaudexError, now: float | None = None) -> str:
    """The reset of a plan's window in the user's own time: "at 18:40", "on Tuesday at 09:00"."""
    resets_at = error.resets_at if isinstance(error, PlanLimit) else None
    if resets_at is None:
        return ""
    reset, today = time.localtime(resets_at), time.localtime(now)
    clock = time.strftime("%H:%M", reset)
    if reset[:3] == today[:3]:
        return f"at {clock}"
    within_a_week = resets_at - time.mktime(today) < 6 * 86_400
    day = time.strftime("%A" if within_a_week else "%d %B", reset)
    return f"on {day} at {clock}"


def _openai(error: ClaudexError, request_id: str) -> web.Response:
    document = {
        "error": {
            "message": anthropic.message(error, request_id, when=when(error)),
            "type": error.openai_type,
            "param": None,
            "code": getattr(error, "code", None),
        }
    }
    response = json(document, request_id, error.status)
    if isinstance(error, RateLimited) and error.retry_after:
        response.headers["retry-after"] = str(math.ceil(error.retry_after))
    if allow := getattr(error, "allow", None):
        response.headers["Allow"] = allow
    return response
