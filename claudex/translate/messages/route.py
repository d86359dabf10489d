"""Which model and which lane of the backend a request goes to. Needs no login and touches no content."""

from collections.abc import Mapping

from msgspec import Struct

from ...wire.catalog import Lane, ModelInfo
from ..models import Target, clamp, default_model
from .decode import Request
from .tools import is_forced, is_search


class Route(Struct, frozen=True):
    """`lanes` are those that can carry the request at all, best first; `note` says what was changed, or nothing."""

    info: ModelInfo
    effort: str | None
    lane: Lane
    lanes: tuple[Lane, ...]
    note: str = ""


def route(
    request: Request,
    *,
    target: Target,
    lane: Lane | None = None,
    setting: str = "auto",
    catalog: Mapping[str, ModelInfo] | None = None,
) -> Route:
    """The caller's lane wins, then the setting, then what the request needs, then the model's own flag.

    Hosted search and a forced tool choice work on the full lane only, where the Luna models are not found: a search for
    Luna goes to its sibling Sol, a forced choice stays and is said in words.
    """
    info, note = target.info, ""
    searching = any(is_search(tool) for tool in request.tools)
    if searching and "luna" in info.slug:
        info = _sibling(info, catalog or {})
        note = f"{target.slug} cannot search the web: {info.slug} answered." if info.slug != target.slug else ""
    needed = _needed(request, info, searching)
    chosen: Lane = lane or ("full" if setting == "full" else "lite" if setting == "lite" else needed)
    other: Lane = "lite" if chosen == "full" else "full"
    lanes: tuple[Lane, ...] = ("full",) if searching and chosen == "full" else (chosen, other)
    effort = target.effort if info is target.info else clamp(target.effort, info)
    return Route(info, effort, chosen, lanes, note)


def _needed(request: Request, info: ModelInfo, searching: bool) -> Lane:
    if searching:
        return "full"
    if request.tools and is_forced(request.wire.tool_choice) and "luna" not in info.slug:
        return "full"
    return info.lane


def _sibling(info: ModelInfo, catalog: Mapping[str, ModelInfo]) -> ModelInfo:
    """The Sol of the same generation, else the best model that can be found on the full lane."""
    if found := catalog.get(info.slug.replace("luna", "sol")):
        return found
    rest = {slug: other for slug, other in catalog.items() if "luna" not in slug}
    return default_model(rest) if rest else info
