"""Reasoning, phases and calls, back in the order in which the model made them."""

import json

import pytest

from .support import assistant, call, items, request, result, seal, text, thought, translated, user


def kinds(*blocks: object, **options: object) -> list[str]:
    """The assistant's items after one prompt, in short."""
    history = request(user("go"), assistant(*blocks), user("on"))  # type: ignore[arg-type]
    found = items(history, **options)[1:-1]
    return [short(item) for item in found if item["type"] != "function_call_output"]


def short(item: dict[str, object]) -> str:
    if item["type"] == "message":
        phase = f" ({item['phase']})" if "phase" in item else ""
        return "+".join(part["text"] for part in item["content"]) + phase  # type: ignore[attr-defined]
    if item["type"] == "reasoning":
        return next((f"think {n}" for n in range(9) if item["encrypted_content"] == seal(n)), "think ?")
    return str(item["call_id"])


def test_reasoning_comes_back_byte_for_byte_before_what_it_led_to() -> None:
    history = request(user("go"), assistant(thought("**Plan**\n\nx", sealed_as=seal()), "ok"), user("on"))
    assert items(history)[1] == {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "**Plan**\n\nx"}],
        "content": None,
        "encrypted_content": seal(),
    }
    assert translated(history).replayed == 1


def test_hidden_thinking_comes_back_with_an_empty_summary() -> None:
    assert items(request(user("go"), assistant(thought(sealed_as=seal()), "ok"), user("on")))[1]["summary"] == []


def test_regrouped_blocks_find_their_places() -> None:
    after_a = {"after": "call_a"}
    shown = [thought(sealed_as=seal(1)), text("one"), thought(sealed_as=seal(2), **after_a), text("two")]
    assert kinds(*shown, call("call_a"), call("call_b")) == ["think 1", "one", "call_a", "think 2", "two", "call_b"]


def test_blocks_in_their_first_order_stay_so() -> None:
    shown = [thought(sealed_as=seal(1)), call("call_a"), thought(sealed_as=seal(2), after="call_a"), text("two")]
    assert kinds(*shown, call("call_b")) == ["think 1", "call_a", "think 2", "two", "call_b"]
    assert kinds("one", call("call_a"), "two", call("call_b")) == ["one", "call_a", "two", "call_b"]


def test_a_carrier_gives_a_text_its_phase_and_place() -> None:
    blocks = [thought(phase="commentary"), text("one"), thought(after="call_a", phase="final_answer"), text("two")]
    assert kinds(*blocks, call("call_a")) == ["one (commentary)", "call_a", "two (final_answer)"]


def test_a_carrier_parts_two_messages() -> None:
    assert kinds("one", "more", thought(phase="final_answer"), "two") == ["one+more", "two (final_answer)"]


def test_the_phase_of_a_reasoning_item_goes_to_the_message_behind_it() -> None:
    assert kinds(thought(sealed_as=seal(1), phase="commentary"), "one") == ["think 1", "one (commentary)"]
    assert kinds(thought(phase="odd"), "one") == ["one"]


def test_a_call_that_is_gone_leaves_its_thinking_in_place() -> None:
    assert kinds(thought(sealed_as=seal(1), after="gone"), "one", call("call_b")) == ["think 1", "one", "call_b"]


@pytest.mark.parametrize(
    ("block", "loss"),
    [
        ({"type": "thinking", "thinking": "x", "signature": "EqQBCgIYAhIM"}, "thinking.foreign"),
        ({"type": "thinking", "thinking": "x", "signature": ""}, "thinking.foreign"),
        ({"type": "thinking", "thinking": "x"}, "thinking.foreign"),
        ({"type": "thinking", "thinking": "", "signature": "S" * 300_000}, "thinking.foreign"),
        ({"type": "redacted_thinking", "data": "RED"}, "thinking.redacted"),
        (thought("x", sealed_as="gAAA", tag="other"), "thinking.other_account"),
    ],
)
def test_reasoning_of_others_is_dropped_and_counted(block: dict[str, object], loss: str) -> None:
    up = translated(request(user("go"), assistant(block, "ok"), user("on")))
    assert b'"reasoning"' not in up.body.split(b'"tool_choice"')[0].replace(b'"reasoning.encrypted_content"', b"")
    assert up.losses == {loss: 1}
    assert up.replayed == 0


def test_meta_of_another_account_still_counts() -> None:
    foreign = thought(sealed_as="gAAA", tag="other", after="call_a", phase="final_answer")
    assert kinds(foreign, "two", call("call_a")) == ["call_a", "two (final_answer)"]


def test_stripping_drops_all_reasoning() -> None:
    history = request(user("go"), assistant(thought(sealed_as=seal()), "ok"), user("on"))
    up = translated(history, strip_reasoning=True)
    assert up.losses == {"thinking.stripped": 1}
    assert [item["type"] for item in json.loads(up.body)["input"]] == ["message"] * 3


def test_a_signature_with_needless_escapes_is_the_same() -> None:
    history = json.dumps(request(user("go"), assistant(thought(sealed_as=seal()), "ok"), user("on")))
    escaped = history.replace(seal(), "\\u0067" + seal()[1:]).encode()
    assert items(escaped)[1]["encrypted_content"] == seal()


def test_arguments_are_the_clients_own_json() -> None:
    history = request(user("go"), assistant(call("a", path="ä\n", n=1e3)), user(result("a")))
    assert json.loads(items(history)[1]["arguments"]) == {"path": "ä\n", "n": 1000.0}


@pytest.mark.parametrize(("given", "sent"), [(None, "{}"), ([1], "[1]"), ("x", '"x"'), ({}, "{}")])
def test_arguments_that_are_no_object_do_not_end_the_conversation(given: object, sent: str) -> None:
    """A model wrote them once, and the client replays them in every later turn."""
    history = request(user("go"), assistant({**call("a"), "input": given}), user(result("a")))
    assert items(history)[1]["arguments"] == sent


def test_a_replayed_search_is_said_in_words() -> None:
    query = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "capital"}}
    hits = [{"type": "web_search_result", "url": "https://a.example", "title": "A", "encrypted_content": "x"}]
    found = {"type": "web_search_tool_result", "tool_use_id": "s", "content": hits}
    failed = {**found, "content": {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"}}
    assert kinds(query, found) == ["[web search: capital]+[web search results]\n- A: https://a.example"]
    assert kinds(failed) == ["[web search failed: max_uses_exceeded]"]


def test_an_unknown_block_is_one_line_where_it_stood() -> None:
    block = {"type": "novelty", "id": "n", "content": {"a": 1}}
    up = translated(request(user("go"), assistant("a", block, "b"), user("on")))
    assert '[claudex: a block of type \\"novelty\\" could not be carried]' in up.body.decode()
    assert up.losses == {"block.novelty": 1}
    assert kinds("a", block, "b") == ['a+[claudex: a block of type "novelty" could not be carried]+b']


def test_a_prefilled_answer_is_continued() -> None:
    last = items(request(user("go"), assistant("{")))
    assert last[-2]["content"][0]["text"] == "{"
    assert last[-1]["role"] == "developer"
    assert translated(request(user("go"), assistant("{"))).marks[-1][1] == "claudex"
