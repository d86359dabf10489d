"""Every error as Claude Code must be told it: the status that makes it do the right thing, and who refused."""

import json
from typing import Any

import pytest

from claudex import errors
from claudex.errors import ClaudexError
from claudex.translate.messages.errors import envelope, message, sse

from . import grammar


def all_errors(kind: type[ClaudexError] = ClaudexError) -> list[type[ClaudexError]]:
    """The tree of errors.py; other modules may have private branches."""
    children = [child for child in kind.__subclasses__() if child.__module__ == errors.__name__]
    return [kind, *(found for child in children for found in all_errors(child))]


EXTRA: dict[type[ClaudexError], Any] = {
    errors.MethodNotAllowed: lambda: errors.MethodNotAllowed("no", allow="POST"),
    errors.EnvFileError: lambda: errors.EnvFileError("env", 3, "no"),
}


def make(kind: type[ClaudexError]) -> ClaudexError:
    made: ClaudexError = EXTRA.get(kind, lambda: kind("It was refused"))()
    return made


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_every_error_has_the_shape_and_names_who_refused(kind: type[ClaudexError]) -> None:
    error = make(kind)
    reply = envelope(error, "req_9")
    body = json.loads(reply.body)
    assert list(body) == ["type", "error", "request_id"]
    assert body["type"] == "error"
    assert body["request_id"] == reply.headers["request-id"] == "req_9"
    assert error.who in body["error"]["message"]
    assert "claudex self logs req_9" in body["error"]["message"]
    assert (reply.status == 401) == isinstance(error, errors.NotAuthenticated)
    assert reply.status != 404 or isinstance(error, errors.NotFound)
    assert grammar.events(sse(error, "req_9"))[0]["error"] == body["error"]


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (errors.BadRequest("x"), 400, "invalid_request_error"),
        (errors.LoginRequired("x"), 403, "permission_error"),
        (errors.LoginBusy("x"), 503, "api_error"),
        (errors.RateLimited("x"), 429, "rate_limit_error"),
        (errors.PlanLimit("x"), 429, "rate_limit_error"),
        (errors.Overloaded("x"), 529, "overloaded_error"),
        (errors.ContextOverflow("x"), 400, "invalid_request_error"),
        (errors.ModelUnavailable("x"), 424, "invalid_request_error"),
        (errors.PolicyRefused("x"), 424, "invalid_request_error"),
        (errors.InvalidUpstreamRequest("x"), 424, "invalid_request_error"),
        (errors.UpstreamForbidden("x"), 403, "permission_error"),
        (errors.NetworkError("x"), 502, "api_error"),
        (errors.UpstreamTimeout("x"), 504, "timeout_error"),
    ],
)
def test_statuses(error: ClaudexError, status: int, kind: str) -> None:
    reply = envelope(error, "r")
    assert (reply.status, json.loads(reply.body)["error"]["type"]) == (status, kind)


@pytest.mark.parametrize(("upstream", "told"), [(404, "false"), (302, "false"), (500, None), (408, None), (None, None)])
def test_what_the_next_try_would_meet_again_is_asked_once(upstream: int | None, told: str | None) -> None:
    reply = envelope(errors.UpstreamFailed("x", upstream_status=upstream), "r")
    assert (reply.status, reply.headers.get("x-should-retry")) == (502, told)


@pytest.mark.parametrize(("after", "header"), [(None, "61"), (5, "61"), (7000.2, "7001")])
def test_a_plan_limit_is_asked_once(after: float | None, header: str) -> None:
    reply = envelope(errors.PlanLimit("The usage limit has been reached", retry_after=after), "r", when="at 18:40")
    assert reply.headers["retry-after"] == header
    assert reply.headers["x-should-retry"] == "false"
    assert json.loads(reply.body)["error"]["message"].count("18:40") == 1


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (errors.RateLimited("x", retry_after=1.2), {"retry-after": "2"}),
        (errors.RateLimited("x"), {}),
        (errors.Overloaded("x", retry_after=0), {"retry-after": "1"}),
        (errors.NetworkError("x", retry_after=float("inf")), {}),
        (errors.NotAuthenticated("x"), {"x-should-retry": "false"}),
        (errors.BadRequest("x"), {"x-should-retry": "false"}),
        (errors.MethodNotAllowed("x", allow="POST"), {"x-should-retry": "false", "allow": "POST"}),
    ],
)
def test_when_to_come_again(error: ClaudexError, headers: dict[str, str]) -> None:
    found = envelope(error, "r").headers
    assert {name: value for name, value in found.items() if name not in ("content-type", "request-id")} == headers


def test_an_overflow_is_worded_so_that_claude_code_compacts() -> None:
    text = message(errors.ContextOverflow("Your input exceeds the context window"), "r", tokens=(280_000, 272_000))
    assert text.startswith("prompt is too long: 280000 tokens > 272000 maximum. ChatGPT: Your input")
    assert message(errors.ContextOverflow("x"), "r").startswith("prompt is too long.")


def test_the_sentence_says_who_what_and_what_to_do() -> None:
    assert message(errors.LoginMissing("No login was found"), "req_1") == (
        "claudex: No login was found. Run `codex login`. (claudex self logs req_1)"
    )
    assert message(errors.RateLimited("ChatGPT asks to slow down."), "req_1") == (
        "ChatGPT asks to slow down. (claudex self logs req_1)"
    )
