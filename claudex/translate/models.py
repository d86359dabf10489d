"""Model names: what a client may call a model, which model that is, and with how much effort it thinks."""

import re
from collections.abc import Container, Mapping
from typing import Literal

from msgspec import Struct

from ..wire.catalog import EFFORTS, ModelInfo

Slot = Literal["opus", "sonnet", "haiku"]
Policy = Literal["auto", "slot", "client"]

SLOTS: tuple[Slot, ...] = ("opus", "sonnet", "haiku")
VARIABLES: dict[Slot, str] = {slot: f"ANTHROPIC_DEFAULT_{slot.upper()}_MODEL" for slot in SLOTS}
# Where to look when a slot is not mapped.
_INSTEAD: dict[Slot, tuple[Slot, ...]] = {
    "opus": ("sonnet", "haiku"),
    "sonnet": ("opus", "haiku"),
    "haiku": ("sonnet", "opus"),
}
DEFAULT_ALIAS = "codex-5"

_WORDS = (*EFFORTS, "ultra")
_ONE_MILLION = re.compile(r"\[1m\]", re.IGNORECASE)
_PREFIX = re.compile(r"^(?:codex|openai|anthropic)/")
_IN_BRACKETS = re.compile(r"^(.*?)\(\s*([a-zA-Z]+)\s*\)$")
_SUFFIX = re.compile(rf"^(.+)-({'|'.join(_WORDS)})$")
# "-max" and "-none" also end the names of real models, so they count as an effort only behind a model we know.
_PLAIN_SUFFIX = ("minimal", "low", "medium", "high", "xhigh")


class Choice(Struct, frozen=True):
    """A model and perhaps an effort, as the user wrote them: ``gpt-6.1-sol(xhigh)``."""

    model: str
    effort: str | None = None


ModelMap = dict[Slot, Choice]


class Target(Struct, frozen=True):
    """The model that answers. `effort` is one that it offers, or None to leave it to the backend."""

    slug: str
    effort: str | None
    info: ModelInfo
    slot: Slot | None = None
    note: str = ""


def parse_name(name: str, known: Container[str] = ()) -> Choice:
    """Split a name into model and effort: ``codex/gpt-6.1-sol-high[1m]`` is gpt-6.1-sol at high."""
    name = _PREFIX.sub("", _ONE_MILLION.sub("", name).strip())
    effort = None
    if match := _IN_BRACKETS.match(name):
        name, effort = match[1].strip(), match[2].lower()
    elif name not in known and (match := _SUFFIX.match(name)) and (match[1] in known or match[2] in _PLAIN_SUFFIX):
        name, effort = match[1], match[2]
    return Choice(name, effort)


def model_map(env: Mapping[str, str]) -> ModelMap:
    """The map that the env file's variables make; a slot that is not set is not in it."""
    return {slot: parse_name(value) for slot in SLOTS if (value := env.get(VARIABLES[slot], "").strip())}


def default_model(catalog: Mapping[str, ModelInfo]) -> ModelInfo:
    """The best model that the catalog lists."""
    listed = [info for info in catalog.values() if info.visibility == "list"] or list(catalog.values())
    return min(listed, key=lambda info: info.priority) if listed else ModelInfo(slug="gpt-6.1-sol")


def clamp(effort: str | None, info: ModelInfo) -> str | None:
    """The nearest effort that the model offers: the next lower one, else the next higher.

    `ultra` is a mode of the official client, which sends xhigh for it; the backend refuses `minimal`; `none` is
    accepted though no catalog lists it.
    """
    effort = {"ultra": "xhigh", "minimal": "low"}.get(effort or "", effort)
    offered = info.efforts
    if effort not in EFFORTS:
        return info.default_reasoning_level if info.default_reasoning_level in offered else None
    if effort == "none" or effort in offered or not offered:
        return effort
    wanted = EFFORTS.index(effort)
    lower = [name for name in offered if EFFORTS.index(name) < wanted]
    return lower[-1] if lower else offered[0]


def resolve(
    requested: str,
    effort: str | None,
    models: ModelMap,
    catalog: Mapping[str, ModelInfo],
    *,
    policy: str = "auto",
    aliases: Mapping[str, str] | None = None,
) -> Target:
    """The model for the name that a client sent, with the effort that the policy gives it.

    `effort` is the client's own word. Any claude-* name goes by family through the model map; a name that nobody knows
    is passed on as it is, for the backend to judge.
    """
    aliases = aliases or {}
    known = {*catalog, *aliases, DEFAULT_ALIAS}
    choice = parse_name(requested, known)
    choice = _through_alias(choice, aliases, known)
    slot = None
    if choice.model == DEFAULT_ALIAS and DEFAULT_ALIAS not in catalog:
        choice = Choice(default_model(catalog).slug, choice.effort)
    elif choice.model not in catalog and (slot := family(choice.model, catalog)):
        mapped = _through_alias(_slot(slot, models, catalog), aliases, known)
        choice = Choice(mapped.model, choice.effort or mapped.effort)
    elif choice.model.startswith("claude-") and choice.model not in catalog:
        choice = Choice(choice.model.removeprefix("claude-"), choice.effort)
    info = catalog.get(choice.model)
    note = "" if info else f"{choice.model} is not in the model catalog: passed on as it is."
    info = info or ModelInfo(slug=choice.model)
    return Target(choice.model, clamp(_effort(effort, choice.effort, policy), info), info, slot, note)


def family(name: str, catalog: Container[str] = ()) -> Slot | None:
    """The slot of a Claude model's name; None for other names and for ``claude-<slug of the catalog>``."""
    if name in SLOTS:
        return name
    if "claude" not in name or name.removeprefix("claude-") in catalog:
        return None
    return next((slot for slot in SLOTS if slot in name), "sonnet")


def _through_alias(choice: Choice, aliases: Mapping[str, str], known: Container[str]) -> Choice:
    if choice.model not in aliases:
        return choice
    real = parse_name(aliases[choice.model], known)
    return Choice(real.model, choice.effort or real.effort)


def _slot(slot: Slot, models: ModelMap, catalog: Mapping[str, ModelInfo]) -> Choice:
    for name in (slot, *_INSTEAD[slot]):
        if name in models:
            return models[name]
    return Choice(default_model(catalog).slug)


def _effort(client: str | None, slot: str | None, policy: str) -> str | None:
    """Claude Code sends "high" unless the user chose otherwise, so by "auto" a slot's effort is what "high" means."""
    if policy == "client":
        return client or slot
    if policy == "slot" or client == "high":
        return slot or client
    return client or slot
