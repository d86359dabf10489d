"""Every request recorded from Claude Code 2.1.197 and 2.1.329: accepted by the simulator, unchanged in meaning."""

import json

import pytest

from .support import Json, captured, encoded, names_of, translated, upstream

FOLDERS = ("claude-code", "claude-code-2.1.329")
ALLOWED = [
    *("model", "stream", "store", "include", "prompt_cache_key", "tools", "input"),
    *("tool_choice", "parallel_tool_calls", "reasoning", "text", "service_tier"),
]
RECORDED = [(folder, name) for folder in FOLDERS for name in names_of(folder)]
POSTED = [(folder, name) for folder, name in RECORDED if name not in ("head_probe", "models_discovery")]


def body_of(folder: str, name: str) -> Json:
    body: Json = captured(folder, name)["body"]
    return body


def test_all_recordings_are_here() -> None:
    assert len(RECORDED) == 54


@pytest.mark.parametrize(("folder", "name"), POSTED)
@pytest.mark.parametrize("lane", ["full", "lite"])
def test_is_accepted_with_allowed_keys_only_in_their_order(folder: str, name: str, lane: str) -> None:
    body = body_of(folder, name)
    up = translated(body | ({} if lane == "full" else {"model": "opus"}), lane=lane)
    sent = json.loads(up.body)
    assert list(sent) == [key for key in ALLOWED if key in sent]
    assert up.session_id
    assert all(kind.startswith(("thinking.", "repaired.")) for kind in up.losses if lane == "full")


@pytest.mark.parametrize(("folder", "name"), POSTED)
def test_every_word_arrives_once(folder: str, name: str) -> None:
    body = body_of(folder, name)
    said = json.dumps(upstream(body)["input"], ensure_ascii=False)
    for message in body["messages"]:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for block in blocks:
            if block["type"] == "text" and block["text"]:
                assert json.dumps(block["text"], ensure_ascii=False) in said
            if block["type"] == "tool_result" and isinstance(block["content"], str):
                assert json.dumps(block["content"], ensure_ascii=False)[1:-1] in said
    assert "x-anthropic-billing-header" not in said


@pytest.mark.parametrize(("folder", "name"), POSTED)
def test_every_tool_but_the_placeholder_arrives(folder: str, name: str) -> None:
    body = body_of(folder, name)
    functions = [tool["name"] for tool in body.get("tools", []) if "type" not in tool]
    up = translated(body)
    sent = json.loads(up.body)
    tools = sent.get("tools") or [
        tool for item in sent["input"] if item["type"] == "additional_tools" for tool in item["tools"]
    ]
    wire = {up.names.client(tool["name"]) for tool in tools if tool["type"] == "function"}
    assert wire == set(functions) - {"DeferredToolPlaceholder"}


@pytest.mark.parametrize(("folder", "name"), POSTED)
def test_the_same_request_gives_the_same_bytes(folder: str, name: str) -> None:
    body = encoded(body_of(folder, name))
    assert translated(body).body == translated(body).body


@pytest.mark.parametrize(("folder", "name"), POSTED)
@pytest.mark.parametrize("lane", ["full", "lite"])
def test_the_next_turn_begins_with_this_one(folder: str, name: str, lane: str) -> None:
    body = body_of(folder, name) | {"model": "opus"}
    longer = body | {"messages": [*settled(body["messages"]), *NEXT]}
    first, second = translated(body, lane=lane), translated(longer, lane=lane)
    end = max(end for end, label in first.marks if label != "claudex")
    assert second.body[:end] == first.body[:end]


NEXT = [
    {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_new", "name": "Bash", "input": {"a": 1}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_new", "content": "fine"}]},
]


def settled(messages: list[Json]) -> list[Json]:
    """What the client makes of its last messages in the next request: system texts become strings, cache marks move."""
    return [{**message, "content": unmarked(message)} for message in messages]


def unmarked(message: Json) -> object:
    content = message["content"]
    if isinstance(content, str):
        return content
    if message["role"] == "system" and len(content) == 1:
        return content[0]["text"]
    return [{key: value for key, value in block.items() if key != "cache_control"} for block in content]


def test_a_loaded_tool_is_appended_and_takes_no_others_place() -> None:
    before = translated(body_of("claude-code-2.1.329", "tool_search_deferred"))
    after = translated(body_of("claude-code-2.1.329", "tool_search_unloaded_tool_called"))
    assert before.tool_order == after.tool_order[: len(before.tool_order)]
    assert after.tool_order[len(before.tool_order) :] == ("WebFetch", "mcp__demo__echo")


def test_a_tool_that_appears_later_is_appended() -> None:
    late = captured("claude-code-2.1.329", "mcp_tool_appears_full_list")["body"]
    early = late | {"tools": late["tools"][:-1]}
    assert translated(late).tool_order[:-1] == translated(early).tool_order


def test_the_safety_check_stays_at_home() -> None:
    up = translated(body_of("claude-code-2.1.329", "first_turn_tui_auto_mode"))
    assert up.safeguards
    assert b"classifier_context" not in up.body
    assert up.display == "updates"


def test_the_classifier_is_asked_with_low_effort_and_without_its_cap() -> None:
    up = translated(body_of("claude-code", "auto_mode_classifier_stage1"))
    assert json.loads(up.body)["reasoning"]["effort"] == "low"
    assert up.output_cap is None
    assert up.stop_sequences == ("</block>",)


def test_the_title_is_structured_and_strict() -> None:
    up = translated(body_of("claude-code", "title_call_print"))
    sent = json.loads(up.body)
    assert up.structured
    assert sent["text"]["format"]["strict"] is True
    assert "summary" not in sent["reasoning"]


def test_the_search_goes_to_the_hosted_tool() -> None:
    up = translated(body_of("claude-code", "web_search_server_tool_opus"))
    sent = json.loads(up.body)
    assert up.lane == "full"
    assert sent["tool_choice"] == {"type": "web_search"}
    assert sent["tools"] == [
        {"type": "web_search", "external_web_access": True, "filters": {"allowed_domains": ["example.com"]}}
    ]
    assert up.search is not None
    assert up.search.max_uses == 8


def test_a_long_mcp_name_is_short_upstream_and_comes_back() -> None:
    up = translated(body_of("claude-code", "mcp_long_names"))
    long = next(name for name in up.tools if len(name) > 64)
    assert len(up.names.wire(long)) <= 64
    assert up.names.client(up.names.wire(long)) == long
