"""Whatever bytes arrive, the answer is a valid upstream body or one BadRequest."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claudex.errors import BadRequest

from .support import Json, captured, encoded, image, pdf, request, tool, translated, user

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
BASES = [
    captured("claude-code", "tool_loop_two_results")["body"],
    captured("claude-code", "web_search_server_tool_opus")["body"],
    captured("claude-code", "auto_mode_classifier_stage1")["body"],
    captured("claude-code-2.1.329", "tool_search_unloaded_tool_called")["body"],
    captured("claude-code-2.1.329", "thinking_replay_continue")["body"],
    request(user("x", image(), pdf(title="t", context="c")), tools=[tool("A")], system=[{"type": "text", "text": "s"}]),
]
SOME = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(path for key, one in inner for path in paths(one, (*here, key)))]


def mutated(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with one place replaced, or removed when `new` is None."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    if len(path) == 1 and new is None:
        del copy[path[0]]
    else:
        copy[path[0]] = mutated(copy[path[0]], path[1:], new)
    return copy


PATHS = [(base, path) for base in BASES for path in paths(base) if "input_schema" not in path[:-1]]


def survives(body: bytes) -> None:
    said = "fine"
    try:
        translated(body)
    except BadRequest as error:
        said = error.message
    assert said
    assert "\n" not in said
    assert "msgspec" not in said


@SOME
@given(st.sampled_from(PATHS), JSON)
def test_any_one_value_replaced_is_refused_or_valid(place: tuple[Json, tuple[Any, ...]], new: Any) -> None:
    base, path = place
    survives(json.dumps(mutated(base, path, new)).encode("utf-8", "replace"))


@SOME
@given(st.sampled_from(BASES), st.integers(0), st.binary(max_size=4), st.integers(0, 4))
def test_any_bytes_replaced_are_refused_or_valid(base: Json, place: int, new: bytes, length: int) -> None:
    body = encoded(base)
    place %= len(body)
    survives(body[:place] + new + body[place + length :])


@SOME
@given(st.binary(max_size=60))
def test_any_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        translated(body)
