"""The body as a whole: fields, order, settings, sessions, losses."""

import json
from itertools import pairwise
from uuid import UUID

import pytest

from claudex.errors import BadRequest
from claudex.translate.messages.limits import output_cap
from claudex.translate.messages.request import Options, cache_key

from .support import Json, assistant, call, request, result, tool, translated, upstream, user

CLI = "claude-cli/2.1.329 (external, sdk-cli)"
SESSION = "00000000-0000-4000-8000-000000000001"
EVERY = {
    "temperature": 1,
    "top_p": 0.5,
    "top_k": 3,
    "service_tier": "standard_only",
    "speed": "fast",
    "container": "c",
    "mcp_servers": [{"name": "x"}],
    "inference_geo": "us",
}
HARMLESS = {
    "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    "metadata": {"user_id": "x"},
    "service_tier": "auto",
    "mcp_servers": [],
    "temperature": None,
    "cache_control": {"type": "ephemeral"},
    "betas": ["x"],
    "diagnostics": {},
    "safeguards": [{"type": "dangerous_tool_use", "classifier_context": {"home_dir": "/home/me"}}],
}


def test_the_head_of_a_full_request() -> None:
    sent = upstream(request(user("hi"), tools=[tool("A")], model="gpt-5.5"), session=SESSION)
    assert sent | {"input": [], "tools": []} == {
        "model": "gpt-5.5",
        "stream": True,
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": SESSION,
        "tools": [],
        "input": [],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning": {"effort": "medium"},
        "text": {"verbosity": "low"},
    }


def test_the_tail_of_a_lite_request() -> None:
    sent = upstream(request(user("hi"), thinking={"type": "adaptive"}, output_config={"effort": "max"}))
    assert sent["reasoning"] == {"effort": "max", "summary": "auto", "context": "all_turns"}


def test_marks_end_where_the_items_end() -> None:
    up = translated(request(user("a"), assistant("b", call("c")), user(result("c")), tools=[tool("A")], system="s"))
    labels = [label for _, label in up.marks]
    assert labels == ["tools", "developer", "user", "assistant", "function_call Bash", "function_call_output"]
    starts = [0, *(end for end, _ in up.marks)]
    pieces = [up.body[start:end] for start, end in pairwise(starts)]
    assert all(piece.endswith(b"}") for piece in pieces)
    assert json.loads(pieces[-1].removeprefix(b","))["type"] == "function_call_output"


def test_changing_the_tail_changes_nothing_before_it() -> None:
    one = translated(request(user("a"), output_config={"effort": "low"}, tools=[tool("A")], model="gpt-5.5"))
    choice = {"type": "any", "disable_parallel_tool_use": True}
    two = translated(
        request(user("a"), output_config={"effort": "xhigh"}, tools=[tool("A")], model="gpt-5.5", tool_choice=choice)
    )
    end = one.marks[-1][0]
    assert one.body[:end] == two.body[:end]
    assert one.body != two.body


@pytest.mark.parametrize(
    ("thinking", "display", "summary"),
    [
        (None, "off", None),
        ({"type": "disabled"}, "off", None),
        ({"type": "adaptive"}, "summarized", "auto"),
        ({"type": "enabled", "budget_tokens": 31999}, "summarized", "auto"),
        ({"type": "adaptive", "display": "omitted"}, "omitted", None),
        ({"type": "adaptive", "display": "updates"}, "updates", "auto"),
    ],
)
def test_a_summary_is_asked_for_where_thinking_is_shown(
    thinking: Json | None, display: str, summary: str | None
) -> None:
    up = translated(request(user("a"), thinking=thinking))
    assert up.display == display
    assert json.loads(up.body)["reasoning"].get("summary") == summary


@pytest.mark.parametrize(("budget", "effort"), [(1024, "low"), (10_000, "medium"), (31_999, "xhigh")])
def test_a_budget_is_an_effort(budget: int, effort: str) -> None:
    assert translated(request(user("a"), thinking={"type": "enabled", "budget_tokens": budget})).effort == effort


def test_settings_reach_the_body() -> None:
    options = Options(summary="detailed", verbosity="high", service_tier="priority", lane="full")
    sent = upstream(request(user("a"), thinking={"type": "adaptive"}), options=options)
    assert sent["reasoning"]["summary"] == "detailed"
    assert sent["text"] == {"verbosity": "high"}
    assert sent["service_tier"] == "priority"
    assert "service_tier" not in upstream(request(user("a"), model="gpt-77"), options=options)
    assert (
        "summary"
        not in upstream(request(user("a"), thinking={"type": "adaptive"}), options=Options(summary="none"))["reasoning"]
    )


