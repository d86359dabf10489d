"""Each row: what the backend says (forms seen by codex CLI 0.169.0 and other clients), and what it means here."""

import base64
import json

import pytest

from claudex import errors
from claudex.codex import classify

NOW = 1_795_240_000.0
URL = "https://chatgpt.com/backend-api/codex/responses"
CLOUDFLARE = b"<!DOCTYPE html><html><title>Attention Required! | Cloudflare</title>Sorry, you have been blocked</html>"


def error(**facts: object) -> dict[str, object]:
    return {"error": {"message": "the backend's words", "param": None, **facts}}


RESPONSES = [
    (400, {"detail": "Unsupported parameter: temperature"}, errors.InvalidUpstreamRequest, "Unsupported parameter"),
    (400, {"detail": "Stream must be set to true"}, errors.InvalidUpstreamRequest, "Stream must"),
    (400, error(code="context_length_exceeded"), errors.ContextOverflow, "words"),
    (400, error(code="cyber_policy"), errors.PolicyRefused, "words"),
    (400, error(code="bio_policy"), errors.PolicyRefused, "words"),
    (400, error(code="invalid_prompt"), errors.PolicyRefused, "words"),
    (400, error(code="invalid_value", param="input[0].content[0].image_url"), errors.InvalidUpstreamRequest, "words"),
    (400, error(code="invalid_encrypted_content"), errors.InvalidEncryptedContent, "words"),
    (
        404,
        error(message="Item with id 'rs_1' not found. Items are not persisted when `store` is set to false."),
        errors.InvalidEncryptedContent,
        "rs_1",
    ),
    (400, {"detail": "The 'x' model requires a newer version of Codex."}, errors.ModelUnavailable, "newer version"),
    (
        400,
        {"detail": "The 'gpt-5' model is not supported when using Codex with a ChatGPT account."},
        errors.ModelUnavailable,
        "gpt-5",
    ),
    (401, {"detail": "Unauthorized"}, errors.UpstreamForbidden, "codex login"),
    (402, {"detail": {"code": "deactivated_workspace"}}, errors.UpstreamForbidden, "workspace has been deactivated"),
    (402, {}, errors.UpstreamForbidden, "payment"),
    (403, {"detail": "No access"}, errors.UpstreamForbidden, "No access"),
    (404, error(code="model_not_found"), errors.ModelUnavailable, "words"),
    (
        404,
        error(message="Model not found gpt-5.6-luna", type="invalid_request_error", code=None),
        errors.ModelUnavailable,
        "gpt-5.6-luna",
    ),
    (404, {"detail": "Not Found"}, errors.UpstreamFailed, URL),
    (413, {}, errors.ContextOverflow, "too large"),
    (
        400,
        error(message="Your input exceeds the context window of this model.", type="invalid_request_error"),
        errors.ContextOverflow,
        "context window",
    ),
    (422, {"detail": [{"loc": ["body"], "msg": "x"}]}, errors.InvalidUpstreamRequest, "422"),
    (429, error(type="usage_limit_reached", plan_type="plus"), errors.PlanLimit, "words"),
    (429, error(type="usage_not_included"), errors.PlanLimit, "Upgrade"),
    (429, error(code="insufficient_quota"), errors.PlanLimit, "words"),
    (429, error(code="credit_balance_exhausted"), errors.PlanLimit, "words"),
    (429, error(code="workspace_spend_limit_exceeded"), errors.PlanLimit, "words"),
    (429, error(code="rate_limit_exceeded"), errors.RateLimited, "words"),
    (429, {"detail": "Too many requests"}, errors.RateLimited, "Too many requests"),
    (500, {}, errors.UpstreamFailed, "500"),
    (502, error(), errors.UpstreamFailed, "words"),
    (503, error(code="server_is_overloaded"), errors.Overloaded, "words"),
    (503, error(code="slow_down"), errors.Overloaded, "words"),
    (529, {}, errors.Overloaded, "overloaded"),
    (200, {}, errors.UpstreamFailed, "not a stream"),
    (408, {}, errors.UpstreamFailed, "408"),
    (418, {}, errors.InvalidUpstreamRequest, "418"),
]


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"), RESPONSES, ids=lambda value: value if isinstance(value, int) else None
)
def test_each_response_has_its_meaning(status: int, body: object, kind: type[errors.UpstreamError], words: str) -> None:
    found = classify.from_response(status, {"x-request-id": "r-1"}, json.dumps(body).encode(), url=URL, now=NOW)
    assert type(found) is kind
    assert words in str(found)
    assert (found.upstream_status, found.upstream_id, found.url) == (status, "r-1", URL)


