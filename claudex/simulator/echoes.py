"""What a client gives back in headers: turn state and cookies.

The backend refuses none of it. A good client still sends a turn's state with no other turn or account, and only
Cloudflare's cookies, as codex CLI 0.169.0 does.
"""

import hashlib
import json
from collections.abc import Iterator

from . import sealed
from .prompts import prompt_index
from .recorded import Recorded

CLOUDFLARE_COOKIE = "__cf_bm"
OTHER_COOKIE = "oai-sim"
STATE_HEADER = "x-codex-turn-state"


class TurnStates:
    """States whose turn has ended, with the conversation up to the prompt that began the turn."""

    def __init__(self) -> None:
        self._ended: dict[str, list[tuple[int, bytes]]] = {}

    def end(self, state: str, request: Recorded) -> None:
        length = prompt_index(request) + 1
        self._ended.setdefault(state, []).append((length, _digest(request, length)))

    def outlived(self, state: str, request: Recorded) -> bool:
        """Whether this request carries such a conversation on to a later prompt; side calls are apart."""
        now = prompt_index(request) + 1
        return any(length < now and _digest(request, length) == digest for length, digest in self._ended.get(state, []))


def faults(request: Recorded, account_id: str, states: TurnStates) -> Iterator[str]:
    state = request.headers.get(STATE_HEADER)
    if state is not None:
        if not sealed.genuine(account_id, "turn", state):
            yield f"`{STATE_HEADER}` was not issued to this account"
        if states.outlived(state, request):
            yield f"`{STATE_HEADER}` of a finished turn was sent with the next one"
    if OTHER_COOKIE in request.headers.get("cookie", ""):
        yield f"the cookie `{OTHER_COOKIE}` was sent back; only Cloudflare's should be"


def _digest(request: Recorded, length: int) -> bytes:
    return hashlib.blake2b(json.dumps(request.input[:length]).encode(), digest_size=16).digest()
