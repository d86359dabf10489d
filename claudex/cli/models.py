"""`claudex self models`: the catalog; `models set` changes the map in the env file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..codex.catalog import Catalog
from ..errors import ClaudexError
from ..files import write_private
from ..home.edit import set_values
from ..home.slots import SLOTS, Slot, smallest_window, variable
from ..wire.catalog import ModelInfo
from . import envview, render
from .place import Place

if TYPE_CHECKING:
    from rich.console import RenderableType

WINDOWS = ("CLAUDE_CODE_MAX_CONTEXT_TOKENS", "CLAUDE_CODE_AUTO_COMPACT_WINDOW")


class UnknownChoice(ClaudexError):
    """A slot, model or effort that does not exist: wrong usage."""

    exit_code = 2


@dataclass(frozen=True)
class Model:
    """Windows in tokens; `max_window` is what the backend could do, not what is in effect."""

    slug: str
    name: str
    window: int
    max_window: int | None
    efforts: list[str]
    default_effort: str | None
    lane: str
    tiers: list[str]
    listed: bool
    slots: list[str]


@dataclass(frozen=True)
class Models:
    source: str
    models: list[Model]


@dataclass(frozen=True)
class Changed:
    """`window` is what claude will believe in from now on; `shadowed` names variables of your shell that still win."""

    slot: str
    model: str
    effort: str | None
    env_file: str
    window: int | None
    shadowed: list[str]


def run(place: Place) -> Models:
    catalog = Catalog.load(place.home)
    try:
        mapped = envview.model_map(place, envview.values(place))
    except ClaudexError:
        mapped = {}
    slots: dict[str, list[str]] = {}
    for slot, entry in mapped.items():
        slots.setdefault(entry.model, []).append(slot)
    return Models(catalog.source, [_model(info, slots.get(info.slug, [])) for info in catalog.models.values()])


def _model(info: ModelInfo, slots: list[str]) -> Model:
    return Model(
        slug=info.slug,
        name=info.display_name,
        window=info.context_window,
        max_window=info.max_context_window,
        efforts=info.efforts,
        default_effort=info.default_reasoning_level,
        lane=info.lane,
        tiers=[tier.id for tier in info.service_tiers],
        listed=info.visibility == "list",
        slots=slots,
    )


def set_slot(place: Place, slot: str, model: str, effort: str | None) -> Changed:
    """Edit the env file in place, atomically. Raises UnknownChoice before anything is written."""
    catalog = Catalog.load(place.home).models
    chosen = _checked(catalog, slot, model, effort)
    environment = envview.model_map(place, envview.values(place) | {variable(slot): chosen.value})
    window = smallest_window([entry.model for entry in environment.values()], list(catalog.values()))
    changes = {variable(slot): chosen.value}
    if window is not None:
        changes |= dict.fromkeys(WINDOWS, str(window))
    text = set_values(envview.read(place), changes, place.env_file)
    write_private(place.env_file, os.fsencode(text))
    after = envview.values(place)
    shadowed = [name for name, value in changes.items() if after.get(name) != value]
    return Changed(slot, chosen.model, chosen.effort, place.env_file, window, shadowed)


def _checked(catalog: dict[str, ModelInfo], slot: str, model: str, effort: str | None) -> Slot:
    if slot not in SLOTS:
        raise UnknownChoice(f"there is no slot {slot!r}: choose {_list(SLOTS)}.")
    if model.endswith(")") and "(" in model and effort is None:
        model, effort = model[:-1].split("(", 1)
    info = catalog.get(model)
    if info is None:
        raise UnknownChoice(f"the catalog has no model {model!r}: choose {_list(catalog)}.")
    if effort is not None and effort not in info.efforts:
        raise UnknownChoice(f"{model} has no effort {effort!r}: choose {_list(info.efforts) or 'none'}.")
    return Slot(slot, model, effort)


def _list(names: Iterable[str]) -> str:
    words = list(names)
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def view(result: Models) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    table = render.grid("model", "window", "efforts (default*)", "lane", "tiers", "slots", right=("window",))
    for model in result.models:
        efforts = " ".join(f"{effort}*" if effort == model.default_effort else effort for effort in model.efforts)
        slots = Text(" ".join(model.slots), style="green")
        row = (model.slug, render.count(model.window), efforts, model.lane, " ".join(model.tiers) or "-", slots)
        table.add_row(*row, style=None if model.listed else "dim")
    origin = {
        "live": "live catalog",
        "cache": "catalog of the last session",
        "embedded": "catalog that came with claudex",
    }
    return Group(Text(origin[result.source], style="dim"), table)


def view_changed(result: Changed) -> RenderableType:
    effort = f" at effort {result.effort}" if result.effort else ", effort as asked"
    lines = [f"{result.slot} is now {result.model}{effort} in {result.env_file}"]
    if result.window:
        lines.append(f"claude's window: {result.window:,} tokens, the smallest of the mapped models")
    if result.shadowed:
        lines.append(f"! your shell still sets {', '.join(result.shadowed)}, which wins over the file")
    lines.append("It holds from the next `claudex`; a running claude keeps what it has.")
    return "\n".join(lines)
