"""The model map: which catalog model stands behind Claude Code's opus, sonnet and haiku."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..wire.catalog import EFFORTS, ModelInfo

SLOTS = ("opus", "sonnet", "haiku")

# What a slot wants; a model that lacks the effort gets the next weaker one that it has.
WANTED = {"opus": "xhigh", "sonnet": "medium", "haiku": "low"}

# How the backend names its small models (luna in the 6 generation, mini and nano before it).
SMALL = ("luna", "mini", "nano", "spark")


@dataclass(frozen=True)
class Slot:
    """One line of the map; `effort` is None where the model's own default stands."""

    name: str
    model: str
    effort: str | None

    @property
    def value(self) -> str:
        return f"{self.model}({self.effort})" if self.effort else self.model


def variable(slot: str) -> str:
    """The environment variable that Claude Code reads for a slot."""
    return f"ANTHROPIC_DEFAULT_{slot.upper()}_MODEL"


def default_slots(models: Sequence[ModelInfo]) -> list[Slot]:
    """The best listed model for opus and sonnet, the best small one for haiku."""
    listed = sorted((model for model in models if model.visibility == "list"), key=lambda model: model.priority)
    ranked = listed or sorted(models, key=lambda model: model.priority)
    best = ranked[0]
    small = next((model for model in ranked if set(model.slug.split("-")) & set(SMALL)), best)
    chosen = {"opus": best, "sonnet": best, "haiku": small}
    return [Slot(name, chosen[name].slug, nearest(WANTED[name], chosen[name])) for name in SLOTS]


def nearest(wanted: str, model: ModelInfo) -> str | None:
    """The strongest effort of `model` that is not above `wanted`, else its weakest, else None."""
    ceiling = EFFORTS.index(wanted)
    below = [effort for effort in model.efforts if EFFORTS.index(effort) <= ceiling]
    return below[-1] if below else next(iter(model.efforts), None)


def smallest_window(slugs: Sequence[str], models: Sequence[ModelInfo]) -> int | None:
    """Tokens of the smallest window among `slugs`; None when the catalog knows none of them."""
    return min((model.context_window for model in models if model.slug in slugs), default=None)
