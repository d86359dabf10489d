"""Calls and outputs come in pairs, whatever the history looks like."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .support import Json, assistant, call, image, items, pdf, request, result, seal, text, thought, translated, user

INTERRUPTED = "[claudex: this call was interrupted; there is no result]"


def short(body: Json) -> list[str]:
    """Calls as `name:id`, outputs as `id=output`, messages as `role:texts`."""
    return [_short(item) for item in items(body)]


def _short(item: Json) -> str:
    if item["type"] == "function_call":
        return f"call {item['call_id']}"
    if item["type"] == "function_call_output":
        return f"{item['call_id']}={item['output']}"
    return f"{item['role']}:" + "+".join(part.get("text", part["type"]) for part in item["content"])


def test_outputs_follow_the_whole_run_in_the_order_of_the_calls() -> None:
    history = request(
        user("go"), assistant("t", call("a"), call("b")), user(result("b", "B"), result("a", "A"), "and now?")
    )
    assert short(history) == ["user:go", "assistant:t", "call a", "call b", "a=A", "b=B", "user:and now?"]


def test_results_may_come_in_several_messages() -> None:
    history = request(
        user("go"),
        assistant(call("a")),
        assistant(call("b")),
        user(result("b", "B")),
        {"role": "system", "content": "s"},
        user(result("a", "A")),
    )
    assert short(history) == ["user:go", "call a", "call b", "a=A", "b=B", "developer:s"]


def test_a_call_without_result_gets_one_that_says_so() -> None:
    history = request(
        user("go"), assistant(call("a"), call("b")), user(result("b", "B"), "stop"), assistant("ok"), user("x")
    )
    assert short(history)[1:5] == ["call a", "call b", f"a={INTERRUPTED}", "b=B"]
    assert translated(history).losses == {"repaired.missing_result": 1}


def test_a_trailing_call_is_closed() -> None:
    assert short(request(user("go"), assistant(call("a"))))[1:] == ["call a", f"a={INTERRUPTED}"]


def test_a_result_without_its_call_becomes_words() -> None:
    history = request(user(result("a", "A"), "go"))
    assert short(history) == [
        "user:[claudex: the result of a tool call that is no longer in the conversation]+A",
        "user:go",
    ]
    assert translated(history).losses == {"repaired.orphan_result": 1}


def test_an_orphan_keeps_its_image() -> None:
    assert short(request(user(result("a", [text("x"), image()]))))[0].endswith("+x+input_image")
    assert short(request(user(result("a", ""))))[0].endswith("conversation]")


def test_a_result_that_comes_after_the_next_answer_is_too_late() -> None:
    history = request(user("go"), assistant(call("a")), user("wait"), assistant("ok"), user(result("a", "A")))
    assert short(history)[:5] == ["user:go", "call a", f"a={INTERRUPTED}", "user:wait", "assistant:ok"]
    assert short(history)[-1].endswith("+A")


def test_duplicates_are_dropped() -> None:
    history = request(user("go"), assistant(call("a"), call("a")), user(result("a", "1"), result("a", "2")))
    assert short(history) == ["user:go", "call a", "a=1"]
    assert translated(history).losses == {"repaired.duplicate_call": 1, "repaired.duplicate_result": 1}


def test_an_id_used_again_in_a_later_turn_gets_another() -> None:
    history = request(
        user("go"), assistant(call("a")), user(result("a", "1")), assistant(call("a")), user(result("a", "2"))
    )
    first, _, second, outcome = items(history)[1:]
    assert first["call_id"] == "a"
    assert second["call_id"] == outcome["call_id"] != "a"
    assert outcome["output"] == "2"


def test_long_and_odd_ids_are_the_same_on_both_sides() -> None:
    for name in ("x" * 69, "toolu:1/2", "ü"):
        called, outcome = items(request(user("go"), assistant(call(name)), user(result(name))))[1:]
        assert called["call_id"] == outcome["call_id"]


IDS = st.sampled_from(["a", "b", "c", "call_" + "x" * 70, "ö"])
NAMES = st.sampled_from(["Bash", "Read", "n" * 90, "x y", ""])
WORDS = st.sampled_from(["", " ", "hi", "\0", "é", '"\\'])
CONTENT = WORDS | st.lists(st.sampled_from([text("a"), text(""), image(), pdf(), {"type": "odd"}]), max_size=3)
RESULTS = st.builds(lambda name, content, bad: result(name, content, is_error=bad), IDS, CONTENT, st.booleans())
CALLS = st.builds(lambda name, tool: call(name, tool, x=1), IDS, NAMES)
THOUGHTS = st.builds(
    lambda n, after, phase: thought("t", sealed_as=seal(n) if n else "", after=after, phase=phase),
    st.integers(0, 2),
    st.none() | IDS,
    st.sampled_from([None, "commentary", "final_answer"]),
) | st.sampled_from(
    [{"type": "thinking", "thinking": "x", "signature": "foreign"}, {"type": "redacted_thinking", "data": "r"}]
)
SAID = st.builds(text, WORDS) | st.sampled_from([image(), pdf(), {"type": "novelty"}])
TURNS = st.one_of(
    st.builds(lambda blocks: {"role": "assistant", "content": blocks}, st.lists(SAID | CALLS | THOUGHTS, max_size=5)),
    st.builds(lambda blocks: {"role": "user", "content": blocks}, st.lists(SAID | RESULTS, max_size=5)),
    st.builds(
        lambda role, words: {"role": role, "content": words}, st.sampled_from(["user", "assistant", "system"]), WORDS
    ),
)
HISTORIES = st.lists(TURNS, min_size=1, max_size=9)
FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FEW
@given(HISTORIES, st.sampled_from(["full", "lite"]))
def test_any_history_is_valid_upstream(history: list[Json], lane: Any) -> None:
    up = translated(request(*history), lane=lane)
    check_shape(json.loads(up.body)["input"])


@FEW
@given(HISTORIES, TURNS)
def test_the_next_turn_keeps_what_an_answer_has_closed(history: list[Json], more: Json) -> None:
    """Once the assistant has spoken again, nothing before it changes any more."""
    settled = [*history, user("x"), assistant("settled")]
    first = translated(request(*settled), session="s")
    second = translated(request(*settled, user("on"), more), session="s")
    end = max((end for end, label in first.marks if label != "claudex"), default=0)
    assert second.body[:end] == first.body[:end]


def check_shape(sent: list[Json]) -> None:
    """Our own reading of the rules, apart from the simulator's."""
    open_calls: set[str] = set()
    used: set[str] = set()
    for item in sent:
        if item["type"] == "function_call":
            assert item["call_id"] not in used
            assert isinstance(json.loads(item["arguments"]), dict)
            used.add(item["call_id"])
            open_calls.add(item["call_id"])
        elif item["type"] == "function_call_output":
            open_calls.remove(item["call_id"])
        elif item["type"] == "message":
            assert item["content"]
            assert item["role"] == "assistant" or not open_calls
    assert not open_calls
