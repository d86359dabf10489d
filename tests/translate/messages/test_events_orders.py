"""The grammar holds for every order of upstream events, and for damaged streams."""

import json
import random
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claudex.translate.messages.aggregate import Fold

from . import grammar
from .playbook import Tool, call, completed, done, message, play_bytes, reasoning, sse, stream_for

VECTORS = sorted((Path(__file__).parents[2] / "data" / "vectors").glob("*/*.sse"))
Event = dict[str, Any]

WORDS = st.text(st.sampled_from('ab "\\{},:\n€😀'), min_size=1, max_size=6)
MESSAGES = st.tuples(
    st.just("message"), st.lists(WORDS, max_size=4), st.sampled_from([None, "commentary", "final_answer"])
)
REASONING = st.tuples(st.just("reasoning"), st.lists(WORDS, max_size=3), st.sampled_from([None, "secret"]))
CALLS = st.tuples(
    st.just("call"),
    st.dictionaries(
        st.sampled_from(["pages", "path", "note"]), st.one_of(st.just(""), WORDS, st.integers()), max_size=3
    ),
    st.sampled_from(["Read", "Bash", "functions.Write"]),
)
SEARCHES = st.tuples(st.just("search"), WORDS, st.booleans())
NOTES = st.tuples(st.just("note"), WORDS, st.none())
ITEMS = st.lists(st.one_of(MESSAGES, REASONING, CALLS, SEARCHES, NOTES), max_size=6)
TOOLS = {"Read": Tool(optional_strings=frozenset({"pages"}))}


def item_events(index: int, spec: tuple[str, Any, Any]) -> list[Event]:
    kind, what, how = spec
    if kind == "message":
        return message(index, *what, phase=how)
    if kind == "reasoning":
        return reasoning(index, *what, encrypted=how)
    if kind == "call":
        text = json.dumps(what)
        return call(index, how, text[:3], text[3:7], text[7:])
    if kind == "search":
        action = {
            "type": "search",
            "query": what,
            "sources": [{"type": "url", "url": "https://a.test"}] if how else None,
        }
        return [done(index, "web_search_call", id=f"ws{index}", status="completed", action=action)]
    return [done(index, "file_search_call", id=f"fs{index}", queries=[what])]


def interleave(lists: list[list[Event]], order: random.Random) -> list[Event]:
    """A random shuffle that keeps the order inside each item and the order in which items begin."""
    left = [list(events) for events in lists]
    begun = 0
    out: list[Event] = []
    while any(left):
        choices = [number for number in range(min(begun + 1, len(left))) if left[number]]
        if not choices:
            begun += 1
            continue
        number = order.choice(choices)
        begun = max(begun, number + 1)
        out.append(left[number].pop(0))
    return out


def visible(message: Event) -> list[Any]:
    return [
        (block["type"], block.get("text"), block.get("thinking"), block.get("name"), block.get("input"))
        for block in message["content"]
    ]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ITEMS, st.randoms(use_true_random=False), st.lists(st.integers(0, 10_000), max_size=6))
def test_any_order_at_any_split_reads_like_the_items_one_by_one(
    specs: list[tuple[str, Any, Any]], order: random.Random, cuts: list[int]
) -> None:
    lists = [item_events(index, spec) for index, spec in enumerate(specs)]
    plain = play_bytes(stream_for(tools=TOOLS), [sse([event for events in lists for event in events] + [completed()])])
    mixed = sse([*interleave(lists, order), completed()])
    edges = [0, *sorted(cut % (len(mixed) + 1) for cut in cuts), len(mixed)]
    played = play_bytes(stream_for(tools=TOOLS), [mixed[a:b] for a, b in pairwise(edges)])
    assert visible(played.message) == visible(plain.message)
    assert played.stream.stop_reason == plain.stream.stop_reason


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ITEMS, st.randoms(use_true_random=False))
def test_events_that_are_lost_or_repeated_break_no_grammar(
    specs: list[tuple[str, Any, Any]], chance: random.Random
) -> None:
    events = [event for index, spec in enumerate(specs) for event in item_events(index, spec)]
    damaged = [event for event in events for _ in range(chance.choice([0, 1, 1, 1, 2]))]
    chance.shuffle(damaged)
    play_bytes(stream_for(tools=TOOLS), [sse([*damaged, completed()])])


def mutated(chance: random.Random) -> bytes:
    """A vector with bytes flipped, cut out, doubled, or lines taken from another one."""
    stream = bytearray(chance.choice(VECTORS).read_bytes()[:20_000])
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(max(len(stream), 1))
        match chance.randrange(5):
            case 0:
                stream[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del stream[at : at + chance.randint(1, 300)]
            case 2:
                stream[at:at] = stream[at : at + chance.randint(1, 300)]
            case 3:
                other = chance.choice(VECTORS).read_bytes().split(b"\n\n")
                stream[at:at] = b"\n\n" + chance.choice(other) + b"\n\n"
            case 4:
                odd = [b"null", b"{}", b"[]", b"-1", b"1e999", b'"\\ud800"', b"[" * 3000, b'{"delta":', b"\r", b"\0"]
                stream[at:at] = chance.choice(odd)
    return bytes(stream)


def survives(seed: int) -> None:
    chance = random.Random(seed)
    stream = stream_for(tools=TOOLS, stop_sequences=("quick",) if chance.random() < 0.2 else ())
    data = mutated(chance)
    out = stream.start()
    while data:
        size = chance.choice([1, 50, 5000, len(data)])
        out += stream.feed(data[:size])
        data = data[size:]
        if chance.random() < 0.1:
            out += stream.keepalive()
    out += stream.close()
    assert stream.done
    grammar.check(out, failed=stream.error is not None)
    fold = Fold()
    fold.feed(out)
    json.loads(fold.body())


def try_seeds(first: int, last: int) -> None:
    for seed in range(first, last):
        began = time.monotonic()
        try:
            survives(seed)
        except Exception as error:  # whatever it is, its seed is what is needed to find it again
            raise AssertionError(f"seed {seed}: {error!r}") from error
        assert time.monotonic() - began < 5, f"seed {seed} took too long"


@pytest.mark.parametrize("seed", range(0, 600, 100))
def test_damaged_streams_end_as_a_message_or_an_error(seed: int) -> None:
    try_seeds(seed, seed + 100)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_hundred_thousand_damaged_streams() -> None:
    try_seeds(1_000, 101_000)
