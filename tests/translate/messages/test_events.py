"""These events in, exactly this message out."""

import json
from typing import Any

import pytest

from claudex.errors import NetworkError, PlanLimit, StreamTruncated, UpstreamFailed
from claudex.translate.messages.events import MessageStream
from claudex.translate.messages.facts import Facts

from . import grammar
from .playbook import (
    Tool,
    added,
    arguments_delta,
    call,
    completed,
    done,
    failed,
    incomplete,
    message,
    play,
    play_bytes,
    reasoning,
    sse,
    stream_for,
    text_delta,
)


def texts(content: list[dict[str, Any]]) -> list[str]:
    return [block["text"] for block in content if block["type"] == "text"]


def calls(content: list[dict[str, Any]]) -> list[tuple[str, str, Any]]:
    return [(block["id"], block["name"], block["input"]) for block in content if block["type"] == "tool_use"]


def test_text_is_streamed_event_by_event() -> None:
    played = play(*message(0, "Hel", "lo"))
    assert [event["type"] for event in played.events] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert texts(played.content) == ["Hello"]
    assert played.stream.stop_reason == "end_turn"


def test_message_start_echoes_the_model_and_estimates_the_input() -> None:
    start = play(*message(0, "x")).events[0]["message"]
    assert (start["id"], start["model"], start["usage"]["input_tokens"]) == ("msg_1", "opus", 7)


def test_the_answer_ends_at_the_terminal_event() -> None:
    stream = stream_for()
    stream.feed(sse([*message(0, "a"), completed()]))
    assert stream.done
    assert stream.feed(sse(message(1, "late"))) == b""
    assert stream.close() == b""
    assert stream.keepalive() == b""


def test_calls_whose_deltas_mix_come_one_after_the_other() -> None:
    played = play(
        added(0, "function_call", call_id="a", name="Read"),
        added(1, "function_call", call_id="b", name="Bash"),
        arguments_delta(1, '{"command":'),
        arguments_delta(0, '{"path":'),
        arguments_delta(1, '"ls"}'),
        done(1, "function_call", call_id="b", name="Bash", arguments='{"command":"ls"}'),
        arguments_delta(0, '"x"}'),
        done(0, "function_call", call_id="a", name="Read", arguments='{"path":"x"}'),
    )
    assert calls(played.content) == [("a", "Read", {"path": "x"}), ("b", "Bash", {"command": "ls"})]
    assert played.stream.stop_reason == "tool_use"


def test_a_late_name_holds_the_block_back() -> None:
    played = play(
        added(0, "function_call", call_id="a"),
        arguments_delta(0, '{"x":1}'),
        done(0, "function_call", call_id="a", name="Read", arguments='{"x":1}'),
    )
    assert calls(played.content) == [("a", "Read", {"x": 1})]


def test_a_call_that_never_gets_a_name_is_said_and_counted() -> None:
    played = play(added(0, "function_call", call_id="a"), arguments_delta(0, "{}"))
    assert texts(played.content)[0].startswith("[claudex: ")
    assert played.stream.losses == {"call.nameless": 1}
    assert played.stream.stop_reason == "end_turn"


def test_done_without_deltas_gives_everything() -> None:
    played = play(
        done(0, "reasoning", summary=[{"type": "summary_text", "text": "why"}], encrypted_content="e"),
        done(1, "message", content=[{"type": "output_text", "text": "so"}]),
        done(2, "function_call", call_id="c", name="Bash", arguments='{"a":1}'),
    )
    assert [block["type"] for block in played.content] == ["thinking", "text", "tool_use"]
    assert played.content[0]["thinking"] == "why"
    assert texts(played.content) == ["so"]
    assert calls(played.content) == [("c", "Bash", {"a": 1})]


def test_deltas_without_done_and_without_announcement_are_enough() -> None:
    played = play(text_delta(0, "a"), text_delta(0, "b"))
    assert texts(played.content) == ["ab"]


def test_a_final_text_adds_only_what_is_missing() -> None:
    played = play(
        added(0, "message"),
        text_delta(0, "one "),
        {"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": "one two"},
        done(0, "message", content=[{"type": "output_text", "text": "one two"}]),
    )
    assert texts(played.content) == ["one two"]


