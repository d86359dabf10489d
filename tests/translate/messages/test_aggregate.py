"""Not streamed is a fold of the streamed events."""

import json

from .playbook import call, completed, message, play, reasoning


def test_a_whole_message() -> None:
    played = play(*reasoning(0, "why"), *message(1, "so"), *call(2, "Bash", '{"a":', "1}"))
    assert list(played.message) == [
        "id",
        "type",
        "role",
        "model",
        "stop_reason",
        "stop_sequence",
        "usage",
        "content",
    ]
    assert [block["type"] for block in played.message["content"]] == ["thinking", "text", "tool_use"]
    assert played.message["stop_reason"] == "tool_use"
    assert played.message["usage"]["cache_read_input_tokens"] == 60


def test_input_is_kept_as_it_was_written() -> None:
    played = play(*call(0, "f", '{"big":12345678901234567890123,"half":0.50,"s":"\\ud83d"}'))
    assert played.content[0]["input"] == {"big": 12345678901234567890123, "half": 0.5, "s": "\ud83d"}


def test_input_that_is_no_object_is_marked_as_claude_code_does() -> None:
    for broken in ("[1]", "nul", '{"a":NaN}', "[" * 5000):
        played = play(*call(0, "f", broken))
        assert played.content[0]["input"] == {"__unparsedToolInput": {"raw": broken, "len": len(broken)}}


def test_an_answer_without_content_is_an_empty_list() -> None:
    assert json.dumps(play(completed(), end=False).content) == "[]"
