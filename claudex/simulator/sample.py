"""A value that fits a JSON schema, the same each time."""

from typing import Any

DEPTH_LIMIT = 12


def sample(schema: Any, name: str = "value", root: Any = None, depth: int = 0) -> Any:
    """Objects with all properties, arrays as short as allowed, true, and strings that say that they are simulated."""
    root = schema if root is None else root
    if not isinstance(schema, dict) or depth > DEPTH_LIMIT:
        return f"simulated {name}"
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    if "$ref" in schema:
        return sample(_resolve(schema["$ref"], root), name, root, depth + 1)
    for key in ("anyOf", "oneOf"):
        if options := [option for option in schema.get(key, []) if option != {"type": "null"}]:
            return sample({**schema, key: [], **options[0]}, name, root, depth + 1)
    if schema.get("allOf"):
        merged: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
        for part in schema["allOf"]:
            merged |= part if isinstance(part, dict) else {}
        return sample(merged, name, root, depth + 1)
    return _typed(schema, name, root, depth)


def _typed(schema: dict[str, Any], name: str, root: Any, depth: int) -> Any:
    match _kind(schema):
        case "object":
            properties = schema.get("properties") or {}
            return {key: sample(entry, key, root, depth + 1) for key, entry in properties.items()}
        case "array":
            one = sample(schema.get("items", {}), name, root, depth + 1)
            return [one] * max(schema.get("minItems", 0), 0)
        case "integer":
            return int(_number(schema))
        case "number":
            return _number(schema)
        case "boolean":
            return True
        case "null":
            return None
    text = f"simulated {name}"
    return text.ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength", len(text) + 1000)]


def _kind(schema: dict[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        return str(next((entry for entry in kind if entry != "null"), "null"))
    return str(kind or ("object" if "properties" in schema else "string"))


def _number(schema: dict[str, Any]) -> float:
    if "exclusiveMinimum" in schema:
        return float(schema["exclusiveMinimum"]) + 1
    if "minimum" in schema:
        return float(schema["minimum"])
    return float(min(schema.get("maximum", 1), 1))


def _resolve(reference: str, root: Any) -> Any:
    found = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        key = step.replace("~1", "/").replace("~0", "~")
        found = found.get(key) if isinstance(found, dict) else None
        if found is None:
            return {}
    return found
