"""Stop sequences and the output cap, which the backend does not know: the text is cut here."""

# English text and code run at about four characters a token.
CHARACTERS_PER_TOKEN = 4


class Cutter:
    """Text in, text out, until a stop sequence or the cap is met.

    A tail that may be the beginning of a stop sequence is held back until the next text decides. `stopped` is the
    sequence that was met, `capped` that the cap was; after either nothing more comes out.
    """

    def __init__(self, stops: tuple[str, ...], cap: int | None) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._left = None if cap is None else cap * CHARACTERS_PER_TOKEN
        self._held = ""
        self.stopped: str | None = None
        self.capped = False

    @property
    def ended(self) -> bool:
        return self.stopped is not None or self.capped

    def push(self, text: str) -> str:
        if self.ended:
            return ""
        text = self._held + text
        self._held = ""
        # The one that is complete first, as if the text came letter by letter; of two that end together the longer.
        found = min(((at + len(stop), at, stop) for stop in self._stops if (at := text.find(stop)) >= 0), default=None)
        if found:
            self.stopped = found[2]
            return self._within_cap(text[: found[1]])
        keep = len(text) - self._tail(text)
        self._held = text[keep:]
        return self._within_cap(text[:keep])

    def flush(self) -> str:
        """The text ends here: what was held back is no stop sequence."""
        held, self._held = self._held, ""
        return "" if self.ended else self._within_cap(held)

    def _tail(self, text: str) -> int:
        """How many characters at the end may begin a stop sequence."""
        longest = max((len(stop) for stop in self._stops), default=1) - 1
        for length in range(min(longest, len(text)), 0, -1):
            end = text[-length:]
            if any(stop.startswith(end) for stop in self._stops):
                return length
        return 0

    def _within_cap(self, text: str) -> str:
        if self._left is None:
            return text
        if len(text) >= self._left:
            text, self.capped, self.stopped = text[: self._left], True, None
        self._left -= len(text)
        return text
