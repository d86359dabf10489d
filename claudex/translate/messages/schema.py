"""JSON schemas: what the backend demands of a tool's, and whether one qualifies for strict output."""

import re
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw, Struct

from .malformed import Malformed

# Above this a schema is not kept: the memory of a rare giant is worth more than its milliseconds.
CACHED_BYTES = 64 << 10

_members = msgspec.json.Decoder(dict[str, Raw])
_encode = msgspec.json.encode
# How Claude Code's schemas begin; cut without looking at the rest.
_DIALECT = re.compile(rb'^\{\s*"\$schema"\s*:\s*"[^"\\]*"\s*,')

_NOT_AT_ROOT = frozenset({"$schema", "oneOf", "anyOf", "allOf", "enum", "not"})
_VALUES = ("default", "const", "enum", "examples")
# What structured outputs document as supported; anything else makes the backend refuse a strict schema.
STRICT_KEYWORDS = {
    *("type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "$ref", "$defs"),
    *("definitions", "description", "title", "pattern", "format", "minimum", "maximum", "exclusiveMinimum"),
    *("exclusiveMaximum", "multipleOf", "minItems", "maxItems"),
}


class ToolFacts(Struct, frozen=True):
    """`optional_strings`: properties that may be left out and may hold a string, which GPT models like to fill with "".
    `required`: the properties that must be there."""

    optional_strings: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()


class _Schema(Struct):
    properties: dict[str, Any] = {}
    required: list[str] = []


_facts = msgspec.json.Decoder(_Schema)


def parameters(schema: bytes) -> tuple[bytes, ToolFacts]:
    """The schema as it is sent, changed no further than the backend demands, and its facts."""
    if schema[:1] != b"{":
        raise Malformed("input_schema", "must be an object")
    return _kept(schema) if len(schema) <= CACHED_BYTES else _parameters(schema)


def _parameters(schema: bytes) -> tuple[bytes, ToolFacts]:
    return _normal(schema), _facts_of(schema)


_kept = lru_cache(maxsize=1024)(_parameters)


def _normal(schema: bytes) -> bytes:
    """No `$schema`; an object with properties at the root, and no alternatives there; arrays with items. What already
    is as the backend wants it stays byte for byte."""
    schema = _DIALECT.sub(b"{", schema, count=1)
    members = _members.decode(schema)
    fits = bytes(members.get("type", b"")) == b'"object"' and bytes(members.get("properties", b""))[:1] == b"{"
    if fits and members.keys().isdisjoint(_NOT_AT_ROOT) and b'"array"' not in schema:
        return schema
    whole = msgspec.json.decode(schema)
    if fits and members.keys().isdisjoint(_NOT_AT_ROOT) and not _bare_arrays(whole):
        return schema
    for array in _bare_arrays(whole):
        array["items"] = {}
    return bytes(_encode(_object(whole)))


def _object(schema: dict[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties")
    properties = dict(properties) if isinstance(properties, dict) else {}
    required = schema.get("required")
    required = list(required) if isinstance(required, list) else []
    for variant, counts in _variants(schema):
        for name, inner in variant.get("properties", {}).items():
            properties.setdefault(name, inner)
        required += [name for name in variant.get("required", []) if counts and name not in required]
    rest = {key: value for key, value in schema.items() if key not in _NOT_AT_ROOT}
    required = [name for name in required if name in properties]
    return {**rest, "type": "object", "properties": properties} | ({"required": required} if required else {})


def _variants(schema: dict[str, Any]) -> list[tuple[dict[str, Any], bool]]:
    """The objects among the root's alternatives; what `allOf` requires is required, what one of several does is not."""
    found = []
    for key in ("allOf", "anyOf", "oneOf"):
        group = schema.get(key)
        for one in group if isinstance(group, list) else []:
            if isinstance(one, dict) and isinstance(one.get("properties", {}), dict):
                found.append((one, key == "allOf" and isinstance(one.get("required", []), list)))
    return found


def _bare_arrays(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [array for entry in schema for array in _bare_arrays(entry)]
    if not isinstance(schema, dict):
        return []
    kind = schema.get("type")
    is_array = kind == "array" or (isinstance(kind, list) and "array" in kind)
    found = [schema] if is_array and "items" not in schema and "prefixItems" not in schema else []
    return found + [array for key, entry in schema.items() if key not in _VALUES for array in _bare_arrays(entry)]


def _facts_of(schema: bytes) -> ToolFacts:
    """A schema of an unexpected shape has no facts: nothing is then trimmed from its arguments."""
    try:
        found = _facts.decode(schema)
    except msgspec.DecodeError:
        return ToolFacts()
    required = frozenset(found.required)
    strings = (name for name, one in found.properties.items() if isinstance(one, dict) and _fills(one))
    return ToolFacts(frozenset(strings) - required, required)


def _fills(schema: dict[str, Any]) -> bool:
    """Whether a string may stand here, but not on purpose an empty one."""
    kind, options = schema.get("type"), schema.get("anyOf") or schema.get("oneOf")
    if "" in (values if isinstance(values := schema.get("enum"), list) else [schema.get("const")]):
        return False
    if isinstance(options, list) and kind is None:
        return any(isinstance(one, dict) and _fills(one) for one in options)
    return kind == "string" or (isinstance(kind, list) and "string" in kind)


def qualifies(schema: Any, depth: int = 0) -> bool:
    """Whether strict output accepts the schema: every object closed, every property required, known keywords only."""
    if not isinstance(schema, dict) or depth > 10 or not STRICT_KEYWORDS.issuperset(schema):
        return False
    if depth == 0 and (schema.get("type") != "object" or "anyOf" in schema):
        return False
    if not ({"type", "anyOf", "$ref", "enum", "const"} & schema.keys()):
        return False
    return _closed(schema) and all(qualifies(inner, depth + 1) for inner in _inner(schema))


def _closed(schema: dict[str, Any]) -> bool:
    kinds = schema.get("type")
    if kinds != "object" and not (isinstance(kinds, list) and "object" in kinds) and "properties" not in schema:
        return True
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if not isinstance(properties, dict) or not isinstance(required, list):
        return False
    return schema.get("additionalProperties") is False and set(map(str, required)) == properties.keys()


def _inner(schema: dict[str, Any]) -> list[Any]:
    inner = [schema["items"]] if "items" in schema else []
    for name in ("properties", "$defs", "definitions"):
        group = schema.get(name, {})
        inner += group.values() if isinstance(group, dict) else [None]
    options = schema.get("anyOf", [])
    return inner + (options if isinstance(options, list) else [None])
