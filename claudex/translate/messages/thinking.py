"""The signature of a thinking block: a reasoning item of the backend on its way through the client.

    cdx1.<account tag>.<meta>.<encrypted content>

Claude Code returns every signature byte for byte and checks none. `meta` is the url-safe base64 of a compact JSON
object, or empty. The encrypted content may be empty: then the block only carries its meta for the text that follows.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache

import msgspec
from msgspec import Struct, field

PREFIX = "cdx1."
MARK = b"cdx1"


class Meta(Struct, frozen=True, omit_defaults=True):
    """Where a block belongs.

    `after` is the id (as the client knows it) of the last tool call emitted before it in the same response: clients
    regroup blocks, tool calls last. `phase` is that of the message item that follows.
    """

    after: str | None = field(name="a", default=None)
    phase: str | None = field(name="p", default=None)


class Signature(Struct, frozen=True):
    tag: str
    encrypted: str
    meta: Meta


NO_META = Meta()
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Meta).decode


def encode(tag: str, encrypted: str, meta: Meta = NO_META) -> str:
    packed = "" if meta == NO_META else urlsafe_b64encode(_encode(meta)).decode().rstrip("=")
    return f"{PREFIX}{tag}.{packed}.{encrypted}"


def decode(signature: str) -> Signature | None:
    """None when the signature is not one of ours, or damaged."""
    found = split(signature.encode("utf-8", "replace"))
    return Signature(found[0].decode(), found[2].decode(), found[1]) if found else None


def split(signature: bytes) -> tuple[bytes, Meta, bytes] | None:
    """Tag, meta and encrypted content, without a copy more than needed: signatures can be 300,000 bytes long."""
    parts = signature.split(b".", 3)
    if len(parts) != 4 or parts[0] != MARK:
        return None
    meta = _unpacked(parts[2]) if parts[2] else NO_META
    return None if meta is None else (parts[1], meta, parts[3])


@lru_cache(maxsize=4096)
def _unpacked(packed: bytes) -> Meta | None:
    try:
        return _decode(urlsafe_b64decode(packed + b"=" * (-len(packed) % 4)))
    except ValueError:
        return None