def test_item_ids_that_change_with_every_event_do_not_matter() -> None:
    events = [*message(0, "a", "b"), *call(1, "Bash", '{"x":', "1}")]
    for number, event in enumerate(events):
        event["item_id"] = f"rotating_{number}"
    played = play(*events)
    assert texts(played.content) == ["ab"]
    assert calls(played.content) == [("call_1", "Bash", {"x": 1})]


def test_items_without_index_are_known_by_their_id() -> None:
    events = [*message(0, "a"), *call(1, "Bash", "{}")]
    for event, identity in zip(events, ["m", "m", "m", "f", "f", "f"], strict=True):
        del event["output_index"]
        event["item_id"] = identity
        if "item" in event:
            event["item"]["id"] = identity
    played = play(*events)
    assert (texts(played.content), calls(played.content)) == (["a"], [("call_1", "Bash", {})])


def test_an_index_may_be_used_again_by_another_item() -> None:
    second = [{**event} for event in message(0, "two")]
    for event in second:
        if "item" in event:
            event["item"] = {**event["item"], "id": "other"}
    assert texts(play(*message(0, "one"), *second).content) == ["one", "two"]


def test_items_that_share_one_index_are_told_apart() -> None:
    said = [done(0, "message", content=[{"type": "output_text", "text": text}]) for text in ("a", "b", "b")]
    calls = [done(0, "function_call", call_id=call_id, name="Bash", arguments="{}") for call_id in ("c1", "c2", "c2")]
    played = play(*said, *calls)
    assert [block["text"] for block in played.content if block["type"] == "text"] == ["a", "b"]
    assert [block["id"] for block in played.content if block["type"] == "tool_use"] == ["c1", "c2"]


def test_items_without_index_and_id_follow_each_other() -> None:
    events = [done(0, "message", content=[{"type": "output_text", "text": text}]) for text in ("a", "b")]
    played = play(*({key: event[key] for key in ("type", "item")} for event in events))
    assert [block["text"] for block in played.content if block["type"] == "text"] == ["a", "b"]


def test_an_item_with_one_wrong_value_is_not_lost() -> None:
    played = play(done(0, "function_call", call_id="c", name="Bash", arguments="{}", queries=[{"q": 1}], status=None))
    assert played.content == [{"type": "tool_use", "id": "c", "name": "Bash", "input": {}}]
    assert played.stream.losses == {"event.unreadable": 1}


def test_what_only_the_terminal_event_holds_is_read() -> None:
    output = [done(0, "message", content=[{"type": "output_text", "text": "a"}])["item"], 7]
    alone = play(completed(output=output), end=False)
    assert [block["text"] for block in alone.content] == ["a"]
    assert [block["text"] for block in play(*message(0, "b"), completed(output=output), end=False).content] == ["b"]


def test_a_stop_sequence_that_only_the_terminal_event_holds_ends_the_answer_once() -> None:
    output = [done(0, "message", content=[{"type": "output_text", "text": "one STOP two"}])["item"]]
    played = play(completed(output=output), end=False, stop_sequences=("STOP",))
    assert texts(played.content) == ["one "]
    assert played.stream.stop_sequence == "STOP"


def test_a_namespace_is_part_of_the_clients_name() -> None:
    tools = {"mcp__srv__find": Tool(), "Bash": Tool()}
    events = [
        done(0, "function_call", call_id="c1", namespace="mcp__srv", name="find", arguments="{}"),
        done(1, "function_call", call_id="c2", namespace="mcp__srv__", name="find", arguments="{}"),
        done(2, "function_call", call_id="c3", namespace="functions", name="Bash", arguments="{}"),
        done(3, "function_call", call_id="c4", namespace="other", name="Bash", arguments="{}"),
    ]
    assert [block["name"] for block in play(*events, tools=tools).content] == ["mcp__srv__find"] * 2 + ["Bash"] * 2


def test_parts_of_a_message_are_blocks_of_their_own() -> None:
    played = play(added(0, "message"), text_delta(0, "a"), text_delta(0, "b", part=1), done(0, "message"))
    assert texts(played.content) == ["a", "b"]


