"""`GET /healthz`: alive, and provably ours without showing the token."""

import json
import os
from _blake2 import blake2b
from dataclasses import dataclass, field

from .. import __version__

NONCE_LIMIT = 128
KEY_LIMIT = 64


@dataclass(slots=True)
class Instance:
    """One life of the proxy, new after every exec."""

    port: int
    started_at: float
    pid: int = field(default_factory=os.getpid)
    id: str = field(default_factory=lambda: os.urandom(16).hex())


def proof(nonce: str, token: bytes) -> str:
    """Keyed BLAKE2b of the nonce under the token: whoever can make it has the token."""
    return blake2b(nonce.encode("utf-8", "replace"), key=token[:KEY_LIMIT], digest_size=32).hexdigest()


def document(instance: Instance, nonce: str, token: bytes, in_flight: int, retiring: bool) -> dict[str, object]:
    """With the proof, unless the nonce names (`<random>-<port>`) another port than ours: whoever asks there wants to
    know who listens there, and a stranger may have passed the question on."""
    answer: dict[str, object] = {
        "ok": True,
        "instance_id": instance.id,
        "version": __version__,
        "pid": instance.pid,
        "in_flight": in_flight,
        "retiring": retiring,
    }
    if token and 0 < len(nonce) <= NONCE_LIMIT and nonce.partition("-")[2] in ("", str(instance.port)):
        answer["proof"] = proof(nonce, token)
    return answer


def encode(document: dict[str, object]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
