"""Tool definitions and output formats."""

import re
from collections.abc import Iterator
from typing import Any

from .refusal import invalid, invalid_type, invalid_value, lite, missing, too_long, unknown_parameter

NAME = re.compile(r"[a-zA-Z0-9_-]+")
NAME_LIMIT = 64
LITE_TYPES = frozenset({"function", "custom", "tool_search", "namespace"})
FULL_TYPES = LITE_TYPES | {"web_search", "image_generation"}
_KEYS = {
    "function": {"type", "name", "description", "strict", "parameters"},
    "custom": {"type", "name", "description", "format"},
    "namespace": {"type", "name", "description", "tools"},
    "tool_search": {"type", "execution", "description", "parameters"},
    "web_search": {
        "type",
        "external_web_access",
        "search_content_types",
        "filters",
        "user_location",
        "search_context_size",
    },
    "image_generation": {"type", "output_format"},
}
_FOREIGN = ("$schema", "cache_control", "input_schema", "defer_loading")

Tool = dict[str, Any]


def check_tools(tools: object, param: str, *, lane: str, nested: bool = False) -> None:
    if not isinstance(tools, list):
        raise invalid_type(param, "an array of tools", tools)
    allowed = {"function", "custom"} if nested else LITE_TYPES if lane == "lite" else FULL_TYPES
    names: set[str] = set()
    for index, tool in enumerate(tools):
        here = f"{param}[{index}]"
        _check_tool(tool, here, allowed, lane)
        label = tool.get("name") or tool["type"]
        if label in names:
            raise invalid(f"Duplicate tool name: '{label}'.", f"{here}.name", "invalid_value")
        names.add(label)


def check_name(name: object, param: str) -> None:
    if not isinstance(name, str):
        raise invalid_type(param, "a string", name) if name is not None else missing(param)
    if len(name) > NAME_LIMIT:
        raise too_long(param, NAME_LIMIT, len(name))
    if not NAME.fullmatch(name):
        message = (
            f"Invalid '{param}': string does not match pattern. Expected a string that matches '^[a-zA-Z0-9_-]+$'."
        )
        raise invalid(message, param, "invalid_value")


def walk(tools: list[Tool], namespace: str | None = None) -> Iterator[tuple[str | None, Tool]]:
    """Every tool with its namespace."""
    for tool in tools:
        if tool.get("type") == "namespace":
            yield from walk(tool.get("tools") or [], tool.get("name"))
        else:
            yield namespace, tool


def _check_tool(tool: object, here: str, allowed: frozenset[str] | set[str], lane: str) -> None:
    if not isinstance(tool, dict):
        raise invalid_type(here, "an object", tool)
    kind = str(tool.get("type"))
    if kind not in allowed:
        if lane == "lite":
            supported = "only supports function tools, custom tools, and client-executed tool search."
            raise lite(supported, "tools")
        raise invalid_value(f"{here}.type", kind, ", ".join(f"'{name}'" for name in sorted(allowed)))
    for key in tool:
        if key not in _KEYS[kind]:
            raise unknown_parameter(f"{here}.{key}")
    if not isinstance(tool.get("description", ""), str):
        raise invalid_type(f"{here}.description", "a string", tool["description"])
    if kind in ("function", "custom", "namespace"):
        check_name(tool.get("name"), f"{here}.name")
    if kind == "function":
        _check_function(tool, here)
    elif kind == "custom":
        _check_format(tool.get("format", {"type": "text"}), f"{here}.format")
    elif kind == "namespace":
        check_tools(tool.get("tools"), f"{here}.tools", lane=lane, nested=True)
    elif kind == "tool_search":
        _check_tool_search(tool, here)
    elif kind == "web_search":
        _check_web_search(tool, here)


def _check_function(tool: Tool, here: str) -> None:
    if tool.get("strict", None) is not False:
        raise invalid_value(f"{here}.strict", tool.get("strict"), "false (what the official client always sends)")
    check_parameters(tool.get("parameters"), f"{here}.parameters", tool["name"])


