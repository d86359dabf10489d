import json

import pytest

from claudex import errors
from claudex.codex.head import HELD_LIMIT, Head

NOW = 1_795_240_000.0
CREATED = {"type": "response.created", "response": {"id": "resp_1"}}


def event(**facts: object) -> bytes:
    return f"event: {facts.get('type')}\ndata: {json.dumps(facts)}\n\n".encode()


def failure(head: Head) -> errors.UpstreamError:
    return head.failure({}, url="http://x", upstream_id=None, now=NOW)


@pytest.mark.parametrize(
    "kind",
    [
        "response.output_item.added",
        "response.output_item.done",
        "response.output_text.delta",
        "response.reasoning_summary_text.delta",
        "response.function_call_arguments.delta",
        "response.completed",
        "response.incomplete",
    ],
)
def test_content_makes_it_ready(kind: str) -> None:
    head = Head()
    head.feed(event(**CREATED) + event(type="response.in_progress"), NOW)
    assert not head.ready
    head.feed(event(type=kind), NOW)
    assert head.ready


@pytest.mark.parametrize(
    "kind", ["response.created", "keepalive", "codex.rate_limits", "response.metadata", "new.thing"]
)
def test_other_events_do_not(kind: str) -> None:
    head = Head()
    head.feed(event(type=kind), NOW)
    assert not head.ready


def test_every_byte_is_kept_however_it_was_cut() -> None:
    stream = b": hello\r\n\r\n" + event(**CREATED) + b"data: no json\n\n" + event(type="response.completed")
    head = Head()
    for index in range(len(stream)):
        head.feed(stream[index : index + 1], NOW)
    assert head.ready
    assert head.data == stream


def test_a_failure_is_classified() -> None:
    head = Head()
    head.feed(event(**CREATED), NOW)
    head.feed(event(type="response.failed", response={"error": {"code": "server_is_overloaded"}}), NOW)
    assert head.failed
    assert type(failure(head)) is errors.Overloaded


def test_an_error_event_alone_waits_for_more() -> None:
    head = Head()
    head.feed(event(type="error", code="server_is_overloaded", message="busy"), NOW)
    assert (head.warned, head.failed, head.ready) == (True, False, False)
    assert type(failure(head)) is errors.Overloaded


def test_the_plainer_of_error_and_failed_counts() -> None:
    head = Head()
    head.feed(event(type="error", code="context_length_exceeded", message="long"), NOW)
    head.feed(event(type="response.failed", response={"error": {"code": "server_error"}}), NOW)
    assert type(failure(head)) is errors.ContextOverflow


def test_content_after_an_error_event_wins() -> None:
    head = Head()
    head.feed(event(type="error", code="x") + event(type="response.output_item.added"), NOW)
    assert head.ready
    assert not head.failed


def test_the_end_without_content_is_a_truncated_stream() -> None:
    head = Head()
    head.feed(event(**CREATED), NOW)
    head.end(NOW)
    assert type(failure(head)) is errors.StreamTruncated


def test_a_body_that_is_no_stream_is_read_as_an_error_body() -> None:
    head = Head()
    head.feed(b'{"error": {"code": "context_length_exceeded"}}', NOW)
    head.end(NOW)
    assert type(failure(head)) is errors.ContextOverflow


def test_a_last_event_without_its_blank_line_counts() -> None:
    head = Head()
    head.feed(event(type="response.completed").rstrip(), NOW)
    head.end(NOW)
    assert head.ready


def test_limits_and_metadata_are_noted_on_the_way() -> None:
    window = {"used_percent": 1, "window_minutes": 300}
    head = Head()
    head.feed(event(type="codex.rate_limits", rate_limits={"primary": window}), NOW)
    head.feed(event(type="response.metadata", headers={"X-Codex-Turn-State": "t", "x-models-etag": 'W/"e"'}), NOW)
    assert head.limits is not None
    assert (head.turn_state, head.models_etag) == ("t", 'W/"e"')


def test_a_head_without_content_is_passed_on_before_it_fills_the_memory() -> None:
    head = Head()
    head.feed(event(type="keepalive", padding="x" * HELD_LIMIT), NOW)
    assert head.ready


@pytest.mark.parametrize("facts", [{"response": 1}, {"headers": 3}, {"rate_limits": "x"}])
@pytest.mark.parametrize("kind", ["codex.rate_limits", "response.metadata", "response.failed", "error"])
def test_malformed_events_do_no_harm(kind: str, facts: dict[str, object]) -> None:
    head = Head()
    head.feed(event(type=kind, **facts), NOW)
    assert isinstance(failure(head), errors.UpstreamError)


@pytest.mark.parametrize("payload", ["1", "[]", '"x"', "null"])
def test_data_that_is_no_object_is_passed_over(payload: str) -> None:
    head = Head()
    head.feed(f"data: {payload}\n\n".encode(), NOW)
    assert not head.ready
