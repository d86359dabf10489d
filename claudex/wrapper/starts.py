"""What earlier starts of the proxy left behind: did the last one become ready, and what did it say?"""

import os

from .. import paths


def mark(home: str) -> None:
    for directory in (paths.run(home), os.path.dirname(paths.log(home))):
        os.makedirs(directory, mode=0o700, exist_ok=True)
    os.close(os.open(_spawned(home), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    os.utime(_spawned(home))


def failed_before(home: str) -> bool:
    """The last spawn is younger than the last proxy that became ready."""
    try:
        spawned = os.stat(_spawned(home)).st_mtime_ns
    except OSError:
        return False
    try:
        return os.stat(paths.proxy_state(home)).st_mtime_ns < spawned
    except OSError:  # a proxy that was stopped takes run/proxy.json along and leaves run/stopped.json
        return not _newer(paths.stopped(home), spawned)


def serves_elsewhere(home: str) -> bool:
    """Another proxy holds run/proxy.lock, though nothing listens on our port."""
    import fcntl

    try:
        handle = os.open(paths.proxy_lock(home), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _newer(path: str, than: int) -> bool:
    try:
        return os.stat(path).st_mtime_ns >= than
    except OSError:
        return False


def _spawned(home: str) -> str:
    return os.path.join(paths.run(home), "spawned")


def last_words(home: str) -> str:
    try:
        with open(paths.log(home), "rb", 0) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 4096))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        lines = []
    last = next((line.strip() for line in reversed(lines) if line.strip()), "it left no word")
    return f"{last.removeprefix('claudex: ')[:300]} (see {paths.log(home)})"