def check_parameters(schema: object, param: str, name: str) -> None:
    if not isinstance(schema, dict):
        raise invalid_type(param, "an object", schema)
    if schema.get("type") != "object":
        raise _bad_schema(
            name, param, f"schema must be a JSON Schema of 'type: \"object\"', got {schema.get('type')!r}."
        )
    if not isinstance(schema.get("properties", {}), dict) or "properties" not in schema:
        raise _bad_schema(name, param, "object schema missing properties.")
    for key in ("oneOf", "anyOf", "allOf", "enum", "not"):
        if key in schema:
            raise _bad_schema(name, param, f"schema must not have '{key}' at the top level.")
    for key in _FOREIGN:
        if key in schema:
            raise unknown_parameter(f"{param}.{key}")
    _check_arrays(schema, param, name)


def _check_arrays(schema: object, param: str, name: str) -> None:
    if isinstance(schema, list):
        for entry in schema:
            _check_arrays(entry, param, name)
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "array" and "items" not in schema and "prefixItems" not in schema:
        raise _bad_schema(name, param, "array schema missing items.")
    for key, entry in schema.items():
        if key not in ("default", "const", "enum", "examples"):
            _check_arrays(entry, param, name)


def _bad_schema(name: str, param: str, why: str) -> Exception:
    return invalid(f"Invalid schema for function '{name}': {why}", param, "invalid_function_parameters")


def _check_format(form: object, param: str) -> None:
    if not isinstance(form, dict):
        raise invalid_type(param, "an object", form)
    if form.get("type") == "text":
        return
    if form.get("type") != "grammar":
        raise invalid_value(f"{param}.type", form.get("type"), "'text' and 'grammar'")
    if form.get("syntax") not in ("lark", "regex"):
        raise invalid_value(f"{param}.syntax", form.get("syntax"), "'lark' and 'regex'")
    if not isinstance(form.get("definition"), str):
        raise invalid_type(f"{param}.definition", "a string", form.get("definition"))


def _check_tool_search(tool: Tool, here: str) -> None:
    if tool.get("execution") != "client":
        raise invalid_value(f"{here}.execution", tool.get("execution"), "'client'")
    check_parameters(tool.get("parameters"), f"{here}.parameters", "tool_search")


def _check_web_search(tool: Tool, here: str) -> None:
    if not isinstance(tool.get("external_web_access", True), bool):
        raise invalid_type(f"{here}.external_web_access", "a boolean", tool["external_web_access"])
    kinds = tool.get("search_content_types", [])
    if not isinstance(kinds, list) or not set(kinds) <= {"text", "image"}:
        raise invalid_value(f"{here}.search_content_types", kinds, "'text' and 'image'")
    filters = tool.get("filters")
    if filters is not None and not (isinstance(filters, dict) and set(filters) <= {"allowed_domains"}):
        raise unknown_parameter(f"{here}.filters")
    place = tool.get("user_location")
    known = {"type", "city", "region", "country", "timezone"}
    if place is not None and not (
        isinstance(place, dict) and place.get("type") == "approximate" and set(place) <= known
    ):
        raise invalid_value(f"{here}.user_location", place, "{'type': 'approximate', …}")
    size = tool.get("search_context_size", "medium")
    if size not in ("low", "medium", "high"):
        raise invalid_value(f"{here}.search_context_size", size, "'low', 'medium', and 'high'")


def check_strict(schema: object, name: str, context: tuple[str, ...] = ()) -> None:
    """What strict structured output asks of a schema: closed objects, every property required."""
    if not isinstance(schema, dict):
        return
    where = f"Invalid schema for response_format '{name}': In context={context!r}, "
    properties = schema.get("properties")
    if schema.get("type") == "object" or properties is not None:
        if schema.get("additionalProperties") is not False:
            why = f"{where}'additionalProperties' is required to be supplied and to be false."
            raise invalid(why, "text.format.schema", "invalid_json_schema")
        if set(schema.get("required") or []) != set(properties or {}):
            why = f"{where}'required' is required to be supplied and to be an array including every key in properties."
            raise invalid(why, "text.format.schema", "invalid_json_schema")
    for key, entry in (properties or {}).items():
        check_strict(entry, name, (*context, "properties", key))
    check_strict(schema.get("items"), name, (*context, "items"))
    for key in ("anyOf", "$defs", "definitions"):
        inner = schema.get(key) or []
        for number, entry in enumerate(inner.values() if isinstance(inner, dict) else inner):
            check_strict(entry, name, (*context, key, str(number)))