def test_a_lane_of_the_caller_wins_over_the_setting() -> None:
    assert translated(request(user("a")), lane="full", options=Options(lane="lite")).lane == "full"
    assert translated(request(user("a"))).lane == "lite"
    assert translated(request(user("a"), model="gpt-5.5")).lanes == ("full", "lite")


def test_nothing_of_another_makers_fields_goes_upstream() -> None:
    assert translated(request(user("a"), **EVERY)).body == translated(request(user("a"))).body
    assert translated(request(user("a"), **HARMLESS)).body == translated(request(user("a"))).body


def test_what_carries_meaning_is_counted_by_kind() -> None:
    assert translated(request(user("a"), **EVERY)).losses == {f"field.{name}": 1 for name in EVERY}
    assert not translated(request(user("a"), **HARMLESS)).losses
    edits = {"edits": [{"type": "clear_tool_uses_20250919"}]}
    assert translated(request(user("a"), context_management=edits)).losses == {"field.context_management": 1}


def test_a_kind_of_loss_is_one_word_whatever_the_client_calls_its_blocks() -> None:
    assert translated(request(user({"type": 'new\n"kind"'}))).losses == {"block.new__kind_": 1}


def test_strict_mode_refuses_what_it_cannot_carry() -> None:
    with pytest.raises(BadRequest, match=r"field\.temperature"):
        translated(request(user("a"), temperature=0), options=Options(strict=True))
    foreign = {"type": "thinking", "thinking": "", "signature": "x"}
    assert translated(request(user("a"), assistant(foreign, "b"), user("c")), options=Options(strict=True)).losses


def test_sessions_and_subagents_have_keys_of_their_own() -> None:
    up = translated(request(user("a")), session=SESSION)
    other = translated(request(user("a")), session=SESSION, agent="agent-1")
    assert up.cache_key == up.session_id == SESSION
    assert other.cache_key != SESSION
    assert UUID(other.cache_key)
    assert other.cache_key == cache_key(SESSION, "agent-1")
    assert UUID(cache_key("no uuid at all"))


def test_without_a_session_the_first_words_make_the_key() -> None:
    first = translated(request(user("a")))
    later = translated(request(user("a"), assistant("b"), user("c")))
    assert first.cache_key == later.cache_key != translated(request(user("z"))).cache_key


def test_a_turn_lasts_through_its_tool_loop() -> None:
    loop = [user("a"), assistant(call("c")), user(result("c"))]
    first, second = translated(request(user("a"))), translated(request(*loop))
    third = translated(request(*loop, assistant("b"), user("next")))
    assert first.turn == second.turn != third.turn


def test_a_side_call_of_the_session_is_a_turn_of_its_own() -> None:
    main, title, again = (translated(request(user(words)), session=SESSION).turn for words in ("go", "name it", "go"))
    assert main == again != title


@pytest.mark.parametrize(
    ("max_tokens", "client", "stops", "cap"),
    [
        (None, "", (), None),
        (1, CLI, (), 1),
        (64, CLI, ("</block>",), None),
        (32_000, CLI, (), None),
        (9000, CLI, (), None),
        (64, "anthropic-python", ("</severity>",), None),
        (64, "anthropic-python", ("END",), 64),
        (512, "", (), 512),
    ],
)
def test_max_tokens_is_enforced_where_it_is_meant(
    max_tokens: int | None, client: str, stops: tuple[str, ...], cap: int | None
) -> None:
    assert output_cap(max_tokens, client=client, stop_sequences=stops) == cap


def test_the_request_is_echoed_for_the_answer() -> None:
    body = request(user("a"), model="claude-opus-4-8", stream=True, stop_sequences=["X"], max_tokens=5)
    up = translated(body, client="x")
    assert (up.requested_model, up.stream, up.stop_sequences, up.output_cap) == ("claude-opus-4-8", True, ("X",), 5)
    assert (up.info.slug, up.effort) == ("gpt-6.1-sol", "xhigh")


def test_old_betas_form_of_structured_output_counts() -> None:
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    sent = upstream(request(user("a"), output_format={"type": "json_schema", "schema": schema}))
    assert sent["text"]["format"]["strict"] is True


@pytest.mark.parametrize("wanted", [{"type": "text"}, {"type": "json_schema"}, {"type": "json_schema", "schema": 5}])
def test_an_odd_format_is_refused(wanted: Json) -> None:
    with pytest.raises(BadRequest, match=r"output_config\.format"):
        translated(request(user("a"), output_config={"format": wanted}))
