"""Make sure that our proxy serves the port: ask, else bind, listen and spawn it on that socket.

The bind is the start-up lock: of many launches at the same moment one gets the port, the others find it taken and wait
for the answer of what the first one spawned. Requests that arrive before the proxy accepts wait in the backlog.
"""

import _socket
import errno
import os
import time

from .. import __version__, paths
from . import starts
from .health import HOST, Health, check, read_token, request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..paths import Environ

__all__ = ["Ensured", "Health", "check", "ensure", "is_older", "owner_of_port", "read_token", "retire"]

_PATIENCE = 10.0  # seconds that a proxy which another launch has just spawned may take on a loaded machine
_FIRST_LOOK = 1.0  # seconds of silence before we look at who holds the port
_BACKLOG = 128
_PAUSE = 0.02


class Ensured:
    """`started`: we spawned it · `retiring`: an older version was told to make way when it is idle."""

    __slots__ = ("health", "retiring", "started")

    def __init__(self, health: Health, *, started: bool = False, retiring: bool = False) -> None:
        self.health = health
        self.started = started
        self.retiring = retiring


def ensure(
    home: str, port: int, token: str, *, wait: float = 0.0, environ: "Environ" = os.environ, first: Health | None = None
) -> Ensured:
    """Our proxy, proved to serve 127.0.0.1:port, or just spawned on a socket that we bound.

    `wait`: seconds to wait for the answer of what we spawned. `first`: what a question just asked has found.
    Raises PortHeld (a stranger has the port) and ProxyUnavailable (it died, or stays silent).
    """
    deadline = time.monotonic() + _PATIENCE
    found = first or check(port, token, _FIRST_LOOK)
    while True:
        if found.state == "ours":
            retiring = is_older(found.version) and retire(home, port, token)
            return Ensured(found, retiring=retiring)
        if found.state == "none" and (listener := _bind(port)):
            return _start(home, port, token, listener, wait, environ)
        if found.state == "stranger" or not _may_be_ours(port):
            raise _held(port, found.detail)
        left = deadline - time.monotonic()
        if left <= 0:
            raise _silent(port, found)
        time.sleep(_PAUSE)
        found = check(port, token, min(left, _FIRST_LOOK))


def _bind(port: int) -> _socket.socket | None:
    """A listening socket, or None when somebody has the port.

    SO_REUSEADDR lets us in past connections in TIME_WAIT. Two may then both bind on Linux, but only one can listen.
    """
    listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    try:
        listener.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            return None
        from ..errors import ProxyUnavailable

        raise ProxyUnavailable(f"cannot listen on port {port}: {error.strerror}") from error
    return listener


def _start(home: str, port: int, token: str, listener: _socket.socket, wait: float, environ: "Environ") -> Ensured:
    from .spawn import spawn

    # Who was spawned before and never became ready may fail again: this time stay and see, to say why.
    # So does one whose home is served on another port.
    if starts.failed_before(home) or starts.serves_elsewhere(home, port):
        wait = max(wait, _PATIENCE)
    try:
        starts.mark(home)
        spawn(home, port, listener.fileno(), environ)
    except OSError as error:
        from ..errors import ProxyUnavailable

        raise ProxyUnavailable(f"cannot start the proxy: {error.strerror} ({error.filename or home})") from error
    finally:
        listener.close()
    health = Health("starting", "just spawned")
    return Ensured(_await(home, port, token, wait) if wait else health, started=True)


def _await(home: str, port: int, token: str, wait: float) -> Health:
    deadline = time.monotonic() + wait
    while (left := deadline - time.monotonic()) > 0:
        found = check(port, token, left)
        # It answers its health before it has loaded all that it needs; run/proxy.json says that it has.
        if found.state == "ours" and not starts.failed_before(home):
            return found
        if found.state == "stranger":
            raise _held(port, found.detail)
        if found.state == "none":
            raise _ended(home, port)
        time.sleep(_PAUSE)
    if check(port, token, _PAUSE).state == "none":
        raise _ended(home, port)
    raise _silent(port, Health("starting", "it says nothing"))


def _ended(home: str, port: int) -> Exception:
    from ..errors import ProxyUnavailable

    hint = "Run: claudex restart" if starts.serves_elsewhere(home, port) else ""
    return ProxyUnavailable(f"the proxy ended at its start: {starts.last_words(home)}", hint=hint)


def is_older(version: str) -> bool:
    return version != __version__ and _numbers(version) < _numbers(__version__)


def _numbers(version: str) -> list[int]:
    numbers = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    return numbers


def retire(home: str, port: int, token: str) -> bool:
    """Ask the running proxy to become this version as soon as no request is in flight; False when it would not.

    It re-executes the argv in run/successor on its own listening socket, so nothing that is connected is cut.
    """
    from .spawn import command

    path = paths.successor(home)
    temporary = f"{path}.{os.getpid()}"
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(handle, os.fsencode("\n".join(command()) + "\n"))
        finally:
            os.close(handle)
        os.replace(temporary, path)
        status, _ = request(port, token, "POST", "/api/retire")
    except OSError:
        return False
    return status == 202


def _may_be_ours(port: int) -> bool:
    from .owner import find

    owner = find(port)
    return owner is None or owner.may_be_ours


def owner_of_port(port: int) -> tuple[int, str] | None:
    """Pid and name of the program that listens there, as far as this user may know."""
    from .owner import find

    owner = find(port)
    return (owner.pid, owner.name) if owner and owner.pid else None


def another_port(port: int) -> str:
    """The words that choose one for a command."""
    return f"{paths.PORT_VARIABLE}={port + 1 if port < 65535 else paths.DEFAULT_PORT}"


def _held(port: int, detail: str) -> Exception:
    from ..errors import PortHeld
    from .owner import find

    owner = find(port)
    return PortHeld(
        f"port {port} is held by {owner or 'another program'}, which is not our proxy: {detail}.",
        hint=f"Stop it, or choose another port: {another_port(port)}",
    )


def _silent(port: int, found: Health) -> Exception:
    from ..errors import ProxyUnavailable
    from .owner import find

    owner = find(port)
    if owner is None or not owner.is_proxy:
        return _held(port, found.detail)
    return ProxyUnavailable(f"the proxy (pid {owner.pid}) does not answer on port {port}.", hint="Run: claudex restart")
