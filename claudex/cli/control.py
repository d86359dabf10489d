"""Stop the proxy, and know which process it is."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from .. import paths
from ..errors import ClaudexError, PortHeld, ProxyUnavailable
from ..wrapper.health import Health, check
from ..wrapper.owner import command_of, find

_ANSWER = 5.0  # seconds: a proxy that was just spawned answers when it is ready
_PAUSE = 0.05


@dataclass(frozen=True)
class Stopped:
    """`drained` requests were let finish, `cut` ones were still running when the proxy's patience ended."""

    was_running: bool
    pid: int | None = None
    drained: int = 0
    cut: int = 0


def running(home: str) -> dict[str, object] | None:
    """run/proxy.json, if the process that wrote it is still a claudex proxy."""
    facts = _read(paths.proxy_state(home))
    pid = facts.get("pid")
    return facts if isinstance(pid, int) and _is_proxy(pid) else None


def stop(
    home: str, port: int, token: str, *, timeout: float = 35.0, on_wait: Callable[[float], None] | None = None
) -> Stopped:
    """End the proxy of this home and wait until it has; nothing running is fine.

    `on_wait` is told the seconds waited so far. Raises PortHeld for a stranger, ProxyUnavailable when the proxy has not
    ended after `timeout` seconds.
    """
    found = check(port, token, _ANSWER)
    if found.state == "none":
        port, found = _elsewhere(home, port, token, found)
    pid = _pid(home, port, found)
    if pid is None:
        return Stopped(False)
    if found.state != "none":  # else it drains already, and a second signal would cut what it waits for
        with suppress(ProcessLookupError):
            _terminate(pid)
    began = time.monotonic()
    while _is_proxy(pid):
        waited = time.monotonic() - began
        if waited > timeout:
            raise ProxyUnavailable(
                f"the proxy (pid {pid}) has not ended after {timeout:.0f} s.", hint=f"Try: kill -9 {pid}"
            )
        if on_wait:
            on_wait(waited)
        time.sleep(_PAUSE)
    facts = _read(paths.stopped(home))
    mine = facts if facts.get("pid") == pid else {}
    return Stopped(True, pid, _count(mine, "drained"), _count(mine, "cut"))


def other_port(home: str, port: int) -> int | None:
    """Where this home's proxy serves, if that is not `port`: the setting may have changed since it was started."""
    served = _int((running(home) or {}).get("port"))
    return served if served != port else None


def _elsewhere(home: str, port: int, token: str, found: Health) -> tuple[int, Health]:
    other = other_port(home, port)
    there = check(other, token, _ANSWER) if other else found
    return (other, there) if other and there.state == "ours" else (port, found)


def _pid(home: str, port: int, found: Health) -> int | None:
    """Whom to signal: what proved itself on the port, else a proxy of this home that does not listen any more."""
    facts = running(home)
    known = facts["pid"] if facts else None
    if found.state == "stranger":
        raise PortHeld(
            f"port {port} is held by {find(port) or 'another program'}, which is not our proxy: {found.detail}."
        )
    if found.state == "ours" and found.pid:
        return found.pid
    owner = find(port) if found.state != "none" else None
    if owner and owner.is_proxy:
        return owner.pid
    if found.state != "none":
        raise ProxyUnavailable(f"cannot tell which process serves port {port}.")
    return _int(known)


def _is_proxy(pid: int) -> bool:
    """Alive, and still a proxy: process ids are used again, and many a path has our name in it."""
    words = command_of(pid).split()
    served = "serve" in words and any(os.path.basename(word) == "claudex" for word in words)
    return "claudex.proxy" in words or served


def _terminate(pid: int) -> None:
    if sys.platform == "win32":
        raise ClaudexError(f"stopping is not supported on Windows: end process {pid}")
    os.kill(pid, signal.SIGTERM)


def _read(path: str) -> dict[str, object]:
    try:
        with open(path, encoding="utf-8") as file:
            facts = json.load(file)
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _int(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _count(facts: dict[str, object], name: str) -> int:
    return _int(facts.get(name)) or 0
