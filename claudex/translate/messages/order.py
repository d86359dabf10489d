"""The order of the tools: append-only, because tools stand before everything else in the backend's cached prefix.

Claude Code's tool search puts a loaded tool where the alphabet wants it. Its history says what was loaded when, so the
order can be told from the request alone: first the tools that were always there, then those loaded before the visible
history begins (a compaction hides how), then the others as they were first referenced. Whoever remembers the session's
last order can hand it in; a list that grows in its middle for other reasons is then kept append-only as well.
"""

from collections.abc import Iterable, Sequence

import msgspec

from ...wire.anthropic import Block, Tool, ToolChange
from .decode import Turn

# Keeps tool search switched on at Anthropic; calling it is an error by its own description.
PLACEHOLDER = "DeferredToolPlaceholder"

_blocks = msgspec.json.Decoder(list[Block])
_change = msgspec.json.Decoder(ToolChange)


def ordered(tools: Sequence[Tool], turns: Sequence[Turn], before: Sequence[str] = ()) -> list[Tool]:
    """All tools to be sent: the request's own and those that a system message added, each once."""
    listed = {tool.name or f"#{tool.type}": tool for tool in tools if tool.name != PLACEHOLDER}
    late = any(tool.defer_loading for tool in listed.values())
    loaded = list(_mentioned(turns, listed)) if late or _changed(turns) else []
    early = [name for name, tool in listed.items() if not tool.defer_loading]
    unseen = [name for name, tool in listed.items() if tool.defer_loading and name not in loaded]
    order = dict.fromkeys([*(name for name in before if name in listed), *early, *unseen, *loaded])
    return [listed[name] for name in order]


def _changed(turns: Iterable[Turn]) -> bool:
    said = [turn for turn in turns if turn.role == "system"]
    return any(block.type == "tool_addition" for turn in said for block in turn.blocks)


def _mentioned(turns: Iterable[Turn], listed: dict[str, Tool]) -> Iterable[str]:
    """Deferred tools by first reference; a definition inside the conversation joins `listed`."""
    for turn in turns:
        for block in turn.blocks:
            for name in _named(block, listed):
                if name in listed and listed[name].defer_loading:
                    yield name


def _named(block: Block, listed: dict[str, Tool]) -> Iterable[str]:
    if block.type == "tool_reference":
        return [block.tool_name or block.name or ""]
    if block.type == "tool_result" and b'"tool_reference"' in bytes(block.content):
        return [name for inner in _inside(block) for name in _named(inner, listed)]
    return [_added(block, listed)] if block.type == "tool_addition" else []


def _inside(block: Block) -> list[Block]:
    try:
        return [inner for inner in _blocks.decode(block.content) if inner.type == "tool_reference"]
    except msgspec.DecodeError:
        return []


def _added(block: Block, listed: dict[str, Tool]) -> str:
    try:
        change = _change.decode(block.tool)
    except msgspec.DecodeError:
        return ""
    if change.definition is None:
        return change.name or change.tool_name or ""
    if change.definition.name not in listed:
        listed[change.definition.name] = msgspec.structs.replace(change.definition, defer_loading=True)
    return change.definition.name
