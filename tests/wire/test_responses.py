"""Events whose fields are not what they should be."""

from typing import Any

import pytest

from claudex.wire.responses import NO_INDEX, readable


def test_null_is_as_good_as_missing() -> None:
    event, whole = readable({"type": "t", "output_index": None, "delta": None, "item": {"type": "message", "id": "m"}})
    assert whole
    assert event.output_index == NO_INDEX
    assert event.item is not None
    assert event.item.id == "m"


def test_only_the_wrong_value_is_lost() -> None:
    parts = [{"type": "output_text", "text": "kept", "annotations": [7]}, 3]
    event, whole = readable({"type": "t", "item": {"type": "message", "name": {"a": 1}, "content": parts}})
    assert not whole
    assert event.item is not None
    assert event.item.content is not None
    assert [part.text for part in event.item.content] == ["kept"]


@pytest.mark.parametrize(
    "document",
    [{}, {"type": 1}, {"item": "x"}, {"item": {"content": "x"}}, {"item": {"content": [1] * 200}}, {"type": [[[[]]]]}],
)
def test_anything_is_some_event(document: dict[str, Any]) -> None:
    readable(document)
