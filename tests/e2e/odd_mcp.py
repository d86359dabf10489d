"""An MCP server on stdio with tools as odd as servers in the wild have them. Every call answers with what it was given.

Started with "late", it announces one more tool after the first call.
"""

import json
import sys
from typing import Any

REFERENCES = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "definitions": {"point": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]}},
    "properties": {"at": {"$ref": "#/definitions/point"}, "more": {"type": "array"}},
    "required": ["at"],
}
CHOICE = {
    "type": "object",
    "properties": {"which": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "mode": {"enum": ["a", 1, None]}},
    "additionalProperties": {"type": "string"},
}


def named(length: int, filler: str) -> str:
    """A name that is `length` characters long as Claude Code makes it: mcp__odd__TOOL."""
    return filler * (length - len("mcp__odd__"))


TOOLS: list[dict[str, Any]] = [
    {"name": named(100, "l"), "description": "A name of 100 characters", "inputSchema": {"type": "object"}},
    {"name": named(128, "m"), "description": "A name of 128 characters", "inputSchema": {"type": "object"}},
    {"name": named(128, "m")[:-1] + "n", "description": "Its neighbour", "inputSchema": {"type": "object"}},
    {"name": named(148, "o"), "description": "A name of 148 characters", "inputSchema": {"type": "object"}},
    {"name": "bare", "description": "", "inputSchema": {"type": "object"}},
    {"name": "references", "description": "Schema by reference", "inputSchema": REFERENCES},
    {"name": "with.dots and blanks", "description": "Characters nobody allows", "inputSchema": CHOICE},
    {"name": "picture", "description": "Gives back an image", "inputSchema": {"type": "object", "properties": {}}},
    {"name": "refuses", "description": "Always fails", "inputSchema": {"type": "object", "properties": {}}},
]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def call(name: str, given: Any) -> dict[str, Any]:
    if name == "picture":
        return {"content": [{"type": "image", "data": PIXEL, "mimeType": "image/png"}]}
    if name == "refuses":
        return {"content": [{"type": "text", "text": "I will not"}], "isError": True}
    return {"content": [{"type": "text", "text": f"{name} got {json.dumps(given, sort_keys=True)}"}]}


def answer(method: str, params: dict[str, Any]) -> dict[str, Any] | None:
    match method:
        case "initialize":
            about = {"name": "odd", "version": "1"}
            return {
                "protocolVersion": params["protocolVersion"],
                "capabilities": {"tools": {"listChanged": True}},
                "serverInfo": about,
            }
        case "tools/list":
            return {"tools": TOOLS}
        case "tools/call":
            return call(params["name"], params.get("arguments"))
    return {}


def say(message: dict[str, Any]) -> None:
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def main() -> None:
    late = "late" in sys.argv
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message:
            continue
        say({"id": message["id"], "result": answer(message["method"], message.get("params", {}))})
        if late and message["method"] == "tools/call":
            late = False
            TOOLS.insert(0, {"name": "aardvark", "description": "Came late", "inputSchema": {"type": "object"}})
            say({"method": "notifications/tools/list_changed"})


if __name__ == "__main__":
    main()
