"""Definitions, schemas, order and choice of tools."""

import json

import pytest

from claudex.translate.messages.schema import ToolFacts, parameters, qualifies

from .support import Json, assistant, call, request, result, tool, translated, upstream, user

LONG = "mcp__demo__" + "long_" * 30
SEARCH = {"type": "web_search_20250305", "name": "web_search"}


def full(*tools: Json, **fields: object) -> Json:
    return upstream(request(user("hi"), tools=list(tools), model="gpt-5.5", **fields))


def order(*tools: Json, history: tuple[Json, ...] = (), before: tuple[str, ...] = ()) -> list[str]:
    return list(translated(request(user("hi"), *history, tools=list(tools)), tool_order=before).tool_order)


def normal(schema: Json) -> Json:
    decoded: Json = json.loads(parameters(json.dumps(schema).encode())[0])
    return decoded


def test_a_function_says_strict_false_and_nothing_of_the_client() -> None:
    given = tool("Bash", cache_control={"type": "ephemeral"}, eager_input_streaming=True, type="custom")
    assert full(given)["tools"] == [
        {
            "type": "function",
            "name": "Bash",
            "description": "d",
            "strict": False,
            "parameters": {"type": "object", "properties": {}},
        }
    ]


def test_the_lite_lane_takes_tools_as_the_first_item() -> None:
    sent = upstream(request(user("hi"), tools=[tool("Bash")]))
    assert "tools" not in sent
    assert sent["input"][0]["type"] == "additional_tools"
    assert sent["input"][0]["tools"][0]["name"] == "Bash"
    assert sent["parallel_tool_calls"] is False


def test_a_missing_description_is_left_out_and_an_empty_one_stays() -> None:
    bare = {"name": "x", "input_schema": {"type": "object"}}
    assert "description" not in full(bare)["tools"][0]
    assert full({**bare, "description": ""})["tools"][0]["description"] == ""


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {"a": {"type": "array", "items": {}}}, "additionalProperties": False},
        {"properties": {"type": {"type": "string"}}, "type": "object", "definitions": {"x": {"$ref": "#"}}},
    ],
)
def test_a_schema_that_fits_is_sent_byte_for_byte(schema: Json) -> None:
    data = json.dumps(schema, indent=1).encode()
    assert parameters(data)[0] == data


@pytest.mark.parametrize(
    ("schema", "sent"),
    [
        ({}, {"type": "object", "properties": {}}),
        ({"type": "object"}, {"type": "object", "properties": {}}),
        ({"type": ["object", "null"], "properties": None}, {"type": "object", "properties": {}}),
        ({"$schema": "x", "type": "object", "properties": {}}, {"type": "object", "properties": {}}),
        ({"type": "object", "$schema": "x", "properties": {}}, {"type": "object", "properties": {}}),
        (
            {"type": "object", "properties": {"a": {"type": "array"}}},
            {"type": "object", "properties": {"a": {"type": "array", "items": {}}}},
        ),
        (
            {"oneOf": [{"properties": {"a": {}}, "required": ["a"]}, {"properties": {"b": {}}}]},
            {"type": "object", "properties": {"a": {}, "b": {}}},
        ),
        (
            {"type": "object", "properties": {"a": {}}, "allOf": [{"properties": {"b": {}}, "required": ["b"]}]},
            {"type": "object", "properties": {"a": {}, "b": {}}, "required": ["b"]},
        ),
        ({"anyOf": [True, {"$ref": "#/x"}], "x": 1}, {"x": 1, "type": "object", "properties": {}}),
    ],
)
def test_a_schema_is_changed_as_far_as_the_backend_demands(schema: Json, sent: Json) -> None:
    assert normal(schema) == sent
    full({"name": "x", "input_schema": schema})


def test_only_the_dialect_line_is_cut_from_claude_codes_schemas() -> None:
    data = b'{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"a":{"x":1.0}}}'
    assert parameters(data)[0] == b'{"type":"object","properties":{"a":{"x":1.0}}}'


