"""User and system turns: content blocks into parts of a message, tool results apart."""

from collections.abc import Callable

import msgspec
from msgspec import Raw

from ...wire.anthropic import Block, SearchHit, ToolChange
from . import media
from .decode import Turn, blocks, typed
from .items import (
    EMPTY,
    INPUT_TEXT,
    Context,
    Item,
    Result,
    encode,
    input_text,
    is_empty,
    is_string,
    message,
    not_carried,
    note,
    spoken,
    string,
)
from .malformed import Malformed

ERROR_LINE = "[tool error]"
_change = msgspec.json.Decoder(ToolChange)
_hits = msgspec.json.Decoder(list[SearchHit] | SearchHit)


def turn(turn: Turn, ctx: Context) -> list[Item]:
    """The results in a user's or system's turn, then one message with everything else."""
    results: list[Item] = []
    said: list[bytes] = []
    for place, block in enumerate(turn.blocks):
        try:
            if block.type == "tool_result" and turn.role == "user":
                outcome, aside = result(block, ctx)
                results.append(outcome)
                said += aside
            elif turn.role == "user":
                said += parts(block, ctx)
            else:
                said += _texts(block, ctx)
        except Malformed as error:
            raise error.under(f"content[{place}]") from None
    if said:
        results.append(message("user" if turn.role == "user" else "developer", said))
    return results


def developer(system: list[Block], ctx: Context) -> list[Item]:
    """The system prompt as the first message; `instructions` is not sent, as the official client does not either."""
    try:
        return turn(Turn("system", system), ctx)
    except Malformed as error:
        raise Malformed(error.path.replace("content", "system", 1), error.why) from None


def parts(block: Block, ctx: Context) -> list[bytes]:
    """The parts for any block but a tool result; one bracketed line for what cannot be carried."""
    if carry := CARRIED.get(block.type):
        return carry(block, ctx)
    ctx.losses.add(f"block.{block.type[:60]}")
    return [input_text(not_carried(block.type))]


def _texts(block: Block, ctx: Context) -> list[bytes]:
    """A developer message holds text only."""
    found = parts(block, ctx)
    if all(part.startswith(INPUT_TEXT) for part in found):
        return found
    ctx.losses.add(f"system.{block.type[:60]}")
    return [input_text(not_carried(block.type))]


def result(block: Block, ctx: Context) -> tuple[Result, list[bytes]]:
    """A tool result, and what of it must stand beside it: an output holds text and images, but no file."""
    if not block.tool_use_id:
        raise Malformed("tool_use_id", "is required")
    if is_string(block.content):
        return Result(block.tool_use_id, _marked(block.content, block.is_error)), []
    inner = blocks(block.content, "content")
    if inner and all(one.type == "tool_reference" for one in inner):
        return Result(block.tool_use_id, _marked(encode(_loaded(inner, ctx)), block.is_error)), []
    inside, aside = _inside(inner, block.tool_use_id, ctx)
    return Result(block.tool_use_id, _output(inside, block.is_error)), aside


def _inside(inner: list[Block], call: str, ctx: Context) -> tuple[list[bytes], list[bytes]]:
    inside: list[bytes] = []
    aside: list[bytes] = []
    for place, block in enumerate(inner):
        try:
            carried = parts(block, ctx)
        except Malformed as error:
            raise error.under(f"content[{place}]") from None
        if any(part.startswith(b'{"type":"input_file"') for part in carried):
            inside.append(input_text(note("a document of this result follows in the next user message")))
            aside += [input_text(note(f"document from the result of tool call {call[:64]}")), *carried]
        else:
            inside += carried
    return inside, aside


def _output(inside: list[bytes], is_error: bool | None) -> bytes | Raw:
    """One text stands for itself, so that the string and the block form of a result give the same bytes."""
    if not inside:
        return _marked(EMPTY, is_error)
    if len(inside) == 1 and inside[0].startswith(INPUT_TEXT):
        return _marked(inside[0][len(INPUT_TEXT) : -1], is_error)
    return b"[%b]" % b",".join([input_text(ERROR_LINE), *inside] if is_error else inside)


def _marked(text: bytes | Raw, is_error: bool | None) -> bytes | Raw:
    """The backend has no error flag, so a first line says it."""
    if not is_error:
        return text
    return b'"[tool error]"' if is_empty(text) else b'"[tool error]\\n%b' % bytes(text)[1:]


def _loaded(references: list[Block], ctx: Context) -> str:
    return "loaded: " + ", ".join(ctx.names.wire(one.tool_name or one.name or "") for one in references)


def _text(block: Block, ctx: Context) -> list[bytes]:
    text = string(block.text, "text")
    return [] if is_empty(text) else [b"%b%b}" % (INPUT_TEXT, text)]


def _tool_reference(block: Block, ctx: Context) -> list[bytes]:
    return [input_text(_loaded([block], ctx))]


def _search_result(block: Block, ctx: Context) -> list[bytes]:
    inner = [part for one in blocks(block.content, "content") for part in parts(one, ctx)]
    return [input_text(f"[search result: {spoken(block.title)}, {spoken(block.source)}]"), *inner]


def _tool_change(block: Block, ctx: Context) -> list[bytes]:
    change = typed(_change, block.tool, "tool") if len(block.tool) else ToolChange()
    name = change.definition.name if change.definition else change.name or change.tool_name or ""
    word = "added" if block.type == "tool_addition" else "removed"
    return [input_text(f"tool {word}: {ctx.names.wire(name)}")]


def searched(block: Block) -> str:
    """A hosted search that was replayed: what was asked."""
    try:
        query = msgspec.json.decode(block.input, type=dict[str, Raw]).get("query", Raw(b""))
    except msgspec.DecodeError:
        return "[web search]"
    return f"[web search: {spoken(query)}]"


def found(block: Block) -> str:
    """A hosted search that was replayed: titles and addresses; the pages themselves only their own backend can read."""
    try:
        hits = _hits.decode(block.content)
    except msgspec.DecodeError:
        return "[web search results]"
    if isinstance(hits, SearchHit):
        return f"[web search failed: {hits.error_code or 'unknown'}]"
    return "\n".join(["[web search results]", *(f"- {hit.title or ''}: {hit.url or ''}" for hit in hits)])


CARRIED: dict[str, Callable[[Block, Context], list[bytes]]] = {
    "text": _text,
    "image": media.image,
    "document": media.document,
    "search_result": _search_result,
    "tool_reference": _tool_reference,
    "tool_addition": _tool_change,
    "tool_removal": _tool_change,
    "web_search_tool_result": lambda block, ctx: [input_text(found(block))],
}
