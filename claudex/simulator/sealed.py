"""Opaque strings that only their issuer can read: encrypted reasoning, compaction and turn state.

The key is fixed, so a simulator that was restarted still knows what it issued; the account is part of the seal, so what
one account got is refused to another. The form is Fernet's, as the real backend's is: base64 of version byte 0x80,
time, nonce, body, HMAC ("gAAAAA…").
"""

import base64
import binascii
import hashlib
import hmac
import random

_KEY = b"claudex simulator: these seals protect nothing"
_HEAD = b"\x80" + bytes(4)
_MAC = 32


def issue(account_id: str, kind: str, rng: random.Random, size: int = 180) -> str:
    """A new seal of about `size` bytes before base64."""
    body = _HEAD + rng.randbytes(max(size, 24))
    return base64.urlsafe_b64encode(body + _mac(account_id, kind, body)).decode()


def genuine(account_id: str, kind: str, sealed: str) -> bool:
    try:
        raw = base64.b64decode(sealed.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError):
        return False
    body, mac = raw[:-_MAC], raw[-_MAC:]
    return body.startswith(_HEAD) and hmac.compare_digest(mac, _mac(account_id, kind, body))


def sign(message: bytes) -> bytes:
    return hmac.digest(_KEY, message, hashlib.sha256)


def _mac(account_id: str, kind: str, body: bytes) -> bytes:
    return sign(f"{kind}\0{account_id}\0".encode() + body)
