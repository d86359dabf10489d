"""run/proxy.lock and run/proxy.json: who serves this home."""

import json
import os
import sys

from .. import __version__, paths
from ..files import private_dir, write_private
from .health import Instance

try:
    import fcntl
except ImportError:  # Windows: the port is the only lock
    fcntl = None  # type: ignore[assignment]


class HomeTaken(Exception):
    """Another proxy serves this home."""


class HomeLock:
    """Held from before the first accept until draining begins, so that a successor can start while we drain."""

    def __init__(self, home: str) -> None:
        self._home = home
        self._fd: int | None = None

    def acquire(self) -> None:
        """Raises HomeTaken with a sentence that names the owner."""
        private_dir(paths.run(self._home))
        fd = os.open(paths.proxy_lock(self._home), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if fcntl is not None:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(fd)
                raise HomeTaken(_owner(self._home)) from None
        self._fd = fd

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def write_state(home: str, instance: Instance) -> None:
    facts = {
        "pid": instance.pid,
        "port": instance.port,
        "instance_id": instance.id,
        "version": __version__,
        "started_at": instance.started_at,
        "python": sys.executable,
    }
    write_private(paths.proxy_state(home), json.dumps(facts, indent=1) + "\n")


def read_state(home: str) -> dict[str, object]:
    try:
        with open(paths.proxy_state(home), encoding="utf-8") as file:
            facts = json.load(file)
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def remove_state(home: str, instance: Instance) -> None:
    """Only our own: a successor may have written its already."""
    if read_state(home).get("instance_id") == instance.id:
        os.unlink(paths.proxy_state(home))


def _owner(home: str) -> str:
    facts = read_state(home)
    who = f"pid {facts['pid']} on port {facts['port']}" if {"pid", "port"} <= facts.keys() else "another process"
    return f"a proxy already serves {home} ({who})"
