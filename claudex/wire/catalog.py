"""The backend's model catalog, `GET /codex/models` (field names as codex CLI 0.169.0 reads them)."""

from typing import Literal

from msgspec import Struct, field

Lane = Literal["full", "lite"]

# Weakest first. `ultra` is a mode of the official client, never an effort on the wire.
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


class ServiceTier(Struct, frozen=True):
    id: str
    name: str = ""
    description: str = ""


class ReasoningLevel(Struct, frozen=True):
    """The live catalog gives objects where the embedded one gives bare strings."""

    effort: str
    description: str = ""


class ModelInfo(Struct, frozen=True, kw_only=True):
    """One model. Windows are in tokens; a larger `max_context_window` is not in effect unless asked for."""

    slug: str
    display_name: str = ""
    description: str = ""
    visibility: str = "list"
    priority: int = 100
    minimal_client_version: str = "0.0.0"
    context_window: int = 272_000
    max_context_window: int | None = None
    use_responses_lite: bool = False
    default_reasoning_level: str | None = None
    supported_reasoning_levels: list[str | ReasoningLevel] = []
    support_verbosity: bool = False
    default_verbosity: str | None = None
    input_modalities: list[str] = field(default_factory=lambda: ["text", "image"])
    supports_parallel_tool_calls: bool = True
    service_tiers: list[ServiceTier] = []
    available_in_plans: list[str] = []

    @property
    def efforts(self) -> list[str]:
        """Efforts that may be sent, weakest first."""
        named = {level if isinstance(level, str) else level.effort for level in self.supported_reasoning_levels}
        return [effort for effort in EFFORTS if effort in named]

    @property
    def lane(self) -> Lane:
        return "lite" if self.use_responses_lite else "full"


class CatalogDocument(Struct, frozen=True):
    models: list[ModelInfo]
    client_version: str = ""
