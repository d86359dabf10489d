"""The scrubber takes out empty optional strings, streams everything else, and repairs nothing."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudex.translate.messages.scrub import Scrubber

NAMES = frozenset({"pages", "note", "an\tother"})


def scrubbed(*pieces: str) -> str:
    scrubber = Scrubber(NAMES)
    return "".join(scrubber.push(piece) for piece in pieces) + scrubber.flush()


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        ('{"path":"x","pages":""}', '{"path":"x"}'),
        ('{"pages":"","path":"x"}', '{"path":"x"}'),
        ('{"pages":"","note":""}', "{}"),
        ('{"pages":"","path":"x","note":"","n":1}', '{"path":"x","n":1}'),
        ('{ "pages" : "" , "path" : [1, {"pages":""}] }', '{ "path" : [1, {"pages":""}] }'),
        ('{"pages":"1-2"}', '{"pages":"1-2"}'),
        ('{"path":""}', '{"path":""}'),
        ('{"an\\tother":"","a":{}}', '{"a":{}}'),
        ('{"path":"a\\"}, \\"pages\\":\\"\\""}', '{"path":"a\\"}, \\"pages\\":\\"\\""}'),
        ("{}", "{}"),
        ("", ""),
    ],
)
def test_only_empty_optional_strings_go(arguments: str, left: str) -> None:
    assert scrubbed(arguments) == left
    assert scrubbed(*arguments) == left


@pytest.mark.parametrize(
    "broken", ["[1]", '"x"', "{", '{"a', '{"a":', '{"a":1,', '{"a":1,,', "{a:1}", '{"a":1]', '{"a":"\\', "nul"]
)
def test_what_is_no_object_passes_as_it_came(broken: str) -> None:
    assert scrubbed(broken) == broken
    assert scrubbed(*broken) == broken


def test_long_values_stream_on_without_delay() -> None:
    scrubber = Scrubber(NAMES)
    assert scrubber.push('{"content":"abc') == '{"content":"abc'
    assert scrubber.push("def") == "def"


def test_an_endless_name_is_not_held_for_ever() -> None:
    scrubber = Scrubber(NAMES)
    out = "".join(scrubber.push("x" * 100) for _ in range(1)) + scrubber.push('{"' + "y" * 5000)
    assert len(out) == 5102


MEMBERS = st.dictionaries(
    st.one_of(st.sampled_from(sorted(NAMES)), st.text(max_size=4)),
    st.one_of(st.just(""), st.text(max_size=5), st.integers(), st.none(), st.lists(st.text(max_size=3), max_size=2)),
    max_size=5,
)


@given(MEMBERS, st.lists(st.integers(0, 100), max_size=6), st.booleans(), st.sampled_from([None, 1]))
def test_any_object_at_any_split(members: dict[str, Any], cuts: list[int], ascii: bool, indent: int | None) -> None:
    text = json.dumps(members, ensure_ascii=ascii, indent=indent)
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    out = scrubbed(*(text[a:b] for a, b in pairwise(edges)))
    assert json.loads(out) == {name: value for name, value in members.items() if name not in NAMES or value != ""}


@given(st.text(st.sampled_from('{}[]",:\\ab1 \n'), max_size=30), st.integers(0, 30))
def test_no_text_breaks_it(text: str, at: int) -> None:
    assert scrubbed(text[:at], text[at:]) == scrubbed(text)
