"""An Anthropic Messages request into a Responses request of the Codex backend.

The body is built from the backend's own list of fields, in one fixed order: what stays the same through a session, the
tools, the conversation, and last what may change from turn to turn. So the body of a turn begins with that of the turn
before it, as far as the client's own history does.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from itertools import accumulate, islice
from uuid import UUID, uuid5

from msgspec import Struct

from ...wire.catalog import Lane, ModelInfo
from ..models import Target
from . import assistant, content, limits, trim
from .decode import Display, Request, Turn, decode
from .fields import LOST
from .items import Context, Said, encode, input_text, message
from .losses import Losses
from .malformed import Malformed
from .names import Names
from .order import ordered
from .pairing import Pairing
from .route import Route, route
from .schema import ToolFacts
from .tail import Options, tail
from .tools import Tools, WebSearch, check_choice, define, is_forced, urging

__all__ = ["Options", "Upstream", "decode", "route", "translate"]

NAMESPACE = UUID("6f0d3f4e-52f5-4c0e-9a3b-0d2b9f3c6a11")
GO_ON = "Continue your last message exactly where it ends. Repeat nothing of it."
NO_SEARCH = "Web search is not available for this request. Say so instead of answering from memory."
NOTHING = "(empty message)"

# Of which an item is made.
PIECES = 3


class Upstream(Struct, frozen=True):
    """A request ready to be sent, and what the response side, the client of the backend and the ledger must know of it.

    `info` is the model really asked; `lanes` those that can carry this request, best first. `names` and `tools` (by the
    client's names) turn calls back. `marks` are (end offset in `body`, label) of the tools and each input item;
    those labelled "claudex" stand for this turn only.
    `stream`, `requested_model` and `display` are the client's own. `output_cap` is to be enforced here, as are
    `stop_sequences` and what `search` forbids. `turn` is the same through one tool loop. `replayed` counts reasoning
    items that went back. `safeguards`: the client waits for verdicts that nobody gives.
    """

    body: bytes
    info: ModelInfo
    effort: str | None
    lane: Lane
    lanes: tuple[Lane, ...]
    names: Names
    tools: dict[str, ToolFacts]
    stop_sequences: tuple[str, ...]
    output_cap: int | None
    losses: Counter[str]
    notes: tuple[str, ...]
    marks: list[tuple[int, str]]
    stream: bool
    requested_model: str
    session_id: str
    cache_key: str
    turn: str
    search: WebSearch | None
    structured: bool
    display: Display
    safeguards: bool
    tool_order: tuple[str, ...]
    replayed: int


def translate(
    request: Request | bytes,
    *,
    target: Target,
    account_tag: str = "",
    lane: Lane | None = None,
    strip_reasoning: bool = False,
    session: str = "",
    agent: str = "",
    client: str = "",
    options: Options | None = None,
    catalog: Mapping[str, ModelInfo] | None = None,
    tool_order: Sequence[str] = (),
) -> Upstream:
    """Translate for one account and lane; a retry on another calls it again. Raises BadRequest.

    `session`, `agent` and `client` are the headers X-Claude-Code-Session-Id, x-claude-code-agent-id and User-Agent;
    `tool_order` is the `tool_order` of the session's last request, if anyone remembers it.
    """
    request = decode(request) if isinstance(request, bytes) else request
    options = options or Options()
    way = route(request, target=target, lane=lane, setting=options.lane, catalog=catalog)
    losses = Losses(options.strict)
    _count_fields(request, losses)
    turns = _lightened(request, options, losses)
    sees = "image" in way.info.input_modalities
    ctx = Context(_names(request), losses, account_tag.encode(), strip_reasoning, sees, way.info.slug)
    check_choice(request.wire.tool_choice, request.tools)
    tools = define(ordered(request.tools, turns, tool_order), ctx.names, losses)
    items = _input(request, turns, tools, way, ctx)
    session = session or request.session or _first_words(request)
    key = cache_key(session, agent)
    end = tail(request, way, tools, ctx.names, options, losses)
    return _upstream(
        request,
        way,
        ctx,
        tools,
        sent=_body(_head(way, key), tools, items, end, way),
        keys=(session, key, _turn_key(key, turns)),
        client=client,
        notes=_notes(request, target, way),
    )


def _upstream(
    request: Request,
    way: Route,
    ctx: Context,
    tools: Tools,
    *,
    sent: tuple[bytes, list[tuple[int, str]]],
    keys: tuple[str, str, str],
    client: str,
    notes: tuple[str, ...],
) -> Upstream:
    stops = tuple(request.wire.stop_sequences or ())
    return Upstream(
        body=sent[0],
        marks=sent[1],
        session_id=keys[0],
        cache_key=keys[1],
        turn=keys[2],
        info=way.info,
        effort=way.effort,
        lane=way.lane,
        lanes=way.lanes,
        names=ctx.names,
        losses=ctx.losses.counts,
        replayed=ctx.replayed,
        tools=tools.facts,
        tool_order=tools.order,
        search=tools.search if way.lane == "full" else None,
        stop_sequences=stops,
        output_cap=limits.output_cap(request.wire.max_tokens, client=client, stop_sequences=stops),
        notes=notes,
        stream=request.stream,
        requested_model=request.model,
        structured=request.format is not None,
        display=request.display,
        safeguards=bytes(request.wire.safeguards) not in (b"", b"null", b"[]"),
    )


def _lightened(request: Request, options: Options, losses: Losses) -> Sequence[Turn]:
    turns, left_out = trim.trimmed(request.turns, request.size, options.image_budget)
    if left_out:
        losses.add("image.trimmed", left_out)
    return turns


def cache_key(session: str, agent: str = "") -> str:
    """The session as the backend's cache knows it: a UUID, another one for each subagent."""
    try:
        known = str(UUID(session))
    except ValueError:
        known = str(uuid5(NAMESPACE, session))
    return str(uuid5(NAMESPACE, f"{known}:{agent}")) if agent else known


def _turn_key(key: str, turns: Sequence[Turn]) -> str:
    """The same through one tool loop. A session's side calls (titles, verdicts) begin at their first message as its
    conversation does, so the prompt's own words belong to the key."""
    place = trim.prompt_of(turns)
    words = b"\n".join(bytes(block.text) for block in turns[place].blocks) if turns else b""
    return f"{key}:{place}:{blake2b(words, digest_size=6).hexdigest()}"


def _first_words(request: Request) -> str:
    """A client without sessions still begins each conversation with the same words."""
    first = next((turn for turn in request.turns if turn.role == "user"), request.turns[0])
    return str(uuid5(NAMESPACE, b"\0".join(bytes(block.text) for block in first.blocks).decode()))


def _names(request: Request) -> Names:
    called = {block.name for turn in request.turns for block in turn.blocks}
    return Names(name for name in called.union(tool.name for tool in request.tools) if name)


def _count_fields(request: Request, losses: Losses) -> None:
    for name in LOST:
        value = bytes(getattr(request.wire, name))
        if value and value not in LOST[name]:
            losses.add(f"field.{name}")
    if b'"clear_tool_uses' in (edits := bytes(request.wire.context_management)) or b'"compact_' in edits:
        losses.add("field.context_management")
    if request.unknown:
        losses.add("field.unknown", len(request.unknown))


def _notes(request: Request, target: Target, way: Route) -> tuple[str, ...]:
    unknown = f"Unknown fields ignored: {', '.join(request.unknown)[:200]}." if request.unknown else ""
    return tuple(note for note in (target.note, way.note, unknown) if note)


def _input(request: Request, turns: Sequence[Turn], tools: Tools, way: Route, ctx: Context) -> list[Said]:
    pairing = Pairing(ctx.losses)
    pairing.other(content.developer(request.system, ctx))
    pairing.flush()
    for place, turn in enumerate(turns):
        try:
            if turn.role == "assistant":
                pairing.assistant(assistant.turn(turn, ctx))
            else:
                pairing.other(content.turn(turn, ctx))
        except Malformed as error:
            raise error.under(f"messages[{place}]") from None
    pairing.flush()
    items = pairing.items or [message("user", [input_text(NOTHING)])]
    return items + [_aside(text) for text in _urgings(request, tools, way, items, ctx)]


def _urgings(request: Request, tools: Tools, way: Route, items: list[Said], ctx: Context) -> list[str]:
    """What the backend has no field for and the model is told instead, at the very end."""
    said = [GO_ON] if items[-1].label == "assistant" and not request.continued else []
    if way.lane == "lite" and tools.search is not None:
        ctx.losses.add("tool.web_search")
        said.append(NO_SEARCH)
    elif way.lane == "lite" and tools.functions and is_forced(request.wire.tool_choice):
        said += urging(request.wire.tool_choice, tools, ctx.names)
    return said


def _aside(text: str) -> Said:
    """Only for this turn: the next one will not begin with it."""
    return Said(message("developer", [input_text(text)]).data, "claudex")


def _head(way: Route, key: str) -> bytes:
    return (
        b'{"model":%b,"stream":true,"store":false,"include":["reasoning.encrypted_content"],"prompt_cache_key":"%b"'
        % (encode(way.info.slug), key.encode())
    )


def _body(head: bytes, tools: Tools, items: list[Said], end: bytes, way: Route) -> tuple[bytes, list[tuple[int, str]]]:
    """One join; the marks fall out of the lengths."""
    opening = [head, *_tool_pieces(tools, way)]
    offset = sum(map(len, opening))
    marks = [(offset, "tools")] if tools.functions or tools.hosted else []
    pieces = [piece for item in items for piece in item.data]
    if not (way.lane == "lite" and tools.functions):
        pieces[0] = pieces[0][1:]  # no comma before the first item
    ends = accumulate(map(len, pieces), initial=offset)
    marks += zip(islice(ends, PIECES, None, PIECES), [item.label for item in items], strict=True)
    return b"".join([*opening, *pieces, end]), marks


def _tool_pieces(tools: Tools, way: Route) -> list[bytes]:
    """The Lite lane takes functions as the first input item, the full lane any tool as a field."""
    functions = b",".join(tools.functions)
    if way.lane == "lite":
        if not functions:
            return [b',"input":[']
        return [b',"input":[{"type":"additional_tools","role":"developer","tools":[', functions, b"]}"]
    every = b",".join(part for part in (functions, tools.hosted) if part)
    return [b',"tools":[', every, b'],"input":['] if every else [b',"input":[']