def test_a_refusal_is_readable() -> None:
    played = play(
        added(0, "message"),
        {"type": "response.refusal.delta", "output_index": 0, "content_index": 0, "delta": "I can"},
        {"type": "response.refusal.delta", "output_index": 0, "content_index": 0, "delta": "not."},
        done(0, "message", content=[{"type": "refusal", "refusal": "I cannot."}]),
    )
    assert texts(played.content) == ["I cannot."]
    assert played.stream.stop_reason == "end_turn"


def test_no_delta_at_all_is_an_empty_object() -> None:
    played = play(*call(0, "Bash"))
    assert calls(played.content) == [("call_0", "Bash", {})]
    assert not any(event["type"] == "content_block_delta" for event in played.events)


def test_repeated_call_ids_are_made_unique() -> None:
    played = play(*call(0, "A", "{}", call_id="same"), *call(1, "B", "{}", call_id="same"))
    assert [call_id for call_id, _, _ in calls(played.content)] == ["same", "same_2"]


def test_broken_arguments_reach_the_client_as_they_came() -> None:
    played = play(*call(0, "Bash", '{"command": "ls'), tools={"Bash": Tool(frozenset({"description"}))})
    assert "".join(
        e["delta"]["partial_json"] for e in played.events if "delta" in e and "partial_json" in e["delta"]
    ) == ('{"command": "ls')
    assert played.content[0]["input"] == {"__unparsedToolInput": {"raw": '{"command": "ls', "len": 15}}


def test_empty_optional_strings_are_left_out() -> None:
    tools = {"Read": Tool(optional_strings=frozenset({"pages"}), required=frozenset({"file_path"}))}
    played = play(*call(0, "Read", '{"file_path":"x","pa', 'ges":"', '"}'), tools=tools)
    assert calls(played.content) == [("call_0", "Read", {"file_path": "x"})]


@pytest.mark.parametrize("name", ["parallel", "multi_tool_use.parallel", "multi_tool_use_parallel"])
def test_wrapped_calls_are_unwrapped(name: str) -> None:
    uses = [
        {"recipient_name": "functions.Read", "parameters": {"file_path": "x", "pages": ""}},
        {"recipient_name": "Bash", "parameters": {"command": "ls"}},
    ]
    tools = {"Read": Tool(optional_strings=frozenset({"pages"}))}
    played = play(*call(0, name, json.dumps({"tool_uses": uses}), call_id="c"), tools=tools)
    assert calls(played.content) == [("c_0", "Read", {"file_path": "x"}), ("c_1", "Bash", {"command": "ls"})]


def test_a_tool_of_the_user_named_parallel_is_left_alone() -> None:
    played = play(*call(0, "parallel", '{"a":1}'), tools={"parallel": Tool()})
    assert calls(played.content) == [("call_0", "parallel", {"a": 1})]


def test_a_wrapper_that_is_none_goes_on_as_it_is() -> None:
    assert calls(play(*call(0, "parallel", '{"a":1}')).content) == [("call_0", "parallel", {"a": 1})]


def test_names_are_the_clients_own() -> None:
    played = play(
        *call(0, "functions.short", "{}"),
        client_name=lambda name: "long" if name == "short" else name,
    )
    assert calls(played.content)[0][1] == "long"


def test_custom_calls_wrap_their_input() -> None:
    played = play(
        added(0, "custom_tool_call", call_id="c", name="apply_patch", input=""),
        {"type": "response.custom_tool_call_input.delta", "output_index": 0, "delta": "*** Beg"},
        done(0, "custom_tool_call", call_id="c", name="apply_patch", input="*** Begin"),
    )
    assert calls(played.content) == [("c", "apply_patch", {"input": "*** Begin"})]


@pytest.mark.parametrize(
    ("kind", "item", "line"),
    [
        ("file_search_call", {"queries": ["a", "b"]}, "[file search: a; b]"),
        ("code_interpreter_call", {"code": "1\n+ 1"}, "[code run by ChatGPT: 1 + 1]"),
        ("image_generation_call", {}, "[ChatGPT made an image, which cannot be shown here]"),
        ("mcp_call", {"name": "f", "server_label": "s"}, "[ChatGPT called f of the MCP server s]"),
        ("local_shell_call", {"action": {"type": "exec", "command": ["ls", "-l"]}}, "[ChatGPT ran: ls; -l]"),
        ("brand_new", {"text": "hello"}, "[brand_new: hello]"),
    ],
)
def test_what_messages_has_no_block_for_is_one_line(kind: str, item: dict[str, Any], line: str) -> None:
    played = play(added(0, kind), done(0, kind, **item))
    assert texts(played.content) == [line]
    assert played.stream.losses == {f"item.{kind}": 1}


