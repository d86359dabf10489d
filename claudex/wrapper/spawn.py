"""Start the proxy as a daemon on a listening socket that it inherits."""

import _signal  # type: ignore[import-not-found]
import errno
import os
import sys

from .. import paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from ..paths import Environ

_NO_FD_LISTING = 4096


def command() -> list[str]:
    """Without the file descriptor. `-P`: nothing is imported from the directory it happens to start in; a wrapper that
    ignores the user's PYTHON* variables starts a proxy that does the same."""
    return [sys.executable, "-I" if sys.flags.isolated else "-P", "-m", "claudex.proxy"]


def spawn(home: str, port: int, listener: int, environ: "Environ") -> None:
    """Returns when the proxy's program has been executed; raises OSError when it could not be.

    The child between us makes it an orphan of a session of its own, so `claude`, which this process becomes, never has
    a child it does not know. It spawns instead of forking again because that tells whether the exec went well.
    """
    if not sys.executable:
        raise OSError(errno.ENOENT, "Python does not know its own path")
    log = os.open(paths.log(home), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        child = os.fork()
        if child == 0:
            _in_child(home, port, listener, log, dict(environ))
    finally:
        os.close(log)
    _, status = os.waitpid(child, 0)
    if code := os.waitstatus_to_exitcode(status):
        raise OSError(code, os.strerror(code) if code > 0 else f"killed by signal {-code}", sys.executable)


def _in_child(home: str, port: int, listener: int, log: int, environ: dict[str, str]) -> "NoReturn":
    code = errno.ECHILD
    try:
        os.setsid()
        os.umask(0o077)
        os.chdir(home)
        listener = _own_descriptors(listener, log)
        _default_signals()
        environ[paths.HOME_VARIABLE] = home
        environ[paths.PORT_VARIABLE] = str(port)
        argv = [*command(), "--fd", str(listener)]
        os.posix_spawn(argv[0], argv, environ)
        code = 0
    except OSError as error:
        code = error.errno or code
    finally:  # whatever happened, the child must never return into its parent's code
        os._exit(code)


def _own_descriptors(listener: int, log: int) -> int:
    """0 from /dev/null, 1 and 2 to the log, the listener above them, and nothing that the shell had open."""
    while listener < 3:
        listener = os.dup(listener)
    while log < 3:
        log = os.dup(log)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    for descriptor in _open_descriptors():
        if descriptor > 2 and descriptor != listener:
            _close(descriptor)
    os.set_inheritable(listener, True)
    return listener


def _open_descriptors() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/dev/fd")]
    except OSError:
        return list(range(_NO_FD_LISTING))


def _close(descriptor: int) -> None:
    try:  # noqa: SIM105 (contextlib costs more than the launch may)
        os.close(descriptor)
    except OSError:  # the listing's own descriptor is gone already
        pass


def _default_signals() -> None:
    """A shell may have started us with some ignored or blocked; the daemon outlives that shell."""
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())
    for name in ("SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGPIPE", "SIGXFSZ", "SIGCHLD"):
        _signal.signal(getattr(_signal, name), _signal.SIG_DFL)