def test_facts_name_optional_strings() -> None:
    properties = {"path": {"type": "string"}, "pages": {"type": "string"}, "n": {"type": "integer"}, "any": True}
    schema = {"type": "object", "properties": properties, "required": ["path"]}
    up = translated(request(user("hi"), tools=[{"name": "Read", "input_schema": schema}]))
    assert up.tools == {"Read": ToolFacts(frozenset({"pages"}), frozenset({"path"}))}


@pytest.mark.parametrize(
    ("schema", "filled"),
    [
        ({"type": ["string", "null"]}, True),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, True),
        ({"type": "string", "enum": ["a", "b"]}, True),
        ({"type": "string", "enum": ["", "b"]}, False),
        ({"type": "string", "const": ""}, False),
        ({"type": ["integer", "null"]}, False),
        ({}, False),
    ],
)
def test_an_empty_string_may_be_meant(schema: Json, filled: bool) -> None:
    facts = parameters(json.dumps({"type": "object", "properties": {"a": schema}}).encode())[1]
    assert ("a" in facts.optional_strings) == filled


def test_an_odd_schema_has_no_facts() -> None:
    assert parameters(b'{"type":"object","properties":{"a":{}},"required":"a"}')[1] == ToolFacts()


def test_a_name_maps_everywhere_alike() -> None:
    history = [user("go"), assistant(call("a", LONG)), user(result("a"))]
    choice = {"type": "tool", "name": LONG}
    up = translated(request(*history, tools=[tool(LONG), tool("a b")], tool_choice=choice, model="gpt-5.5"))
    sent = json.loads(up.body)
    short = up.names.wire(LONG)
    assert sent["tools"][0]["name"] == sent["tool_choice"]["name"] == sent["input"][1]["name"] == short
    assert up.names.client(sent["tools"][1]["name"]) == "a b"


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        (None, "auto"),
        ({"type": "auto"}, "auto"),
        ({"type": "any"}, "required"),
        ({"type": "none"}, "none"),
        ({"type": "tool", "name": "Bash"}, {"type": "function", "name": "Bash"}),
    ],
)
def test_the_choice_has_four_forms(choice: Json | None, sent: object) -> None:
    assert full(tool("Bash"), tool_choice=choice)["tool_choice"] == sent


def test_a_forced_choice_takes_the_full_lane() -> None:
    up = translated(request(user("hi"), tools=[tool("Bash")], tool_choice={"type": "any"}))
    assert up.lane == "full"
    assert up.lanes == ("full", "lite")


def test_on_the_lite_lane_a_forced_choice_is_said_in_words() -> None:
    body = request(user("hi"), tools=[tool("Bash")], tool_choice={"type": "tool", "name": "Bash"}, model="haiku")
    sent = upstream(body)
    assert sent["tool_choice"] == "auto"
    assert sent["input"][-1]["content"][0]["text"] == "Call the tool Bash now, without any text before it."


def test_one_tool_at_a_time_if_the_client_wants_it_so() -> None:
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    assert full(tool("Bash"), tool_choice=choice)["parallel_tool_calls"] is False
    assert full(tool("Bash"))["parallel_tool_calls"] is True


def test_the_placeholder_is_dropped() -> None:
    assert order(tool("A"), tool("DeferredToolPlaceholder", defer_loading=True), tool("B")) == ["A", "B"]


LOADED = tool("Late", defer_loading=True)
REFERENCE = [{"type": "tool_reference", "tool_name": "Late"}]
SEARCHED = (assistant(call("s", "ToolSearch")), user(result("s", REFERENCE)))


def test_a_loaded_tool_comes_last_wherever_the_client_puts_it() -> None:
    assert order(tool("A"), LOADED, tool("Z"), history=SEARCHED) == ["A", "Z", "Late"]


def test_loaded_tools_stand_in_the_order_of_their_loading() -> None:
    first = tool("Zed", defer_loading=True)
    earlier = (assistant(call("r", "ToolSearch")), user(result("r", [{"type": "tool_reference", "tool_name": "Zed"}])))
    assert order(tool("A"), LOADED, first, history=(*earlier, *SEARCHED)) == ["A", "Zed", "Late"]