EVENTS = [
    ("context_length_exceeded", errors.ContextOverflow),
    ("server_is_overloaded", errors.Overloaded),
    ("slow_down", errors.Overloaded),
    ("flex_unavailable", errors.Overloaded),
    ("rate_limit_exceeded", errors.RateLimited),
    ("insufficient_quota", errors.PlanLimit),
    ("usage_not_included", errors.PlanLimit),
    ("usage_limit_reached", errors.PlanLimit),
    ("cyber_policy", errors.PolicyRefused),
    ("invalid_prompt", errors.PolicyRefused),
    ("model_not_found", errors.ModelUnavailable),
    ("invalid_encrypted_content", errors.InvalidEncryptedContent),
    ("invalid_request_error", errors.InvalidUpstreamRequest),
    ("server_error", errors.UpstreamFailed),
    ("never_heard_of", errors.UpstreamFailed),
]


@pytest.mark.parametrize(("code", "kind"), EVENTS)
@pytest.mark.parametrize("form", ["failed", "flat error", "nested error"])
def test_each_in_stream_code_has_its_meaning(code: str, kind: type[errors.UpstreamError], form: str) -> None:
    facts = {"code": code, "message": "words"}
    event: dict[str, object] = {
        "failed": {"type": "response.failed", "response": {"id": "resp_1", "error": facts}},
        "flat error": {"type": "error", "param": None, **facts},
        "nested error": {"type": "error", "error": {"type": code, **facts}},
    }[form]  # type: ignore[assignment]
    found = classify.from_event(event, url=URL, now=NOW)
    assert type(found) is kind
    assert found.upstream_status == 200
    assert "words" in str(found)


def test_the_end_of_an_answer_at_its_output_limit_is_no_error() -> None:
    event = {"type": "response.incomplete", "response": {"incomplete_details": {"reason": "max_output_tokens"}}}
    assert classify.from_event(event, now=NOW) is None


@pytest.mark.parametrize(
    ("reason", "kind"), [("content_filter", errors.PolicyRefused), ("interrupted", errors.StreamTruncated)]
)
def test_other_incomplete_answers_are_errors(reason: str, kind: type[errors.UpstreamError]) -> None:
    event = {"type": "response.incomplete", "response": {"incomplete_details": {"reason": reason}}}
    assert type(classify.from_event(event, now=NOW)) is kind


@pytest.mark.parametrize("kind", ["response.completed", "response.output_text.delta", "keepalive", "", None])
def test_other_events_are_no_errors(kind: object) -> None:
    assert classify.from_event({"type": kind}, now=NOW) is None


@pytest.mark.parametrize("mess", [{"response": 1}, {"error": []}, {"response": {"error": "x"}}, {"status": "x"}])
def test_a_malformed_failure_is_still_a_failure(mess: dict[str, object]) -> None:
    assert type(classify.from_event({"type": "response.failed", **mess}, now=NOW)) is errors.UpstreamFailed


def test_a_cloudflare_page_is_named_and_never_pasted() -> None:
    headers = {"content-type": "text/html", "CF-Ray": "8f00-AMS"}
    found = classify.from_response(403, headers, CLOUDFLARE, url=URL, now=NOW)
    assert type(found) is errors.UpstreamForbidden
    assert found.code == "cloudflare"
    assert "8f00-AMS" in str(found)
    assert "<" not in str(found)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 520, 404])
def test_no_page_is_pasted_at_any_status(status: int) -> None:
    assert "<" not in str(classify.from_response(status, {}, CLOUDFLARE, now=NOW))


def test_plain_text_is_passed_on_in_one_bounded_line() -> None:
    found = classify.from_response(500, {}, b"upstream\nconnect error " + b"x" * 10_000, now=NOW)
    assert found.message.startswith("upstream connect error")
    assert len(found.message) <= 600


