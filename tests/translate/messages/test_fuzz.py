"""Whatever bytes arrive, the answer is a valid upstream body or one BadRequest."""

import json
import random
import time
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claudex.errors import BadRequest
from claudex.simulator.refusal import Refusal
from claudex.translate import models
from claudex.translate.messages.request import Options, decode, translate

from .mutations import mutated as odd_request
from .support import CATALOG, MAP, TAG, Json, captured, encoded, image, judge, pdf, request, tool, translated, user

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
    told(said)


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


def outcome(body: bytes, chance: random.Random) -> str:
    """What becomes of a mutated request: "refused", "accepted", or "accepted without thinking"."""
    given: Json = {
        "account_tag": TAG,
        "catalog": CATALOG,
        "lane": chance.choice([None, None, "full", "lite"]),
        "options": Options(strict=chance.random() < 0.1, image_budget=chance.choice([24 << 20, 2000])),
    }
    try:
        asked = decode(body)
        target = models.resolve(asked.model, asked.effort, MAP, CATALOG)
        if target.slug != "gpt-6.1-sol":  # others are found on no lane but their own
            given["lane"] = None
        up = translate(asked, target=target, **given)
    except BadRequest as error:
        return told(error.message)
    try:
        judge(up)
    except Refusal as refusal:
        if ".parameters." in str(refusal.body):  # something else in a schema's place
            return "accepted but for a schema"
        if "invalid_encrypted_content" not in str(refusal.body) or not up.replayed:
            raise
        # A signature was mutated: it is taken out and the request sent again, as the proxy does.
        judge(translate(asked, target=target, strip_reasoning=True, **given))
        return "accepted without thinking"
    return "accepted"


def told(message: str) -> str:
    assert message
    assert "\n" not in message
    assert "msgspec" not in message
    return "refused"


def try_seeds(first: int, last: int) -> Counter[str]:
    outcomes: Counter[str] = Counter()
    for seed in range(first, last):
        chance = random.Random(seed)
        body = odd_request(chance)
        began = time.monotonic()
        try:
            outcomes[outcome(body, chance)] += 1
        except Exception as error:  # whatever it is, its seed is what is needed to find it again
            raise AssertionError(f"seed {seed}: {error!r}") from error
        assert time.monotonic() - began < 5, f"seed {seed} took too long"
    return outcomes


def test_mutated_requests_are_refused_or_accepted_upstream() -> None:
    outcomes = try_seeds(0, 800)
    assert min(outcomes["refused"], outcomes["accepted"]) > 200


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_hundred_thousand_mutated_requests() -> None:
    outcomes = try_seeds(1_000, 101_000)
    assert min(outcomes["refused"], outcomes["accepted"]) > 20_000, outcomes
