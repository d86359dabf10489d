"""Anthropic's own client tools: a dated type and no schema, because its models know them. They run at the client, so
any model can have them once it is told their schemas (as of the tools' public documentation, November 2026)."""

import re
from typing import Any

import msgspec
from msgspec import Raw

from ...wire.anthropic import Tool

Properties = dict[str, dict[str, Any]]

_KIND = re.compile(r"(bash|text_editor|memory|computer)_[0-9]{8}").fullmatch
_TEXT = {"type": "string"}
_WHOLE = {"type": "integer"}
_POINT = {"type": "array", "items": _WHOLE, "description": "[x, y] in pixels"}
_LINES = {"type": "array", "items": _WHOLE, "description": "[first, last] line, from 1; last -1 is the end"}
_EDITS: Properties = {
    "path": _TEXT,
    "view_range": _LINES,
    "file_text": {**_TEXT, "description": "all of the file, for create"},
    "old_str": {**_TEXT, "description": "what str_replace replaces; it must occur exactly once"},
    "new_str": _TEXT,
    "insert_line": {**_WHOLE, "description": "the line after which insert puts the text; 0 is the beginning"},
    "insert_text": _TEXT,
}


def _choice(*words: str) -> dict[str, Any]:
    return {**_TEXT, "enum": list(words)}


_KNOWN: dict[str, tuple[str, Properties, list[str]]] = {
    "bash": (
        "Run a command in a bash session that persists between calls. `restart` begins a new session.",
        {"command": _TEXT, "restart": {"type": "boolean"}},
        [],
    ),
    "text_editor": (
        "View, create and edit text files.",
        {"command": _choice("view", "create", "str_replace", "insert"), **_EDITS},
        ["command", "path"],
    ),
    "memory": (
        "Keep notes in files under /memories that outlive this conversation. View the directory before anything else.",
        {
            "command": _choice("view", "create", "str_replace", "insert", "delete", "rename"),
            **_EDITS,
            "old_path": _TEXT,
            "new_path": _TEXT,
        },
        ["command"],
    ),
    "computer": (
        "Use a computer by its screen, mouse and keyboard. Take a screenshot to see what an action did.",
        {
            "action": _choice(
                *("key", "type", "mouse_move", "left_click", "left_click_drag", "right_click", "middle_click"),
                *("double_click", "triple_click", "left_mouse_down", "left_mouse_up", "screenshot"),
                *("cursor_position", "hold_key", "scroll", "wait", "zoom"),
            ),
            "coordinate": _POINT,
            "start_coordinate": _POINT,
            "region": {"type": "array", "items": _WHOLE, "description": "[x0, y0, x1, y1], for zoom"},
            "text": _TEXT,
            "duration": {"type": "number"},
            "scroll_direction": _choice("up", "down", "left", "right"),
            "scroll_amount": _WHOLE,
        },
        ["action"],
    ),
}


def defined(tool: Tool) -> Tool | None:
    """The tool with its description and schema; None when it is none of these."""
    found = _KIND(tool.type or "")
    if found is None or not tool.name:
        return None
    about, properties, required = _KNOWN[found[1]]
    if tool.display_width_px and tool.display_height_px:
        about = f"{about} The screen has {tool.display_width_px} x {tool.display_height_px} pixels."
    schema = {"type": "object", "properties": properties, "required": required}
    return msgspec.structs.replace(
        tool, description=Raw(msgspec.json.encode(about)), input_schema=Raw(msgspec.json.encode(schema))
    )
