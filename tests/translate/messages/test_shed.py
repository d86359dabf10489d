import json
from typing import Any

import pytest

from claudex.translate.messages.shed import LEVELS, is_summary_request, shed


def conversation(turns: int = 20, size: int = 3000) -> bytes:
    items: list[dict[str, Any]] = [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "rules"}]}
    ]
    for number in range(turns):
        call = f"call_{number}"
        items += [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "please " * 500}]},
            {"type": "reasoning", "summary": [], "encrypted_content": "gAAAA"},
            {"type": "function_call", "call_id": call, "name": "Read", "arguments": '{"a":"' + "b" * 2000 + '"}'},
            {"type": "function_call_output", "call_id": call, "output": f"{number} " + "x" * size},
        ]
    items.append({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "summarise " * 500}]})
    return json.dumps({"model": "m", "input": items, "stream": True}).encode()


def items_of(body: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(body)["input"]
    return found


def test_every_level_takes_more() -> None:
    body = conversation()
    sizes = [len(shed(body, level)) for level in range(1, LEVELS + 1)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] < len(body)
    assert sizes[-1] < len(body) / 10


@pytest.mark.parametrize("level", range(1, LEVELS + 1))
def test_calls_and_outputs_stay_paired_and_the_request_stays_whole(level: int) -> None:
    items = items_of(shed(conversation(), level))
    calls = [item["call_id"] for item in items if item["type"] == "function_call"]
    outputs = [item["call_id"] for item in items if item["type"] == "function_call_output"]
    assert calls == outputs
    assert items[-1]["content"][0]["text"] == "summarise " * 500
    assert items[0]["content"][0]["text"] == "rules"
    for item in items:
        if item["type"] == "function_call":
            json.loads(item["arguments"])


def test_the_oldest_outputs_go_first() -> None:
    outputs = [item["output"] for item in items_of(shed(conversation(), 1)) if item["type"] == "function_call_output"]
    left_out = [output.startswith("[claudex") for output in outputs]
    assert left_out == sorted(left_out, reverse=True)
    assert any(left_out)
    assert not all(left_out)


def test_other_fields_are_untouched() -> None:
    assert {k: v for k, v in json.loads(shed(conversation(), 8)).items() if k != "input"} == {
        "model": "m",
        "stream": True,
    }


def test_a_lone_surrogate_survives() -> None:
    body = b'{"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"\\ud800"}]}]}'
    assert b"\\ud800" in shed(body, 1)


def test_the_request_for_a_summary_is_known_by_its_last_words() -> None:
    assert is_summary_request(b'"CRITICAL: Respond with TEXT ONLY. Do NOT call any tools."')
    assert not is_summary_request(b'"hello"')
