"""`python -m claudex.proxy [--fd N | --port P]`: the server process.

--fd N    serve on this socket, which the parent has bound and set to listen
--port P  bind 127.0.0.1:P; without either, the port of config.toml or CLAUDEX_PORT

Ends with 0 when stopped, 1 when it cannot start, 2 for wrong usage, 4 when another program holds the port.
"""

import asyncio
import errno
import os
import socket
import sys
import time
from collections.abc import Callable, Coroutine

from .. import paths
from .health import Instance
from .lifecycle import BACKLOG, Ending, Lifecycle, become
from .lock import HomeLock, HomeTaken

USAGE = "usage: python -m claudex.proxy [--fd N | --port P]"
FAILED, WRONG_USAGE, PORT_HELD = 1, 2, 4
# A predecessor that makes way for us may hold the lock for a moment more.
LOCK_PATIENCE_S = 3.0


def main(argv: list[str]) -> int:
    began = time.time()
    try:
        option, number = _parse(argv)
    except ValueError:
        print(USAGE, file=sys.stderr)
        return WRONG_USAGE
    home = paths.home()
    try:
        sock = _inherited(number) if option == "--fd" else _bound(number or _configured_port(home))
    except OSError as error:
        return _no_socket(error, option, number)
    lock = HomeLock(home)
    try:
        _acquire(lock)
    except (HomeTaken, OSError) as error:
        print(f"claudex: {error}", file=sys.stderr)
        return FAILED
    try:
        return _run(home, sock, lock, began)
    except OSError as error:
        print(f"claudex: {error.strerror or error}: {error.filename or home}", file=sys.stderr)
        return FAILED


def _run(home: str, sock: socket.socket, lock: HomeLock, began: float) -> int:
    os.umask(0o077)
    instance = Instance(port=sock.getsockname()[1], started_at=began)

    async def live() -> Ending:
        return await Lifecycle(home, sock, lock, instance, _token(home)).run()

    if _loop_runner()(live()) == "retire":
        from .api import successor

        become(successor(home) or [], sock.fileno())
        return FAILED
    return 0


def _parse(argv: list[str]) -> tuple[str, int]:
    """Raises ValueError for anything but our two options."""
    if not argv:
        return "", 0
    option, text = argv if len(argv) == 2 else ("", "")
    if option not in ("--fd", "--port") or not text.isascii() or not text.isdigit():
        raise ValueError(argv)
    return option, int(text)


def _inherited(fd: int) -> socket.socket:
    sock = socket.socket(fileno=fd)
    sock.getsockname()  # not a socket: an OSError now and not later
    sock.set_inheritable(False)
    sock.setblocking(False)
    return sock


def _bound(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":  # on Windows the option would let two programs share the port
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
        sock.listen(BACKLOG)
    except BaseException:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


def _configured_port(home: str) -> int:
    from .. import settings
    from ..errors import SettingsError

    try:
        return settings.load(home).proxy.port
    except SettingsError as error:
        print(f"claudex: {error} (port {paths.DEFAULT_PORT} is used)", file=sys.stderr)
        return paths.DEFAULT_PORT


def _no_socket(error: OSError, option: str, number: int) -> int:
    if option == "--fd":
        print(f"claudex: --fd {number}: {error.strerror}", file=sys.stderr)
        return FAILED
    port = number or _configured_port(paths.home())
    print(f"claudex: cannot listen on 127.0.0.1:{port}: {error.strerror}", file=sys.stderr)
    return PORT_HELD if error.errno in (errno.EADDRINUSE, errno.EACCES) else FAILED


def _acquire(lock: HomeLock) -> None:
    deadline = time.monotonic() + LOCK_PATIENCE_S
    while True:
        try:
            return lock.acquire()
        except HomeTaken:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _token(home: str) -> bytes:
    try:
        with open(paths.proxy_token(home), "rb") as file:
            return file.read(4096).strip()
    except OSError:
        return b""


def _loop_runner() -> Callable[[Coroutine[None, None, Ending]], Ending]:
    try:
        import uvloop
    except ImportError:
        return asyncio.run
    return uvloop.run


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
