"""What earlier starts of the proxy left behind: did the last one become ready, and what did it say?"""

import os

from .. import paths
from .health import field


def mark(home: str) -> None:
    for directory in (paths.run(home), os.path.dirname(paths.log(home))):
        os.makedirs(directory, mode=0o700, exist_ok=True)
    os.close(os.open(paths.spawned(home), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    os.utime(paths.spawned(home))


def failed_before(home: str) -> bool:
    """The last spawn is younger than the last proxy that became ready."""
    try:
        spawned = os.stat(paths.spawned(home)).st_mtime_ns
    except OSError:
        return False
    try:
        return os.stat(paths.proxy_state(home)).st_mtime_ns < spawned
    except OSError:  # a proxy that was stopped takes run/proxy.json along and leaves run/stopped.json
        return not _newer(paths.stopped(home), spawned)


def serves_elsewhere(home: str, port: int) -> bool:
    """The proxy of this home lives, though on another port."""
    try:
        with open(paths.proxy_state(home), "rb", 0) as file:
            state = file.read()
        os.kill(int(field(state, b"pid")), 0)
    except (OSError, ValueError):
        return False
    return field(state, b"port") != str(port)


def _full(home: str) -> bool:
    try:
        disk = os.statvfs(home)
    except OSError:
        return False
    return disk.f_blocks > 0 and disk.f_bavail == 0


def _newer(path: str, than: int) -> bool:
    try:
        return os.stat(path).st_mtime_ns >= than
    except OSError:
        return False


def last_words(home: str) -> str:
    if _full(home):  # then its last words were not written either
        return f"the disk that holds {home} is full."
    try:
        with open(paths.log(home), "rb", 0) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 4096))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        lines = []
    last = next((line.strip() for line in reversed(lines) if line.strip()), "it left no word")
    return f"{last.removeprefix('claudex: ')[:300]} (see {paths.log(home)})."
