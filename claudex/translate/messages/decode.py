"""A request body, decoded once: typed, checked, with every string content as one text block."""

import re
from codecs import utf_8_decode
from typing import Literal, TypeVar

import msgspec
from msgspec import DecodeError, Raw, Struct, ValidationError

from ...errors import BadRequest
from ...wire.anthropic import Block, Message, MessagesRequest, OutputFormat, Tool
from . import limits
from .malformed import Malformed, join

T = TypeVar("T")
Display = Literal["off", "summarized", "omitted", "updates"]
ROLES = ("user", "assistant", "system")

# Claude Code's attribution line: its hash differs between sessions and would cost every cache hit.
BILLING = b'"x-anthropic-billing-header'

# Small enough for its decoded text to stay in the processor's cache.
PIECE = 32 << 10
QUOTE, BRACKET, NULL = b'"[n'

_request = msgspec.json.Decoder(MessagesRequest)
_known_keys = frozenset(MessagesRequest.__struct_fields__)
_blocks = msgspec.json.Decoder(list[Block])
_members = msgspec.json.Decoder(dict[str, Raw])

# An escaped surrogate, with the pair it may belong to. What stands before is an even number of backslashes.
_SURROGATE = re.compile(
    rb"(?<!\\)((?:\\\\)*)(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_EXPECTED = re.compile(r"Expected `([^`]+)`(?:, got `[^`]+`)?(?: - at `\$(.*)`)?")
_MISSING = re.compile(r"Object missing required field `([^`]+)`(?: - at `\$(.*)`)?")
_NOUNS = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "str | array": "a string or a list of blocks",
}


class Turn(Struct, gc=False):
    role: str
    blocks: list[Block]


class Request(Struct, gc=False):
    """What the client asked. Read-only: translate it as often as needed.

    `system` holds no billing line; `unknown` names top-level keys that nobody knows; `session` is the id inside
    metadata.user_id, or empty; `effort` is the client's word, not yet clamped; `continued`: the last turns are what the
    model has said of this very answer.
    """

    wire: MessagesRequest
    system: list[Block]
    turns: list[Turn]
    tools: list[Tool]
    unknown: tuple[str, ...]
    session: str
    effort: str | None
    display: Display
    size: int
    continued: bool = False

    @property
    def model(self) -> str:
        return self.wire.model

    @property
    def format(self) -> OutputFormat | None:
        """Structured output, by today's field or the beta's first one."""
        config = self.wire.output_config
        return (config.format if config is not None else None) or self.wire.output_format

    @property
    def stream(self) -> bool:
        return bool(self.wire.stream)


def decode(body: bytes) -> Request:
    """Decode a body of /v1/messages or /v1/messages/count_tokens. Raises BadRequest that names the place."""
    _check_utf8(body)
    wire, unknown = _top(body.removeprefix(b"\xef\xbb\xbf"))
    if not wire.model:
        raise BadRequest("model must not be empty")
    if not wire.messages:
        raise BadRequest("messages must hold at least one message")
    if wire.max_tokens is not None and wire.max_tokens < 1:
        raise BadRequest("max_tokens must be at least 1")
    system = [block for block in blocks(wire.system, "system") if memoryview(block.text)[: len(BILLING)] != BILLING]
    return Request(
        wire=wire,
        system=system,
        turns=_turns(wire.messages),
        tools=_tools(wire.tools or []),
        unknown=unknown,
        session=limits.session_of(bytes(wire.metadata)),
        effort=limits.effort_of(wire),
        display=_display(wire),
        size=len(body),
    )


def blocks(content: Raw, path: str) -> list[Block]:
    """The blocks of a content that may be a string, a list or absent (null counts as absent)."""
    head = memoryview(content)[0] if len(content) else NULL
    if head == BRACKET:
        return typed(_blocks, content, path)
    if head == QUOTE:
        return [Block("text", text=content)]
    if head == NULL:
        return []
    raise Malformed(path, "must be a string or a list of blocks")


def typed(decoder: "msgspec.json.Decoder[T]", data: bytes | Raw, path: str) -> T:
    """Decode a part of the request; a wrong shape is told with its path."""
    try:
        return decoder.decode(data)
    except ValidationError as error:
        raise explain(str(error), path) from error
    except DecodeError as error:
        raise Malformed(path, f"is not valid JSON: {error}") from error
    except RecursionError as error:
        raise Malformed(path, "is nested too deeply") from error


def explain(error: str, base: str) -> Malformed:
    """msgspec's words as a sentence: ``messages[3].content[0].text must be a string``."""
    if match := _MISSING.match(error):
        return Malformed(join(join(base, (match[2] or "").lstrip(".")), match[1]), "is required")
    if match := _EXPECTED.match(error):
        names = [match[1]] if match[1] in _NOUNS else match[1].split(" | ")
        nouns = [_NOUNS.get(name, name) for name in names if name != "null" or len(names) == 1]
        return Malformed(join(base, (match[2] or "").lstrip(".")), f"must be {' or '.join(nouns)}")
    return Malformed(base, f"is not as expected: {error}")


def _check_utf8(body: bytes) -> None:
    """The decoder does not look into the strings that it skips."""
    if body.isascii():
        return
    whole, start = memoryview(body), 0
    try:
        while start < len(body):
            start += utf_8_decode(whole[start : start + PIECE], "strict", start + PIECE >= len(body))[1]
    except UnicodeDecodeError as error:
        raise Malformed("", f"is not valid UTF-8 (byte {start + error.start})") from error


def _top(body: bytes) -> tuple[MessagesRequest, tuple[str, ...]]:
    try:
        return _request.decode(body), ()
    except ValidationError as error:
        if "unknown field" not in str(error):
            raise explain(str(error), "") from error
    except RecursionError as error:
        raise Malformed("", "is nested too deeply") from error
    except DecodeError:
        body = without_lone_surrogates(body)
    members = typed(_members, body, "")
    known = {key: value for key, value in members.items() if key in _known_keys}
    return typed(_request, msgspec.json.encode(known), ""), tuple(sorted(members.keys() - known.keys()))


def without_lone_surrogates(body: bytes) -> bytes:
    """The decoder refuses an escaped half of a pair, which no UTF-8 text can hold: U+FFFD, as a browser would do."""
    return _SURROGATE.sub(lambda found: found[1] + (found[2] if len(found[2]) == 12 else b"\\ufffd"), body)


def _turns(messages: list[Message]) -> list[Turn]:
    turns: list[Turn] = []
    for message in messages:
        if message.role not in ROLES:
            raise BadRequest(f'messages[{len(turns)}].role must be "user", "assistant" or "system"')
        content = message.content
        turns.append(Turn(message.role, _text(content) if isinstance(content, str) else content))
    return turns


def _text(words: str) -> list[Block]:
    return [Block("text", text=Raw(msgspec.json.encode(words)))]


def _tools(tools: list[Tool]) -> list[Tool]:
    for place, tool in enumerate(tools):
        if not tool.name and tool.type in (None, "custom"):
            raise Malformed(f"tools[{place}].name", "is required")
    return tools


def _display(wire: MessagesRequest) -> Display:
    thinking = wire.thinking
    if thinking is None or thinking.type == "disabled":
        return "off"
    if thinking.display == "omitted":
        return "omitted"
    return "updates" if thinking.display == "updates" else "summarized"
