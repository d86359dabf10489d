"""An answer in several samples: one message for the client, one history for the backend."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claudex.translate import models
from claudex.translate.messages.again import answered
from claudex.translate.messages.aggregate import Fold
from claudex.translate.messages.decode import Request, decode
from claudex.translate.messages.events import MessageStream
from claudex.translate.messages.facts import Facts
from claudex.translate.messages.request import GO_ON, translate

from . import grammar
from .playbook import Event, added, call, completed, done, message, reasoning, sse, text_delta
from .support import CATALOG, MAP, Json, encoded, request, user

SHOWN = Facts(tag="tag00000", thinking="shown")
SAYING = st.one_of(
    st.builds(lambda words: ("reasoning", words), st.sampled_from(["", "why"])),
    st.builds(lambda phase: ("message", phase), st.sampled_from([None, "commentary", "final_answer"])),
)


def stream(samples: int = 8, facts: Facts = SHOWN) -> MessageStream:
    return MessageStream(message_id="msg_1", model="opus", facts=facts, samples=samples)


def sample(*said: tuple[str, Any], name: str = "") -> list[Event]:
    out: list[Event] = []
    for index, (kind, more) in enumerate(said):
        if kind == "reasoning":
            out += reasoning(index, *([more] if more else []), encrypted=f"sealed{name}{index}")
        else:
            out += message(index, f"text {name}", f" {index}", phase=more)
    return out


def usage(tokens: int, cached: int, output: int, reasoned: int) -> Json:
    return {
        "input_tokens": tokens,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": reasoned},
    }


def input_of(asked: Request, tag: str = "tag00000") -> list[Json]:
    target = models.resolve(asked.model, asked.effort, MAP, CATALOG)
    found: list[Json] = json.loads(translate(asked, target=target, account_tag=tag).body)["input"]
    return found


def played(samples: Sequence[list[Event]], facts: Facts = SHOWN) -> tuple[list[Json], list[Request], MessageStream]:
    """The blocks of the message, and what was asked for each sample."""
    events = stream(facts=facts)
    asked = [decode(encoded(request(user("go"))))]
    out = b""
    for number, said in enumerate(samples):
        if number:
            assert events.again
            assert not events.done
            asked.append(answered(asked[-1], events.items, facts))
            events.resume(facts)
        out += events.feed(sse([*said, completed(end_turn=number == len(samples) - 1)]))
        out += events.close()
    assert events.done
    grammar.check(out)
    fold = Fold()
    fold.feed(out)
    return fold.message()["content"], asked, events


def test_two_samples_are_one_message() -> None:
    said = [sample(("reasoning", "why"), ("message", "commentary")), sample(("message", "final_answer"), name="b")]
    content, asked, events = played(said)
    assert [block["type"] for block in content] == ["thinking", "text", "thinking", "text"]
    assert [block["text"] for block in content if block["type"] == "text"] == ["text  1", "text b 0"]
    assert events.stop_reason == "end_turn"
    first, second = (input_of(one) for one in asked)
    assert second[: len(first)] == first
    assert [item["type"] for item in second[len(first) :]] == ["reasoning", "message"]
    assert second[-1]["phase"] == "commentary"


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(SAYING, max_size=4), min_size=1, max_size=4), st.sampled_from(["shown", "signed"]))
def test_the_next_turn_begins_with_what_was_sampled(said: list[list[tuple[str, Any]]], thinking: Any) -> None:
    samples = [sample(*one, name=chr(ord("a") + number)) for number, one in enumerate(said)]
    content, asked, _ = played(samples, Facts(tag="tag00000", thinking=thinking))
    inputs = [input_of(one) for one in asked]
    followed = decode(encoded(request(user("go"), {"role": "assistant", "content": content}, user("on"))))
    for shorter, longer in zip(inputs, [*inputs[1:], input_of(followed)], strict=True):
        assert longer[: len(shorter)] == shorter


def test_reasoning_goes_on_where_the_client_sees_none() -> None:
    facts = Facts(tag="tag00000", thinking="none")
    content, asked, _ = played([sample(("reasoning", "why"), ("message", None)), sample(("message", None))], facts)
    assert [block["type"] for block in content] == ["text", "text"]
    assert [item["type"] for item in input_of(asked[1])][-2:] == ["reasoning", "message"]


def test_what_goes_on_is_not_told_to_go_on() -> None:
    _, asked, _ = played([sample(("message", None)), []])
    assert GO_ON not in json.dumps(input_of(asked[1]))
    assert GO_ON in json.dumps(input_of(decode(encoded(request(user("go"), {"role": "assistant", "content": "a"})))))


def test_usage_is_the_last_context_and_the_sum_of_the_output() -> None:
    events = stream()
    events.feed(sse([*message(0, "a"), completed(end_turn=False, usage=usage(100, 60, 20, 5))]))
    events.resume(SHOWN)
    out = events.feed(sse([*message(0, "b"), completed(usage=usage(130, 90, 7, 2))]))
    told = grammar.events(out)[-2]["usage"]
    assert (told["input_tokens"], told["cache_read_input_tokens"], told["output_tokens"]) == (40, 90, 27)
    assert (events.usage.total_input, events.usage.reasoning) == (130, 7)


def test_calls_end_the_message_as_ever() -> None:
    events = stream()
    events.feed(sse([*call(0, "Bash", "{}"), completed(end_turn=False)]))
    assert (events.done, events.again, events.stop_reason) == (True, False, "tool_use")


@pytest.mark.parametrize("samples", [1, 3])
def test_samples_are_bounded(samples: int) -> None:
    events = stream(samples)
    for _ in range(samples - 1):
        events.feed(sse([*message(0, "a"), completed(end_turn=False)]))
        assert events.again
        events.resume(SHOWN)
    events.feed(sse([*message(0, "a"), completed(end_turn=False)]))
    assert (events.done, events.again, events.stop_reason) == (True, False, "end_turn")


def test_between_samples_only_a_sign_of_life_or_a_failure_is_written() -> None:
    events = stream()
    out = events.feed(sse([*message(0, "a"), completed(end_turn=False), *message(1, "late")]))
    assert b"late" not in out
    assert events.feed(sse(message(2, "later"))) == events.close() == b""
    assert b"ping" in events.keepalive()
    events.resume(SHOWN)
    out += events.feed(sse(message(0, "b"))) + events.close()
    grammar.check(out, failed=True)
    assert events.error is not None


def test_reasoning_is_signed_for_the_account_that_it_came_from() -> None:
    events = stream()
    out = events.feed(sse([*reasoning(0, encrypted="first"), completed(end_turn=False)]))
    events.resume(Facts(tag="tag11111", thinking="shown"))
    out += events.feed(sse([*reasoning(0, encrypted="second"), *message(1, "a", phase="final_answer"), completed()]))
    grammar.check(out)
    assert b"cdx1.tag00000..first" in out
    assert b"cdx1.tag11111." in out


def test_an_odd_item_goes_on_as_well() -> None:
    """A lone surrogate, which the usual decoder refuses."""
    part = {"type": "output_text", "text": "a\ud800b"}
    said = [added(0, "message"), text_delta(0, "a\ud800b"), done(0, "message", content=[part])]
    _, asked, _ = played([said, []])
    assert input_of(asked[1])[-1]["content"][0]["text"] == "a\ufffdb"
