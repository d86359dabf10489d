"""Stop sequences and the output cap, at every split of the text."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from claudex.translate.messages.cut import Cutter

TEXT = st.text(st.sampled_from("ab</"), max_size=20)


def expected(text: str, stops: tuple[str, ...]) -> str:
    """Cut before the stop sequence that is complete first; of two that end together, before the longer."""
    found = [(text.find(stop) + len(stop), text.find(stop)) for stop in stops if stop and stop in text]
    return text[: min(found)[1]] if found else text


@given(
    TEXT, st.lists(st.text(st.sampled_from("ab</"), max_size=4), max_size=3), st.lists(st.integers(0, 20), max_size=5)
)
def test_the_cut_is_the_same_at_every_split(text: str, stops: list[str], cuts: list[int]) -> None:
    cutter = Cutter(tuple(stops), None)
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    out = "".join(cutter.push(text[a:b]) for a, b in pairwise(edges)) + cutter.flush()
    assert out == expected(text, tuple(stops))
    assert cutter.ended == any(stop and stop in text for stop in stops)


def test_only_what_may_begin_a_stop_sequence_is_held_back() -> None:
    cutter = Cutter(("</block>",), None)
    assert cutter.push("yes</b") == "yes"
    assert cutter.push("r>") == "</br>"


def test_the_cap_counts_four_characters_a_token() -> None:
    cutter = Cutter((), 2)
    assert cutter.push("12345") == "12345"
    assert cutter.push("67890") == "678"
    assert cutter.capped
    assert cutter.push("x") == ""
