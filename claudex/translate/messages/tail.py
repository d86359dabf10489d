"""The end of the body: what may differ from one turn to the next."""

from typing import Any

import msgspec
from msgspec import Struct

from ...wire.catalog import ModelInfo
from .decode import Request
from .items import encode
from .losses import Losses
from .malformed import Malformed
from .names import Names
from .route import Route
from .schema import qualifies
from .tools import Tools, choice_of


class Options(Struct, frozen=True):
    """The user's settings. `image_budget` is the request size in bytes above which old images give way."""

    lane: str = "auto"
    summary: str = "auto"
    verbosity: str = "auto"
    service_tier: str = ""
    strict: bool = False
    image_budget: int = 24 << 20


def tail(request: Request, way: Route, tools: Tools, names: Names, options: Options, losses: Losses) -> bytes:
    choice = request.wire.tool_choice
    parallel = way.lane == "full" and not (choice is not None and choice.disable_parallel_tool_use)
    fields = {
        "tool_choice": msgspec.Raw(choice_of(choice, tools, names) if way.lane == "full" else b'"auto"'),
        "parallel_tool_calls": parallel,
        "reasoning": _reasoning(request, way, options.summary),
        "text": _text(request, way.info, options.verbosity, losses),
        "service_tier": _tier(way.info, options.service_tier),
    }
    return b"]," + encode({name: value for name, value in fields.items() if value not in (None, {})})[1:]


def _reasoning(request: Request, way: Route, summary: str) -> dict[str, str]:
    """Summaries cost time and tokens, and come only when asked for: so only where the client shows thinking."""
    reasoning = {"effort": way.effort} if way.effort else {}
    if summary != "none" and request.display in ("summarized", "updates"):
        reasoning["summary"] = summary
    if way.lane == "lite":
        reasoning["context"] = "all_turns"
    return reasoning


def _text(request: Request, info: ModelInfo, verbosity: str, losses: Losses) -> dict[str, Any]:
    chosen = info.default_verbosity if verbosity == "auto" else verbosity
    text: dict[str, Any] = {"verbosity": chosen} if chosen and info.support_verbosity else {}
    if request.format is not None:
        text["format"] = _format(request, losses)
    return text


def _format(request: Request, losses: Losses) -> dict[str, Any]:
    wanted = request.format
    if wanted is None or wanted.type != "json_schema":
        raise Malformed("output_config.format.type", 'must be "json_schema"')
    data = bytes(wanted.schema)
    if data[:1] != b"{":
        raise Malformed("output_config.format.schema", "must be an object")
    schema = msgspec.json.decode(data)
    schema.pop("$schema", None)
    strict = qualifies(schema)
    if not strict:
        losses.add("repaired.schema_not_strict")
    return {"type": "json_schema", "strict": strict, "schema": schema, "name": "output"}


def _tier(info: ModelInfo, tier: str) -> str | None:
    """A tier that the model does not list is left out, as the official client does; it lets `flex` through."""
    return tier if tier == "flex" or any(tier == one.id for one in info.service_tiers) else None
