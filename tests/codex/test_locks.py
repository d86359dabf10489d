import fcntl
import os
import stat
import threading
from pathlib import Path

import pytest

from claudex import errors
from claudex.codex import locks


def test_both_locks_are_taken_and_given_back(codex_home: Path) -> None:
    held = locks.acquire(codex_home, 1)
    for name, _ in locks.LOCKS:
        with (codex_home / name).open() as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    held.release()
    locks.acquire(codex_home, 0).release()


def test_the_lock_files_have_the_official_modes(codex_home: Path) -> None:
    previous = os.umask(0o022)
    try:
        locks.acquire(codex_home, 1).release()
    finally:
        os.umask(previous)
    modes = {name: stat.S_IMODE((codex_home / name).stat().st_mode) for name, _ in locks.LOCKS}
    assert modes == {"auth.lock": 0o644, "auth.json.lock": 0o600}


def test_waiting_for_a_lock_is_bounded_and_names_it(codex_home: Path) -> None:
    with (codex_home / "auth.json.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(errors.LoginBusy, match=r"auth\.json\.lock"):
            locks.acquire(codex_home, 0.05)
    locks.acquire(codex_home, 0).release()


def test_a_lock_that_is_freed_in_time_is_taken(codex_home: Path) -> None:
    first = locks.acquire(codex_home, 0)
    timer = threading.Timer(0.1, first.release)
    timer.start()
    locks.acquire(codex_home, 5).release()
    timer.join()


def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.LoginDamaged, match=r"auth\.lock cannot be opened"):
        locks.acquire(tmp_path / "absent", 0)