def test_tools_loaded_before_a_compaction_keep_their_place() -> None:
    old = tool("Old", defer_loading=True)
    assert order(tool("A"), LOADED, old)[:1] == ["A"]
    assert order(tool("A"), LOADED, old, history=SEARCHED) == ["A", "Old", "Late"]


def test_who_remembers_the_last_order_keeps_any_list_append_only() -> None:
    assert order(tool("A"), tool("New"), tool("B"), before=("A", "B", "Gone")) == ["A", "B", "New"]


def test_a_tool_listed_twice_is_sent_once() -> None:
    assert order(tool("A"), tool("A")) == ["A"]


def test_hosted_search_carries_domains_and_place() -> None:
    given = {**SEARCH, "allowed_domains": ["a.example"], "user_location": {"city": "Rome", "zip": 1, "region": None}}
    sent = full(given, tool("Bash"))
    assert sent["tools"][1] == {
        "type": "web_search",
        "external_web_access": True,
        "filters": {"allowed_domains": ["a.example"]},
        "user_location": {"type": "approximate", "city": "Rome"},
    }


def test_what_the_backend_does_not_know_of_a_search_is_handed_on() -> None:
    up = translated(request(user("hi"), tools=[{**SEARCH, "blocked_domains": ["b.example"], "max_uses": 3}]))
    assert up.search is not None
    assert (up.search.blocked, up.search.max_uses) == (("b.example",), 3)
    assert up.lanes == ("full",)


def test_luna_cannot_search_and_sol_does_it() -> None:
    up = translated(request(user("hi"), tools=[SEARCH], model="haiku"))
    assert (up.info.slug, up.lane) == ("gpt-6-sol", "full")
    assert "gpt-6-luna cannot search the web: gpt-6-sol answered." in up.notes


def test_a_lane_that_cannot_search_says_so() -> None:
    up = translated(request(user("hi"), tools=[SEARCH], model="opus"), lane="lite")
    assert up.search is None
    assert up.losses == {"tool.web_search": 1}
    assert b"Web search is not available" in up.body


def test_server_tools_of_another_maker_are_left_out_and_counted() -> None:
    up = translated(
        request(user("hi"), tools=[{"type": "code_execution_20250825", "name": "code_execution"}, tool("A")])
    )
    assert up.losses == {"tool.code_execution_20250825": 1}
    assert up.tool_order == ("code_execution", "A")


@pytest.mark.parametrize("lane", ["full", "lite"])
def test_a_choice_of_a_tool_that_was_left_out_forces_nothing(lane: str) -> None:
    tools = [{"type": "code_execution_20250825", "name": "code_execution"}, tool("A")]
    body = request(user("hi"), tools=tools, tool_choice={"type": "tool", "name": "code_execution"})
    sent = upstream(body, lane=lane)
    assert sent["tool_choice"] == "auto"
    assert "code_execution" not in json.dumps(sent)


CLOSED = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (CLOSED, True),
        ({**CLOSED, "properties": {"a": {"type": "array", "items": CLOSED}}}, True),
        ({**CLOSED, "properties": {"a": {"anyOf": [{"type": "null"}, CLOSED]}}}, True),
        ({**CLOSED, "required": []}, False),
        ({**CLOSED, "additionalProperties": True}, False),
        ({**CLOSED, "properties": {"a": {"type": "object"}}}, False),
        ({**CLOSED, "properties": {"a": {"type": "string", "minLength": 1}}}, False),
        ({**CLOSED, "properties": {"a": {}}}, False),
        ({**CLOSED, "properties": {"a": True}}, False),
        ({"anyOf": [CLOSED], "type": "object"}, False),
        ({"type": "array", "items": CLOSED}, False),
    ],
)
def test_strict_output_needs_a_schema_that_qualifies(schema: Json, strict: bool) -> None:
    assert qualifies(schema) is strict
    sent = full(output_config={"format": {"type": "json_schema", "schema": {**schema, "$schema": "x"}}})
    if schema["type"] == "object":
        assert sent["text"]["format"] == {"type": "json_schema", "strict": strict, "schema": schema, "name": "output"}
