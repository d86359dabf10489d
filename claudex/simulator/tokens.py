"""Counting tokens and playing the prompt cache.

A token is four bytes of the compact JSON of what the model reads (instructions, tools, input), an image 765 tokens
whatever its size. The cache is the real thing in small: a prefix counts as cached when an earlier request of the same
account, model and prompt_cache_key had the same bytes there, in steps of 128 tokens and from 1024 tokens on.
"""

import hashlib
import json
from typing import Any

BYTES_PER_TOKEN = 4
IMAGE_TOKENS = 765
STEP_TOKENS = 128
MINIMUM_TOKENS = 1024
_STEP = STEP_TOKENS * BYTES_PER_TOKEN
_UNREAD = ("internal_chat_message_metadata_passthrough", "id", "status")


def prompt(body: dict[str, Any]) -> bytes:
    """The bytes of the prompt in the order in which the model sees them."""
    parts = [body[key] for key in ("tools", "instructions") if body.get(key)]
    return _dumps(parts) + b"\n" + b"\n".join(_dumps(_item(item)) for item in body["input"])


def count(data: bytes | str) -> int:
    size = len(data.encode() if isinstance(data, str) else data)
    return -(-size // BYTES_PER_TOKEN)


class PromptCache:
    def __init__(self) -> None:
        self._seen: dict[tuple[str, str, str], set[bytes]] = {}

    def hit(self, account_id: str, model: str, key: str, data: bytes) -> int:
        """Cached tokens of this prompt; the prompt is in the cache from now on."""
        seen = self._seen.setdefault((account_id, model, key), set())
        digests = _prefixes(data)
        cached = next((index for index, digest in enumerate(digests) if digest not in seen), len(digests)) * STEP_TOKENS
        seen.update(digests)
        return cached if cached >= MINIMUM_TOKENS else 0


def _prefixes(data: bytes) -> list[bytes]:
    running = hashlib.blake2b(digest_size=12)
    digests = []
    for start in range(0, len(data) - _STEP + 1, _STEP):
        running.update(data[start : start + _STEP])
        digests.append(running.copy().digest())
    return digests


def _item(item: dict[str, Any]) -> Any:
    return _readable({key: value for key, value in item.items() if key not in _UNREAD})


def _readable(value: Any) -> Any:
    """The value as the model reads it: an image's data replaced by its digest at an image's price."""
    if isinstance(value, dict):
        return {key: _readable(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_readable(entry) for entry in value]
    if isinstance(value, str) and value.startswith("data:") and ";base64," in value[:80]:
        digest = hashlib.blake2b(value.encode(), digest_size=30).hexdigest()
        return digest * (IMAGE_TOKENS * BYTES_PER_TOKEN // len(digest))
    return value


def _dumps(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
