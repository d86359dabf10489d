"""Thinking through the real claude: byte for byte, in its place, in later turns, on other days and after a switch."""

import random
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from claudex.simulator import Call, Reasoning, Recorded, Text, sealed

from .conversation import BETAS, Talk, agent, outputs, spoken

ACCOUNT = "acct-simulator"


def thought(number: int, size: int = 180) -> Reasoning:
    return Reasoning([f"**Step {number}**"], sealed.issue(ACCOUNT, "reasoning", random.Random(number), size))


def echo(word: str) -> Call:
    return Call("Bash", {"command": f"echo {word}", "description": "Speak"}, call_id=f"call_{word}")


def emitted(*items: Any) -> list[tuple[str, ...]]:
    return [_told(item) for item in items]


def _told(item: Any) -> tuple[str, ...]:
    if isinstance(item, Reasoning):
        return ("reasoning", str(item.encrypted))
    return ("call", str(item.call_id)) if isinstance(item, Call) else ("message", str(item.phase), item.text)


def restored(request: Recorded) -> list[tuple[str, ...]]:
    """What the model did, as the request tells it back."""
    found: list[tuple[str, ...]] = []
    for item in request.input:
        if item["type"] == "reasoning":
            found.append(("reasoning", item["encrypted_content"]))
        elif item["type"] == "function_call":
            found.append(("call", item["call_id"]))
        elif item.get("role") == "assistant":
            found += [("message", str(item.get("phase")), part["text"]) for part in item["content"]]
    return found


INTERLEAVED = (
    thought(1),
    Text("I begin with two.", phase="commentary"),
    echo("a"),
    thought(2),
    echo("b"),
    thought(3),
    Text("One more.", phase="commentary"),
    echo("c"),
    echo("d"),
)
PLAIN = (thought(4, 60_000), Text("Nearly there.", phase="commentary"), thought(5), echo("e"))
ENDING = (thought(6), thought(7), Text("All of it is done.", phase="final_answer"))


def test_reasoning_between_parallel_calls_goes_back_to_its_place_in_every_later_turn(talk: Talk) -> None:
    talk.play(agent(*INTERLEAVED), agent(*PLAIN), agent(*ENDING))
    first = talk.ask("do it")
    assert first.text == "All of it is done."
    assert restored(talk.last) == emitted(*INTERLEAVED, *PLAIN)
    assert set(outputs(talk.last)) == {"call_a", "call_b", "call_c", "call_d", "call_e"}

    talk.play(agent(thought(8), Text("Yes.")))
    assert talk.ask("sure?", "-c").session == first.session
    assert restored(talk.last) == emitted(*INTERLEAVED, *PLAIN, *ENDING)

    talk.play(agent("Still."))
    talk.ask("and now?", "-r", first.session)
    whole = emitted(*INTERLEAVED, *PLAIN, *ENDING, thought(8), Text("Yes.", phase="final_answer"))
    assert restored(talk.last) == whole
    assert [request.body["prompt_cache_key"] for request in talk.requests] == [first.session] * 5
    # The body only ever grows at its end, so that the backend's cache holds.
    for earlier, later in pairwise(talk.requests):
        assert later.input[: len(earlier.input)] == earlier.input


# What comes where, so that each neighbourhood of the four kinds of item occurs.
ODD_ORDERS: tuple[tuple[Any, ...], ...] = (
    (echo("a"), thought(1), echo("b"), thought(2)),
    (Text("First.", phase="commentary"), Text("Second.", phase="commentary"), echo("c"), Text("Between."), echo("d")),
    (echo("e"), Text("After a call.", phase="commentary")),
    (thought(3), thought(4), echo("f"), thought(5), Text("Thought about.", phase="commentary"), thought(6), echo("g")),
    (Text("Said."), thought(7), Text("And thought.", phase="commentary"), echo("h"), echo("i"), thought(8), echo("j")),
    (thought(9), Text("Commentary.", phase="commentary"), Text("The end.", phase="final_answer")),
)


@pytest.mark.parametrize("betas", [False, True], ids=["betas_off", "betas_on"])
def test_no_order_of_items_is_forgotten(talk: Talk, betas: bool) -> None:
    talk.environ = BETAS if betas else {}
    talk.play(*(agent(*items) for items in ODD_ORDERS))
    talk.ask("do it")
    talk.play(agent("Yes."))
    talk.ask("sure?", "-c")
    expected = emitted(*(_with_phase(item, items) for items in ODD_ORDERS for item in items))
    assert restored(talk.last) == expected


def _with_phase(item: Any, items: tuple[Any, ...]) -> Any:
    """The simulator gives a phase to a text that has none."""
    if not isinstance(item, Text) or item.phase:
        return item
    later = items[items.index(item) + 1 :]
    return replace(item, phase="commentary" if any(isinstance(other, Call) for other in later) else "final_answer")


def test_a_model_switch_loses_the_thinking_and_nothing_else(talk: Talk) -> None:
    talk.play(agent(thought(1), Text("Working.", phase="commentary"), echo("a"), thought(2), echo("b")))
    talk.play(agent(thought(3), Text("Done with it.")))
    first = talk.ask("begin", "--model", "sonnet")
    with_thinking = restored(talk.last)
    talk.play(agent(thought(4), Text("I go on.")))
    talk.ask("go on", "--model", "opus", "-r", first.session)
    without = [entry for entry in restored(talk.last) if entry[0] != "reasoning"]
    assert restored(talk.last) == without
    calls = [("call", "call_a"), ("call", "call_b")]
    assert [entry for entry in without if entry[0] == "call"] == calls
    assert [entry[2] for entry in without if entry[0] == "message"] == ["Working.", "Done with it."]
    assert {"begin", "go on"} <= {words for said in spoken(talk.last, "user") for words in said.splitlines()}
    assert outputs(talk.last)["call_b"] == "b"

    talk.play(agent("Back."))
    talk.ask("back again", "--model", "sonnet", "-r", first.session)
    back = restored(talk.last)
    assert back[: len(with_thinking)] == with_thinking
    assert ("reasoning", str(thought(3).encrypted)) in back
    assert ("reasoning", str(thought(4).encrypted)) not in back
