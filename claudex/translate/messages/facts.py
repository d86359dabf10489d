"""What the response side must know of the request that it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .request import Upstream
    from .schema import ToolFacts
    from .tools import WebSearch

# shown: text and signature. signed: the text stays empty. none: no thinking blocks at all, for callers that read
# content[0] and have no tool loop that would lose its reasoning.
Thinking = Literal["shown", "signed", "none"]


def _same(name: str) -> str:
    return name


@dataclass(frozen=True)
class Facts:
    """`tag` is that of the account that answers; `tools` is keyed by the client's names."""

    client_name: Callable[[str], str] = _same
    tools: Mapping[str, "ToolFacts"] = field(default_factory=dict)
    tag: str = ""
    stop_sequences: tuple[str, ...] = ()
    output_cap: int | None = None
    thinking: Thinking = "shown"
    search: "WebSearch | None" = None
    safeguards: bool = False

    @staticmethod
    def of(upstream: "Upstream", tag: str) -> "Facts":
        return Facts(
            client_name=upstream.names.client,
            tools=upstream.tools,
            tag=tag,
            stop_sequences=upstream.stop_sequences,
            output_cap=upstream.output_cap,
            thinking=_thinking(upstream.display, bool(upstream.tools)),
            search=upstream.search,
            safeguards=upstream.safeguards,
        )


def _thinking(display: str, tools: bool) -> Thinking:
    if display in ("summarized", "updates"):
        return "shown"
    if display == "omitted" or tools:
        return "signed"
    return "none"
