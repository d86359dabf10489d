"""Reasoning becomes thinking blocks whose signatures bring it back in its place."""

from typing import Any

from claudex.translate.messages.thinking import Meta, decode

from .playbook import Played, added, call, done, message, play, reasoning, summary_delta


def signatures(played: Played) -> list[tuple[str, Meta] | None]:
    found: list[tuple[str, Meta] | None] = []
    for block in played.content:
        if block["type"] == "thinking":
            signature = decode(block["signature"])
            found.append((signature.encrypted, signature.meta) if signature else None)
    return found


def kinds(played: Played) -> list[str]:
    return [block["type"] for block in played.content]


def test_the_signature_carries_the_done_items_content_and_the_phase_that_follows() -> None:
    played = play(*reasoning(0, "**Plan**", "go on"), *message(1, "so", phase="final_answer"))
    assert played.content[0]["thinking"] == "**Plan**\n\ngo on"
    assert signatures(played) == [("secret", Meta(phase="final_answer"))]
    assert played.content[0]["signature"].startswith("cdx1.tag00000.")


def test_the_signature_comes_once_and_last() -> None:
    deltas = [
        event["delta"]["type"] for event in play(*reasoning(0, "a")).events if event["type"] == "content_block_delta"
    ]
    assert deltas == ["thinking_delta", "signature_delta"]


def test_reasoning_without_summary_is_an_empty_thinking_block() -> None:
    played = play(*reasoning(0), *call(1, "Bash", "{}"))
    assert played.content[0]["thinking"] == ""
    assert signatures(played) == [("secret", Meta())]


def test_reasoning_after_a_call_remembers_its_place() -> None:
    played = play(*call(0, "A", "{}"), *reasoning(1), *message(2, "x", phase="commentary"), *call(3, "B", "{}"))
    assert kinds(played) == ["tool_use", "thinking", "text", "tool_use"]
    assert signatures(played) == [("secret", Meta(after="call_0", phase="commentary"))]


def test_a_message_with_a_phase_and_no_reasoning_gets_a_carrier() -> None:
    played = play(*message(0, "x", phase="commentary"), *call(1, "A", "{}"), *message(2, "y"))
    assert kinds(played) == ["thinking", "text", "tool_use", "thinking", "text"]
    assert signatures(played) == [("", Meta(phase="commentary")), ("", Meta(after="call_1"))]


def test_a_message_with_nothing_to_carry_gets_none() -> None:
    assert kinds(play(*message(0, "x"))) == ["text"]


def test_two_messages_in_a_row_stay_two() -> None:
    assert kinds(play(*message(0, "x"), *message(1, "y"))) == ["text", "thinking", "text"]


def test_reasoning_items_in_a_row_keep_a_block_each() -> None:
    played = play(*reasoning(0, encrypted="one"), *reasoning(1, encrypted="two"), *message(2, "x"))
    assert [found and found[0] for found in signatures(played)] == ["one", "two"]


def test_reasoning_without_encrypted_content_is_not_signed() -> None:
    played = play(*reasoning(0, "why", encrypted=None), *message(1, "x"))
    assert signatures(played) == [None]
    assert played.content[0] == {"type": "thinking", "thinking": "why", "signature": ""}


def test_reasoning_that_never_finished_is_not_signed_with_its_early_content() -> None:
    played = play(added(0, "reasoning", encrypted_content="early"), summary_delta(0, "why"))
    assert signatures(played) == [None]


def test_raw_reasoning_is_thinking_too() -> None:
    delta: dict[str, Any] = {"type": "response.reasoning_text.delta", "output_index": 0, "content_index": 0}
    played = play(
        added(0, "reasoning"),
        {**delta, "delta": "ra"},
        {**delta, "delta": "w"},
        done(0, "reasoning", content=[{"type": "reasoning_text", "text": "raw"}]),
    )
    assert played.content[0]["thinking"] == "raw"


def test_raw_reasoning_that_ends_after_the_text_still_comes_first() -> None:
    first, *rest = reasoning(0, "why")
    played = play(first, *message(1, "so"), *rest)
    assert kinds(played) == ["thinking", "text"]
    assert played.content[0]["thinking"] == "why"


def test_omitted_thinking_keeps_its_signature() -> None:
    played = play(*reasoning(0, "why"), *message(1, "so"), thinking="signed")
    assert played.content[0]["thinking"] == ""
    assert signatures(played) == [("secret", Meta())]


def test_callers_that_asked_for_no_thinking_get_none() -> None:
    assert kinds(play(*reasoning(0, "why"), *message(1, "so", phase="final_answer"), thinking="none")) == ["text"]
