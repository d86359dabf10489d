"""Tool definitions and the choice among them."""

import msgspec
from msgspec import Raw, Struct

from ...wire.anthropic import Tool, ToolChoice
from .items import encode
from .losses import Losses
from .malformed import Malformed
from .names import Names
from .schema import ToolFacts, parameters
from .trained import defined

SEARCH = "web_search_"
_location = msgspec.json.Decoder(dict[str, Raw])
LOCATION_KEYS = ("city", "region", "country", "timezone")


class WebSearch(Struct, frozen=True):
    """The hosted search that the client asked for. The backend knows no `blocked` and no `max_uses`: they are facts for
    the response side."""

    name: str
    max_uses: int | None = None
    allowed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()


class Tools(Struct):
    """The tools of a request. `functions` are the backend's definitions in order, `search` the hosted one."""

    functions: list[bytes]
    facts: dict[str, ToolFacts]
    order: tuple[str, ...]
    search: WebSearch | None = None
    hosted: bytes = b""


def is_search(tool: Tool) -> bool:
    return tool.type is not None and tool.type.startswith(SEARCH)


def define(tools: list[Tool], names: Names, losses: Losses) -> Tools:
    made = Tools([], {}, tuple(tool.name for tool in tools))
    for tool in tools:
        if known := tool if tool.type in (None, "custom") else defined(tool):
            _define(known, made, names, losses)
        elif not is_search(tool):
            losses.add(f"tool.{str(tool.type)[:60]}")
        elif made.search is None:
            made.search, made.hosted = _search(tool)
    return made


def _define(tool: Tool, made: Tools, names: Names, losses: Losses) -> None:
    try:
        schema, facts = parameters(bytes(tool.input_schema))
    except Malformed as error:
        raise error.under(f"tools[{names.wire(tool.name)}]") from None
    if tool.strict:
        losses.add("tool.strict")
    if bytes(tool.input_examples):
        losses.add("tool.input_examples")
    description = bytes(tool.description)
    made.facts[tool.name] = facts
    made.functions.append(
        b'{"type":"function","name":"%b",%b"strict":false,"parameters":%b}'
        % (
            names.wire(tool.name).encode(),
            b'"description":%b,' % description if description[:1] == b'"' else b"",
            schema,
        )
    )


def _search(tool: Tool) -> tuple[WebSearch, bytes]:
    allowed, blocked = tuple(tool.allowed_domains or ()), tuple(tool.blocked_domains or ())
    hosted: dict[str, object] = {"type": "web_search", "external_web_access": True}
    if allowed:
        hosted["filters"] = {"allowed_domains": allowed}
    if location := _location_of(tool):
        hosted["user_location"] = location
    return WebSearch(tool.name or "web_search", tool.max_uses, allowed, blocked), encode(hosted)


def _location_of(tool: Tool) -> dict[str, Raw]:
    if bytes(tool.user_location)[:1] != b"{":
        return {}
    given = _location.decode(tool.user_location)
    known = {key: given[key] for key in LOCATION_KEYS if key in given and bytes(given[key]) != b"null"}
    return {"type": Raw(b'"approximate"'), **known}


def is_forced(choice: ToolChoice | None) -> bool:
    """Anything but "auto" is only known to work on the full lane."""
    return choice is not None and choice.type in ("any", "tool", "none")


def check_choice(choice: ToolChoice | None, tools: list[Tool]) -> None:
    if choice is None:
        return
    if choice.type not in ("auto", "any", "tool", "none"):
        raise Malformed("tool_choice.type", 'must be "auto", "any", "tool" or "none"')
    if choice.type == "tool" and not any(tool.name == choice.name for tool in tools):
        raise Malformed("tool_choice.name", f"names {choice.name!r}, which is not among the tools")
    if choice.type == "any" and not tools:
        raise Malformed("tool_choice", "asks for a tool, but there are no tools")


def choice_of(choice: ToolChoice | None, made: Tools, names: Names) -> bytes:
    """The backend's tool_choice on the full lane."""
    if choice is None or not is_forced(choice) or not (made.functions or made.hosted):
        return b'"auto"'
    if choice.type == "any":
        return b'"required"'
    if choice.type == "none":
        return b'"none"'
    if made.search is not None and choice.name == made.search.name:
        return b'{"type":"web_search"}'
    if choice.name not in made.facts:  # a tool of another maker, left out
        return b'"auto"'
    return b'{"type":"function","name":"%b"}' % names.wire(choice.name).encode()


def urging(choice: ToolChoice | None, made: Tools, names: Names) -> list[str]:
    """What is said instead where the lane knows only "auto"."""
    if choice is None or choice.type == "auto" or (choice.type == "tool" and choice.name not in made.facts):
        return []
    if choice.type == "none":
        return ["Answer in text. Call no tool in this turn."]
    which = f"the tool {names.wire(choice.name or '')}" if choice.type == "tool" else "one of the tools"
    return [f"Call {which} now, without any text before it."]