def test_an_unknown_item_without_words_is_only_counted() -> None:
    played = play(done(0, "brand_new", payload={"a": 1}), *message(1, "x"))
    assert texts(played.content) == ["x"]
    assert played.stream.losses == {"item.brand_new": 1}


def test_unknown_events_are_ignored() -> None:
    odd: list[dict[str, Any]] = [
        {"type": "keepalive"},
        {"type": "response.new", "delta": {"a": 1}},
        {"hello": 1, "type": ""},
    ]
    assert texts(play(*odd, *message(0, "a"), *odd).content) == ["a"]


def test_lone_surrogates_and_nul_pass() -> None:
    stream = b"".join(
        b'data: {"type":"response.output_text.delta","output_index":0,"delta":%b}\n\n' % delta
        for delta in (b'"\\ud83d"', b'"\\ude00 \\u0000"', b'"x"')
    )
    played = play_bytes(stream_for(), [stream, sse([completed()])])
    assert texts(played.content) == ["\ud83d\ude00 \0x"] or texts(played.content) == ["😀 \0x"]


def test_bytes_that_are_no_utf8_are_replaced_not_fatal() -> None:
    stream = b'data: {"type":"response.output_text.delta","output_index":0,"delta":"a\xff"}\n\n' + sse([completed()])
    assert texts(play_bytes(stream_for(), [stream]).content) == ["a�"]


# ---- how it ends


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        (completed(), "end_turn"),
        (completed(end_turn=False), "end_turn"),
        (completed(output=[]), "end_turn"),
        (incomplete("max_output_tokens"), "max_tokens"),
        (incomplete("content_filter"), "refusal"),
    ],
)
def test_stop_reasons(last: dict[str, Any], reason: str) -> None:
    played = play(*message(0, "a"), last, end=False)
    assert played.stream.stop_reason == played.message["stop_reason"] == reason


def test_end_turn_is_told() -> None:
    assert play(completed(end_turn=False), end=False).stream.end_turn is False
    assert play(*message(0, "a")).stream.end_turn is None


@pytest.mark.parametrize("reason", ["interrupted", "something new"])
def test_an_answer_cut_for_another_reason_is_an_error(reason: str) -> None:
    assert isinstance(play(*message(0, "a"), incomplete(reason), end=False).error, UpstreamFailed)


def test_a_stream_that_just_ends_is_an_error() -> None:
    assert isinstance(play(*message(0, "a"), end=False).error, StreamTruncated)


def test_a_failure_is_classified_and_told() -> None:
    stream = MessageStream(
        message_id="m",
        model="o",
        classify=lambda event: PlanLimit("used up"),
        tell=lambda error: b"<told>",
        facts=Facts(),
    )
    assert stream.feed(sse([failed("usage_limit_reached")])) == b"<told>"
    assert isinstance(stream.error, PlanLimit)


def test_a_failure_before_any_content_is_the_first_event() -> None:
    stream = stream_for()
    assert [event["type"] for event in grammar.events(stream.feed(sse([failed("x")])))] == ["error"]


def test_an_error_event_counts_only_if_the_stream_does_not_end_well() -> None:
    error = {"type": "error", "error": {"code": "server_error", "message": "oops"}}
    assert play(error, *message(0, "a")).stream.error is None
    assert play(error, end=False).error.message == "oops"


def test_what_chatgpt_said_comes_before_what_the_network_did() -> None:
    stream = stream_for()
    stream.feed(sse([{"type": "error", "code": "server_error", "message": "oops"}]))
    stream.fail(NetworkError("reset"))
    assert stream.error
    assert stream.error.message == "oops"


# ---- usage


