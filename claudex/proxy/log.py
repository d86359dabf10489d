"""logs/proxy.log: one JSON object a line, rotated by size, for the user alone, free of secrets and prompts."""

import os
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from ..settings import LogSettings

LEVELS = ("debug", "info", "warning", "error")
PRIVATE = 0o600
MEGABYTE = 1_000_000

# JWTs, bearer values, keys by their usual prefixes, refresh tokens, and our own signatures with what they wrap.
SECRETS = re.compile(
    r"eyJ[\w-]{8,}(?:\.[\w-]+)*"
    r"|(?i:bearer)\s+[^\s\"',]+"
    r"|\b(?:sk|rt|at|sess|cdx1)[-_.][\w.\-=]{12,}"
    r"|gAAAA[\w\-=]{16,}"
)
SECRET_KEYS = frozenset({"authorization", "x-api-key", "cookie", "token", "access_token", "refresh_token", "id_token"})


def redact(text: str, known: tuple[str, ...] = ()) -> str:
    for secret in known:
        if len(secret) >= 8:
            text = text.replace(secret, "[redacted]")
    return SECRETS.sub("[redacted]", text)


class Log:
    """Appends lines. `known` holds secrets of this process that no pattern would find, such as the proxy token."""

    def __init__(self, path: str, settings: LogSettings) -> None:
        self.path = path
        self.known: tuple[str, ...] = ()
        self._file: int | None = None
        self._size = 0
        self._encode = msgspec.json.Encoder().encode
        self.configure(settings)

    def configure(self, settings: LogSettings) -> None:
        self._least = LEVELS.index(settings.level)
        self._limit = settings.max_mb * MEGABYTE
        self._keep = settings.keep

    def write(self, event: str, level: str = "info", **facts: Any) -> None:
        if LEVELS.index(level) < self._least:
            return
        line = {"time": _now(), "level": level, "event": event, **_clean(facts)}
        data = redact(self._encode(line).decode(), self.known).encode() + b"\n"
        try:
            self._append(data)
        except OSError as error:  # a full disk must not stop the answers
            print(f"claudex: {self.path}: {error.strerror}", file=sys.stderr)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _append(self, data: bytes) -> None:
        if self._file is None:
            self._open()
        elif self._size + len(data) > self._limit:
            self._rotate()
        assert self._file is not None
        os.write(self._file, data)
        self._size += len(data)

    def _open(self) -> None:
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, PRIVATE)
        self._size = os.fstat(self._file).st_size

    def _rotate(self) -> None:
        """proxy.log becomes proxy.log.1 and so on. Our stdio, which the wrapper opened on it, follows the new one."""
        self.close()
        for number in range(self._keep - 1, 0, -1):
            if os.path.exists(f"{self.path}.{number}"):
                os.replace(f"{self.path}.{number}", f"{self.path}.{number + 1}")
        if self._keep:
            inode = os.stat(self.path).st_ino
            os.replace(self.path, f"{self.path}.1")
        else:
            inode = os.stat(self.path).st_ino
            os.unlink(self.path)
        self._open()
        self._redirect_stdio(inode)

    def _redirect_stdio(self, old_inode: int) -> None:
        assert self._file is not None
        for descriptor in (1, 2):
            try:
                if os.fstat(descriptor).st_ino == old_inode:
                    os.dup2(self._file, descriptor)
            except OSError:
                continue


def _clean(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Nothing by a secret's name, and no empty facts."""
    return {
        name: "[redacted]" if name.lower() in SECRET_KEYS else value
        for name, value in facts.items()
        if value is not None and value != {}
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