def test_bytes_that_are_no_text_do_no_harm() -> None:
    assert classify.from_response(500, {}, b"\xff\xfe\x00", now=NOW).upstream_status == 500


def test_the_error_may_come_in_a_header() -> None:
    header = base64.b64encode(b'{"error": {"code": "context_length_exceeded"}}').decode()
    assert type(classify.from_response(400, {"x-error-json": header}, b"", now=NOW)) is errors.ContextOverflow


def test_a_redirect_names_its_target_and_nothing_of_its_query() -> None:
    found = classify.from_response(302, {"location": "https://evil.test/x?token=1"}, b"", now=NOW)
    assert "evil.test" in str(found)
    assert "token" not in str(found)


def test_a_plan_limit_tells_when_it_ends() -> None:
    body = error(type="usage_limit_reached", resets_at=NOW + 7000, limit_window_minutes=300)
    found = classify.from_response(429, {}, json.dumps(body).encode(), now=NOW)
    assert isinstance(found, errors.PlanLimit)
    assert (found.resets_at, found.retry_after) == (NOW + 7000, 7000)


def test_the_seconds_until_the_reset_serve_as_well() -> None:
    body = error(type="usage_limit_reached", resets_in_seconds=90)
    found = classify.from_response(429, {}, json.dumps(body).encode(), now=NOW)
    assert isinstance(found, errors.PlanLimit)
    assert found.resets_at == NOW + 90


def test_an_implausible_reset_is_not_believed_and_the_headers_are_asked() -> None:
    body = error(type="usage_limit_reached", resets_at=NOW + 9e8)
    headers = {
        "x-codex-primary-used-percent": "100",
        "x-codex-primary-window-minutes": "300",
        "x-codex-primary-reset-at": str(NOW + 600),
    }
    found = classify.from_response(429, headers, json.dumps(body).encode(), now=NOW)
    assert isinstance(found, errors.PlanLimit)
    assert found.resets_at == NOW + 600


def test_a_bare_429_with_a_used_up_window_is_a_plan_limit() -> None:
    headers = {"x-codex-primary-used-percent": "100.0", "x-codex-primary-window-minutes": "300"}
    assert isinstance(classify.from_response(429, headers, b"", now=NOW), errors.PlanLimit)


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("Sat, 21 Nov 2026 05:46:50 GMT", 10.0), ("soon", None), ("-3", 0.0)]
)
def test_retry_after_in_both_its_forms(header: str, seconds: float | None) -> None:
    found = classify.from_response(503, {"Retry-After": header}, b"", now=NOW)
    assert found.retry_after == seconds


@pytest.mark.parametrize(
    ("words", "seconds"), [("try again in 1.5s.", 1.5), ("try again in 250ms", 0.25), ("Try again in 1m 2s", 62.0)]
)
def test_the_delay_of_an_in_stream_limit_is_read_from_its_sentence(words: str, seconds: float) -> None:
    facts = {"code": "rate_limit_exceeded", "message": f"Rate limit reached. Please {words}"}
    found = classify.from_event({"type": "response.failed", "response": {"error": facts}}, now=NOW)
    assert found is not None
    assert found.retry_after == pytest.approx(seconds)


def test_the_wrong_lane_is_told_from_other_refusals() -> None:
    lite = error(
        code="unsupported_value",
        message="X-OpenAI-Internal-Codex-Responses-Lite only supports function tools, custom tools, and more.",
    )
    other = error(code="unsupported_value", message="Unsupported value: 'minimal'")

    def wrong(status: int, body: object) -> bool:
        return classify.wrong_lane(classify.from_response(status, {}, json.dumps(body).encode(), now=NOW))

    assert wrong(400, lite)
    assert wrong(404, error(message="Model not found gpt-6-luna"))
    assert not wrong(400, other)
    assert not wrong(400, {"detail": "The 'x' model requires a newer version of Codex."})
    assert not wrong(404, {"detail": "Not Found"})


def test_an_error_event_may_be_no_more_than_its_words() -> None:
    found = classify.from_event({"type": "error", "error": "the gateway has lost its backend"}, now=NOW)
    assert found is not None
    assert found.message == "the gateway has lost its backend"
