"""Each rule of the backend, broken once: the documented answer, and one sentence in `violations`."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from claudex.simulator import Simulator

from .codex import EXEC_TOOL, Codex, full_body, lite_body, user

Body = dict[str, Any]
PNG = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ"
    "RU5ErkJggg=="
)


def call(call_id: str = "call_1", **more: Any) -> Body:
    return {"type": "function_call", "name": "exec_command", "arguments": "{}", "call_id": call_id, **more}


def output(call_id: str = "call_1", **more: Any) -> Body:
    return {"type": "function_call_output", "call_id": call_id, "output": "done", **more}


def image(url: str) -> Body:
    return {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": url}]}


def tool(**more: Any) -> Body:
    return full_body("hi", tools=[{**EXEC_TOOL, **more}])


def parameters(**more: Any) -> Body:
    return tool(parameters={**EXEC_TOOL["parameters"], **more})


def without(body: Body, key: str) -> Body:
    return {name: value for name, value in body.items() if name != key}


def formatted(schema: Body, **more: Any) -> Body:
    return full_body("hi", text={"format": {"type": "json_schema", "name": "out", "schema": schema, **more}})


STRIPPED = [
    "max_output_tokens",
    "max_completion_tokens",
    "max_tokens",
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "user",
    "metadata",
    "truncation",
    "context_management",
    "prompt_cache_retention",
    "prompt_cache_options",
    "safety_identifier",
    "previous_response_id",
    "generate",
    "type",
    "access_programs",
    "anything_else",
]


@pytest.mark.parametrize("name", STRIPPED)
async def test_an_unknown_field_is_refused_by_presence(sim: Simulator, codex: Codex, name: str) -> None:
    answer = await codex.send(full_body("hi", **{name: None}))
    assert (answer.status, answer.json) == (400, {"detail": f"Unsupported parameter: {name}"})
    assert len(sim.violations) == 1
    assert name in sim.violations[0]


REFUSED: dict[str, tuple[Callable[[], Body], int, str]] = {
    "stream false": (lambda: full_body("hi", stream=False), 400, "Stream must be set to true"),
    "stream missing": (lambda: without(full_body("hi"), "stream"), 400, "Stream must be set to true"),
    "store true": (lambda: full_body("hi", store=True), 400, "Store must be set to false"),
    "store missing": (lambda: without(full_body("hi"), "store"), 400, "Store must be set to false"),
    "input a string": (lambda: {**full_body(), "input": "hi"}, 400, "must be a list"),
    "input empty": (lambda: full_body(), 400, "empty array"),
    "unknown model": (lambda: full_body("hi", model="gpt-5"), 400, "not supported when using Codex with a ChatGPT"),
    "model missing": (lambda: without(full_body("hi"), "model"), 400, "not supported"),
    "instructions null": (lambda: full_body("hi", instructions=None), 400, "Instructions are not valid"),
    "minimal effort": (lambda: full_body("hi", reasoning={"effort": "minimal"}), 400, "Unsupported value: 'minimal'"),
    "max on 5.5": (
        lambda: full_body("hi", reasoning={"effort": "max"}),
        400,
        "'none', 'low', 'medium', 'high', 'xhigh'",
    ),
    "ultra": (lambda: lite_body("hi", reasoning={"effort": "ultra"}), 400, "Unsupported value: 'ultra'"),
    "summary none": (lambda: full_body("hi", reasoning={"summary": "none"}), 400, "reasoning.summary"),
    "context on full": (lambda: full_body("hi", reasoning={"context": "all_turns"}), 400, "reasoning.context"),
    "reasoning extra": (lambda: full_body("hi", reasoning={"budget": 3}), 400, "reasoning.budget"),
    "unknown tier": (lambda: full_body("hi", service_tier="ultrafast"), 400, "Unsupported service_tier"),
    "unknown include": (lambda: full_body("hi", include=["file_search_call.results"]), 400, "include"),
    "chat stream options": (lambda: full_body("hi", stream_options={"include_usage": True}), 400, "stream_options"),
    "long cache key": (lambda: full_body("hi", prompt_cache_key="k" * 65), 400, "prompt_cache_key"),
    "metadata not strings": (lambda: full_body("hi", client_metadata={"n": 1}), 400, "client_metadata.n"),
    "verbosity": (lambda: full_body("hi", text={"verbosity": "chatty"}), 400, "text.verbosity"),
    "luna on full": (lambda: full_body("hi", model="gpt-6-luna"), 404, "Model not found gpt-6-luna"),
    "system role": (lambda: full_body({**user("x"), "role": "system"}), 400, "System messages are not allowed"),
    "unknown role": (lambda: full_body({**user("x"), "role": "tool"}), 400, "input[0].role"),
    "content a string": (lambda: full_body({**user("x"), "content": "x"}), 400, "input[0].content"),
    "content empty": (lambda: full_body({**user("x"), "content": []}), 400, "empty array"),
    "wrong part for role": (lambda: full_body({**user("x"), "role": "assistant"}), 400, "output_text"),
    "cache_control on a part": (
        lambda: full_body({**user(""), "content": [{"type": "input_text", "text": "x", "cache_control": {}}]}),
        400,
        "input[0].content[0].cache_control",
    ),
    "phase on a user message": (lambda: full_body(user("x") | {"phase": "commentary"}), 400, "Phase"),
    "unknown item": (lambda: full_body({"type": "tool_use"}), 400, "input[0].type"),
    "item without type": (lambda: full_body({"role": "user", "content": "x"}), 400, "input[0].type"),
    "unknown item key": (lambda: full_body({**user("x"), "name": "me"}), 400, "input[0].name"),
    "id prefix": (lambda: full_body({**user("x"), "id": "toolu_1"}), 400, "begins with 'msg'"),
    "id length": (lambda: full_body({**user("x"), "id": "msg_" + "x" * 61}), 400, "maximum length 64"),
    "image not base64": (lambda: full_body(image("data:image/png;base64,@@@")), 400, "image_url"),
    "image of another type": (lambda: full_body(image(PNG.replace("png", "jpeg"))), 400, "valid image"),
    "image over http": (lambda: full_body(image("http://x.test/a.png")), 400, "image_url"),
    "call without output": (lambda: full_body("hi", call()), 400, "No tool output found for function call call_1"),
    "output without call": (lambda: full_body("hi", output()), 400, "No tool call found for function call output"),
    "output before call": (lambda: full_body(output(), call()), 400, "No tool call found"),
    "two outputs": (lambda: full_body(call(), output(), output()), 400, "Duplicate tool output"),
    "two calls of one id": (lambda: full_body(call(), call(), output()), 400, "Duplicate call_id"),
    "output of another kind": (
        lambda: full_body(call(), output() | {"type": "custom_tool_call_output"}),
        400,
        "No tool call found for custom tool",
    ),
    "user before output": (lambda: full_body(call(), user("x"), output()), 400, "No tool output found"),
    "long call id": (lambda: full_body(call("c" * 65), output("c" * 65)), 400, "string_above_max_length"),
    "empty call id": (lambda: full_body(call(""), output("")), 400, "empty string"),
    "arguments an object": (lambda: full_body(call(arguments={}), output()), 400, "arguments"),
    "output a number": (lambda: full_body(call(), output(output=3)), 400, "output"),
    "output null": (lambda: full_body(call(), output(output=None)), 400, "output"),
    "is_error": (lambda: full_body(call(), output(is_error=True)), 400, "is_error"),
    "long tool name": (lambda: tool(name="n" * 65), 400, "maximum length 64"),
    "tool name with a dot": (lambda: tool(name="a.b"), 400, "does not match pattern"),
    "tool strict": (lambda: tool(strict=True), 400, "tools[0].strict"),
    "tool input_schema": (lambda: tool(input_schema={}), 400, "tools[0].input_schema"),
    "tool defer_loading": (lambda: tool(defer_loading=True), 400, "tools[0].defer_loading"),
    "parameters $schema": (lambda: parameters(**{"$schema": "x"}), 400, "$schema"),
    "parameters not an object": (lambda: parameters(type="string"), 400, "invalid_function_parameters"),
    "parameters oneOf": (lambda: parameters(oneOf=[]), 400, "oneOf"),
    "array without items": (lambda: parameters(properties={"a": {"type": "array"}}), 400, "missing items"),
    "no properties": (lambda: tool(parameters={"type": "object"}), 400, "missing properties"),
    "duplicate tools": (lambda: full_body("hi", tools=[EXEC_TOOL, EXEC_TOOL]), 400, "Duplicate tool name"),
    "anthropic tool type": (lambda: full_body("hi", tools=[{"type": "web_search_20250305"}]), 400, "tools[0].type"),
    "tool choice of no tool": (
        lambda: full_body("hi", tool_choice={"type": "function", "name": "other"}),
        400,
        "not found in 'tools'",
    ),
    "tool choice any": (lambda: full_body("hi", tool_choice="any"), 400, "tool_choice"),
    "required without tools": (lambda: full_body("hi", tools=[], tool_choice="required"), 400, "tool_choice"),
    "format without name": (
        lambda: full_body("hi", text={"format": {"type": "json_schema", "schema": {}}}),
        400,
        "text.format.name",
    ),
    "strict format, open object": (
        lambda: formatted({"type": "object", "properties": {}}, strict=True),
        400,
        "additionalProperties",
    ),
    "strict format, optional": (
        lambda: formatted(
            {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}, strict=True
        ),
        400,
        "required",
    ),
    "reasoning without content": (
        lambda: full_body("hi", {"type": "reasoning", "id": "rs_1", "summary": []}),
        404,
        "Items are not persisted when `store` is set to false",
    ),
    "foreign reasoning": (
        lambda: full_body("hi", {"type": "reasoning", "summary": [], "encrypted_content": "gAAAAABabc"}),
        400,
        "invalid_encrypted_content",
    ),
    "trigger not last": (lambda: full_body({"type": "compaction_trigger"}, "hi"), 400, "last input item"),
    "lite: tools": (lambda: lite_body("hi", tools=[EXEC_TOOL]), 400, "Responses-Lite"),
    "lite: instructions": (lambda: lite_body("hi", instructions="x"), 400, "Responses-Lite"),
    "lite: parallel": (lambda: lite_body("hi", parallel_tool_calls=True), 400, "unsupported_value"),
    "lite: forced tool": (lambda: lite_body("hi", tool_choice="required"), 400, "Responses-Lite"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_broken_rule_is_refused_and_noted(sim: Simulator, codex: Codex, case: str) -> None:
    build, status, words = REFUSED[case]
    answer = await codex.send(build())
    assert answer.status == status
    assert words in json.dumps(answer.json) + sim.violations[0]
    assert len(sim.violations) == 1
    assert sim.requests[0].status == status


async def test_lite_refuses_hosted_tools(sim: Simulator, codex: Codex) -> None:
    body = lite_body("hi")
    body["input"][0]["tools"].append({"type": "web_search"})
    answer = await codex.send(body)
    assert answer.json["error"]["code"] == "unsupported_value"
    assert answer.json["error"]["param"] == "tools"
    assert (
        "only supports function tools, custom tools, and client-executed tool search" in answer.json["error"]["message"]
    )


async def test_additional_tools_stand_on_the_lite_lane_only(sim: Simulator, codex: Codex) -> None:
    answer = await codex.send(lite_body("hi", reasoning={}), lane="full")
    assert answer.json["error"]["param"] == "input[0].type"


async def test_gpt_5_5_is_not_on_the_lite_lane(sim: Simulator, codex: Codex) -> None:
    answer = await codex.send(lite_body("hi", model="gpt-5.5"), lane="lite")
    assert answer.json["error"]["param"] == "model"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'{"model": NaN}',
        b'{"model": "\\ud800"}',
        b'{"model": "\xed\xa0\x80"}',
        b'{"model": "x"} trailing',
    ],
)
async def test_what_is_no_json_object_is_refused(sim: Simulator, codex: Codex, data: bytes) -> None:
    answer = await codex.send({}, data=data)
    assert answer.status == 400
    assert "not valid JSON" in sim.violations[0]


ACCEPTED: dict[str, Callable[[], Body]] = {
    "full": lambda: full_body("hi"),
    "lite": lambda: lite_body("hi"),
    "luna on lite": lambda: lite_body("hi", model="gpt-6-luna"),
    "flagged model on full": lambda: full_body("hi", model="gpt-6-sol"),
    "instructions": lambda: full_body("hi", instructions=""),
    "effort none": lambda: full_body("hi", reasoning={"effort": "none"}),
    "priority": lambda: full_body("hi", service_tier="priority"),
    "image": lambda: full_body(image(PNG)),
    "image over https": lambda: full_body(image("https://x.test/a.png")),
    "parallel calls": lambda: full_body("hi", call("a"), call("b"), output("a"), output("b"), user("next")),
    "message between calls": lambda: full_body(
        call("a"),
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "x"}],
            "phase": "commentary",
        },
        call("b"),
        output("b"),
        output("a"),
    ),
    "output with an image": lambda: full_body(
        call(), output(output=[{"type": "input_text", "text": "x"}, {"type": "input_image", "image_url": PNG}])
    ),
    "forced tool": lambda: full_body("hi", tool_choice={"type": "function", "name": "exec_command"}),
    "web search": lambda: full_body("hi", tools=[{"type": "web_search", "external_web_access": True}]),
    "loose format": lambda: formatted({"type": "object", "properties": {"title": {"type": "string"}}}, strict=False),
}


@pytest.mark.parametrize("case", ACCEPTED)
async def test_a_good_request_is_answered(sim: Simulator, codex: Codex, case: str) -> None:
    answer = await codex.send(ACCEPTED[case]())
    assert sim.violations == []
    assert answer.status == 200
