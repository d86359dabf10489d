"""Tool names and call ids, as the backend allows them: `^[a-zA-Z0-9_-]+$`, at most 64 characters.

MCP names reach 148 characters and are never shortened by Claude Code; call ids from other clients and from the backend
itself can be longer as well. What is already allowed stays as it is; the rest becomes a readable head and a hash.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

LIMIT = 64
_ALLOWED = re.compile(r"[a-zA-Z0-9_-]{1,64}").fullmatch
_FORBIDDEN = re.compile(r"[^a-zA-Z0-9_-]")


def allowed(name: str) -> bool:
    return _ALLOWED(name) is not None


def _digest(text: str, size: int) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).hexdigest()


def short(name: str, salt: int = 0) -> str:
    """An allowed name for any name, the same in every process; `salt` gives another one."""
    head = _FORBIDDEN.sub("_", name[: LIMIT - 13])
    return f"{head}_{_digest(f'{salt}:{name}' if salt else name, 6)}"


def call_id(client_id: str) -> str:
    """The id to send for a tool call or its result. 160 bits of hash where the client's own cannot be sent."""
    return client_id if _ALLOWED(client_id) else _long_call_id(client_id)


@lru_cache(maxsize=4096)
def _long_call_id(client_id: str) -> str:
    return f"call_{_digest(client_id, 20)}"


class Names:
    """The two-way map of one request. Allowed names keep themselves; no short form takes the name of a real tool."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        every = set(names)
        self._wire = {name: name for name in every if allowed(name)}
        self._client: dict[str, str] = {}
        self._taken = set(self._wire)
        for name in sorted(every - self._taken):
            self._shorten(name)

    def _shorten(self, name: str) -> str:
        salt = 0
        while (wire := short(name, salt)) in self._taken:
            salt += 1
        self._taken.add(wire)
        self._wire[name] = wire
        self._client[wire] = name
        return wire

    def wire(self, name: str) -> str:
        """The name to send for a client's name."""
        return self._wire.get(name) or (name if allowed(name) else self._shorten(name))

    def client(self, name: str) -> str:
        """The client's name for one the backend used; an unknown one is returned as it is."""
        return self._client.get(name, name)
