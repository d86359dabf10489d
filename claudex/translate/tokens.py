"""How many tokens a request will cost: told in milliseconds, and without the network.

The heuristic counts patterns of character classes, in samples when the text is long. What it knows of o200k: a common
word with its leading space is one token, a long one some more; digits go by three; punctuation often joins its
neighbour; an indentation is one token; a CJK sign is about 0.8 and a letter of another alphabet about a third. What it
cannot know is left to a ratio per model, learned from what the backend really counted.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

Exact = Callable[[str], int]

# An image at the detail that we send: the classic tile sum of 1024 by 1024 is 765, larger ones reach 1,500.
IMAGE_TOKENS = 1000
# A page of a PDF is read as text and as a picture, and is about 30 kB of base64.
FILE_TOKENS_PER_BYTE = 1500 / 30_000
# Encrypted reasoning: base64 of its tokens plus an envelope.
ENCRYPTED_TOKENS_PER_BYTE = 1 / 8
# Role and separators of one item.
ITEM_TOKENS = 4
# More text than this is judged by samples.
SAMPLE_LIMIT = 96_000
SAMPLES = 48
# A tokenizer needs about 0.3 ms for a kilobyte, so it corrects the heuristic on this much text.
EXACT_LIMIT = 24_000

# With their keys: inside a text, whose quotes are escaped, none of these can stand.
_BLOBS = (
    (b'"image_url":"data:', "image"),
    (b'"file_data":"data:', "file"),
    (b'"encrypted_content":"', "encrypted"),
)
_STRUCTURE = re.compile(
    rb'"(?:type|role|id|call_id|status|phase|detail|prompt_cache_key)":"[^"\\]{0,80}",?'
    rb'|"(?:text|content|output|arguments|input|tools|parameters|strict|summary|store|stream|include)":'
)
_ITEM = re.compile(rb'"role":"|"type":"function_call')


def _table(classes: Callable[[int], str]) -> bytes:
    return "".join(classes(code) for code in range(256)).encode("ascii")


def _class(code: int) -> str:
    """a letter, A capital, 0 digit, blank, line end, dot for any mark, c for CJK leads, x for other leads."""
    if code >= 0xC0:
        return "c" if 0xE3 <= code <= 0xED else "x"
    character = chr(code)
    if character.isalpha() and code < 128:
        return "A" if character.isupper() else "a"
    if character.isdigit() and code < 128:
        return "0"
    return {" ": " ", "\t": " ", "\n": "\n", "\r": "\n"}.get(character, ".")


_CLASSES = _table(_class)
_WORDS = _table(lambda code: "a" if _class(code) in "aA" else " ")
_CONTINUATION = bytes(range(0x80, 0xC0))


def text_tokens(text: bytes) -> float:
    """The heuristic's tokens of UTF-8 text."""
    kinds = b" " + text.translate(_CLASSES, _CONTINUATION)
    words = b" " + text.translate(_WORDS, _CONTINUATION)
    count = kinds.count
    marks = count(b".")
    return (
        words.count(b" a")
        + words.count(b"a" * 9) * 0.8
        + count(b"aA") * 0.8
        + count(b"0") / 2.2
        + marks * 0.95
        - count(b"..") * 0.9
        + count(b"\n") * 0.6
        + count(b"\n  ") * 0.6
        - count(b".\n") * 0.5
        + count(b"c") * 0.8
        + count(b"x") * 0.36
    )


class Parts(NamedTuple):
    """A body without its blobs, and what the blobs cost."""

    text: bytes
    blob_tokens: float


def estimate(body: bytes, exact: Exact | None = None) -> float:
    """Tokens of a Responses request body, as JSON. `exact` counts a text with the real vocabulary, if there is one."""
    parts = split_blobs(body)
    text = parts.text
    samples = _samples(text)
    plain = [_plain(sample) for sample in samples]
    guessed = sum(map(text_tokens, plain))
    if exact is not None:
        guessed *= _correction(plain, exact)
    items = sum(len(_ITEM.findall(sample)) for sample in samples) * ITEM_TOKENS
    scale = len(text) / max(1, sum(map(len, samples)))
    return (guessed + items) * scale + parts.blob_tokens


def _correction(samples: list[bytes], exact: Exact) -> float:
    share = max(1, len(samples) * max(map(len, samples)) // EXACT_LIMIT)
    some = [sample[:EXACT_LIMIT] for sample in samples[::share]]
    guessed = sum(map(text_tokens, some))
    return sum(exact(sample.decode("utf-8", "ignore")) for sample in some) / guessed if guessed else 1.0


def split_blobs(body: bytes) -> Parts:
    """Takes images, files and encrypted reasoning out: their bytes are no text."""
    tokens = 0.0
    for marker, kind in _BLOBS:
        if marker not in body:
            continue
        kept, at = [], 0
        while (start := body.find(marker, at)) >= 0:
            end = body.find(b'"', start + len(marker))
            end = len(body) if end < 0 else end
            tokens += _blob_tokens(kind, end - start)
            kept.append(body[at:start])
            at = end
        kept.append(body[at:])
        body = b"".join(kept)
    return Parts(body, tokens)


def _blob_tokens(kind: str, size: int) -> float:
    if kind == "image":
        return IMAGE_TOKENS
    return size * (FILE_TOKENS_PER_BYTE if kind == "file" else ENCRYPTED_TOKENS_PER_BYTE)


def _samples(text: bytes) -> list[bytes]:
    if len(text) <= SAMPLE_LIMIT:
        return [text]
    step, size = len(text) / SAMPLES, SAMPLE_LIMIT // SAMPLES
    return [text[int(number * step) : int(number * step) + size] for number in range(SAMPLES)]


def _plain(sample: bytes) -> bytes:
    """JSON's own keys out, its escapes undone."""
    text = _STRUCTURE.sub(b"", sample)
    return text.replace(b"\\n", b"\n").replace(b'\\"', b'"').replace(b"\\t", b"\t").replace(b"\\\\", b"\\")


class Calibration:
    """Ratio of the backend's count to ours, per model, smoothed exponentially."""

    LEAST_TOKENS = 500  # below, fixed costs hide the ratio
    WEIGHT = 0.2
    BOUNDS = (0.5, 2.0)

    def __init__(self, ratios: dict[str, float] | None = None) -> None:
        low, high = self.BOUNDS
        self.ratios = {model: min(max(ratio, low), high) for model, ratio in (ratios or {}).items()}

    def apply(self, model: str, estimated: float) -> int:
        return max(1, round(estimated * self.ratios.get(model, 1.0)))

    def learn(self, model: str, estimated: float, counted: int) -> bool:
        """True when the ratio moved by more than a percent, which is worth keeping."""
        if estimated < self.LEAST_TOKENS or counted < self.LEAST_TOKENS:
            return False
        low, high = self.BOUNDS
        ratio = min(max(counted / estimated, low), high)
        before = self.ratios.get(model)
        after = ratio if before is None else before + self.WEIGHT * (ratio - before)
        self.ratios[model] = after
        return before is None or abs(after - before) > 0.01
