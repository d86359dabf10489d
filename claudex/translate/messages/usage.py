"""What an answer cost, in Anthropic's terms.

The backend's `input_tokens` holds the cached ones and `output_tokens` the reasoning; Messages counts uncached, read and
written input apart. The sum is the same, and clients overwrite: nothing here is ever added up twice.
"""

from dataclasses import dataclass


@dataclass
class Usage:
    """Tokens. `input` is uncached input; `known` is False while the backend has not said anything.

    Of an answer in several samples the input is the last one's, which is what fills the context; the output is the sum.
    """

    input: int = 0
    cached: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    searches: int = 0
    known: bool = False
    output_before: int = 0  # of the samples before this one
    reasoning_before: int = 0

    @property
    def total_input(self) -> int:
        return self.input + self.cached + self.cache_write

    def read(self, usage: object) -> None:
        """Overwrite from a response's `usage`; anything that is not one is ignored."""
        if not isinstance(usage, dict):
            return
        details = usage.get("input_tokens_details")
        total = _count(usage, "input_tokens")
        self.cached = min(_count(details, "cached_tokens"), total)
        self.cache_write = min(_count(details, "cache_write_tokens"), total - self.cached)
        self.input = total - self.cached - self.cache_write
        self.output = self.output_before + _count(usage, "output_tokens")
        self.reasoning = self.reasoning_before + _count(usage.get("output_tokens_details"), "reasoning_tokens")
        self.known = True

    def next_sample(self) -> None:
        self.output_before, self.reasoning_before, self.known = self.output, self.reasoning, False

    def wire(self) -> dict[str, object]:
        wire: dict[str, object] = {
            "input_tokens": self.input,
            "cache_creation_input_tokens": self.cache_write,
            "cache_read_input_tokens": self.cached,
            "output_tokens": self.output,
        }
        if self.searches:
            wire["server_tool_use"] = {"web_search_requests": self.searches}
        return wire


def _count(source: object, name: str) -> int:
    value = source.get(name) if isinstance(source, dict) else None
    return max(value, 0) if isinstance(value, int) else 0
