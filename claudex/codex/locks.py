"""The official CLI's two locks around auth.json.

codex CLI 0.169.0 takes `flock` on `auth.lock` (created 0644), then on `auth.json.lock` (0600), to write. Whoever
refreshes holds both from reading to writing. Waiting is polling, so that it can be bounded and given up.
"""

import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from .. import errors

LOCKS = (("auth.lock", 0o644), ("auth.json.lock", 0o600))
POLL_S = 0.02

if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class Locks:
    """Both locks, held until `release`; closing the files is what frees them, also when the process dies."""

    def __init__(self, handles: ExitStack) -> None:
        self._handles = handles

    def release(self) -> None:
        self._handles.close()


def acquire(codex_home: str | Path, wait_s: float) -> Locks:
    """Blocks for at most `wait_s` seconds: call it in a thread. Raises LoginBusy or LoginDamaged."""
    deadline = time.monotonic() + wait_s
    with ExitStack() as handles:
        for name, mode in LOCKS:
            _acquire_one(Path(codex_home) / name, mode, deadline, handles)
        return Locks(handles.pop_all())


def _acquire_one(path: Path, mode: int, deadline: float, handles: ExitStack) -> None:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, mode)
    except OSError as error:
        raise errors.LoginDamaged(
            f"The login cannot be refreshed: {path} cannot be opened ({error.strerror}).",
            hint=f"Make {path.parent} writable.",
        ) from error
    handles.callback(os.close, handle)
    while not _try_lock(handle):
        if time.monotonic() >= deadline:
            raise errors.LoginBusy(f"Another program has been holding {path} for too long.", hint="Try again.")
        time.sleep(POLL_S)