def test_usage_adds_up_to_the_backends_input() -> None:
    usage = {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30},
        "output_tokens": 9,
    }
    played = play(completed(usage=usage), end=False)
    assert played.message["usage"] == {
        "input_tokens": 10,
        "cache_read_input_tokens": 60,
        "cache_creation_input_tokens": 30,
        "output_tokens": 9,
    }
    assert played.stream.usage.total_input == 100


@pytest.mark.parametrize(
    "usage", [None, "many", {}, {"input_tokens": "x"}, {"input_tokens": 5, "input_tokens_details": None}]
)
def test_odd_usage_never_costs_the_answer(usage: object) -> None:
    assert texts(play(*message(0, "a"), completed(usage=usage), end=False).content) == ["a"]


def test_absent_usage_leaves_the_estimates() -> None:
    played = play(*message(0, "x" * 400), completed(usage=None), end=False)
    assert played.stream.usage.known is False
    assert played.message["usage"]["input_tokens"] == 7
    assert played.message["usage"]["output_tokens"] == 100


# ---- cut here, not there


def test_a_stop_sequence_cuts_across_deltas() -> None:
    played = play(*message(0, "<block>no</bl", "ock> and more"), end=False, stop_sequences=("</block>",))
    assert texts(played.content) == ["<block>no"]
    assert (played.stream.stop_reason, played.stream.stop_sequence) == ("stop_sequence", "</block>")
    assert played.stream.cancel_upstream
    assert played.stream.done


def test_what_only_looks_like_a_stop_sequence_is_text() -> None:
    played = play(*message(0, "a </bl", "a </b"), stop_sequences=("</block>",))
    assert texts(played.content) == ["a </bla </b"]
    assert played.stream.stop_reason == "end_turn"


def test_the_earliest_stop_sequence_wins_and_nothing_follows_it() -> None:
    played = play(*message(0, "1 B 2 A"), *call(1, "Bash", "{}"), stop_sequences=("A", "B"))
    assert texts(played.content) == ["1 "]
    assert calls(played.content) == []


def test_the_output_cap_ends_with_max_tokens() -> None:
    played = play(*message(0, "x" * 30, "y" * 30), end=False, output_cap=10)
    assert texts(played.content) == ["x" * 30 + "y" * 10]
    assert played.stream.stop_reason == "max_tokens"
    assert played.stream.cancel_upstream


# ---- alive


def test_keepalive_before_content_is_taken_over_by_reasoning() -> None:
    stream = stream_for()
    out = stream.keepalive() + stream.keepalive()
    assert not stream.started_content
    out += stream.feed(sse([*reasoning(0, "why"), *message(1, "so"), completed()]))
    kinds = [event["content_block"]["type"] for event in grammar.check(out) if event["type"] == "content_block_start"]
    assert kinds == ["thinking", "text"]


def test_keepalive_in_any_state_breaks_nothing() -> None:
    events = [*reasoning(0, "why"), *message(1, "so"), *call(2, "Bash", '{"a":', "1}"), *message(3, "x"), completed()]
    stream = stream_for()
    out = b""
    for event in events:
        out += stream.feed(sse([event]))
        before = len(out)
        out += stream.keepalive()
        assert stream.done or len(out) > before
    kinds = [event["content_block"]["type"] for event in grammar.check(out) if event["type"] == "content_block_start"]
    assert kinds == ["thinking", "text", "tool_use", "thinking", "text"]


def test_keepalive_without_thinking_is_a_ping() -> None:
    stream = stream_for(thinking="none")
    assert grammar.events(stream.keepalive())[-1] == {"type": "ping"}


def test_facts_may_come_after_the_first_keepalive() -> None:
    stream = MessageStream(message_id="m", model="o")
    out = stream.start() + stream.keepalive()
    stream.bind(Facts(tag="tag00000", stop_sequences=("B",)))
    out += stream.feed(sse(reasoning(0, "w") + message(1, "a B")))
    assert b"cdx1.tag00000." in out
    assert stream.stop_sequence == "B"
    grammar.check(out)


# ---- safeguards


def test_no_verdict_is_ever_made_up() -> None:
    played = play(*call(0, "Bash", "{}"), safeguards=True)
    assert played.message["safeguard_results"] == [{"type": "dangerous_tool_use", "status": {"type": "unsupported"}}]
    assert "safeguard_results" not in play(*call(0, "Bash", "{}")).message
