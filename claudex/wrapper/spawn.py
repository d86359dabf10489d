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
    """Raises OSError when the proxy's program cannot be started.

    Two forks make it an orphan, so `claude`, which this process becomes, has no child that it does not know. We do not
    wait for the exec, which would cost the launch a millisecond: what fails from there on is in the log, and the next
    launch that finds no proxy reads it there.
    """
    argv = command()
    if not os.access(argv[0], os.X_OK):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), argv[0] or "Python")
    log = os.open(paths.log(home), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        child = os.fork()
        if child == 0:
            _in_child(home, port, listener, log, argv, dict(environ))
    finally:
        os.close(log)
    _, status = os.waitpid(child, 0)
    if status:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN), "fork")


def _in_child(home: str, port: int, listener: int, log: int, argv: list[str], environ: dict[str, str]) -> "NoReturn":
    code = 1
    try:
        os.setsid()
        if os.fork():
            code = 0
        else:
            environ[paths.HOME_VARIABLE] = home
            environ[paths.PORT_VARIABLE] = str(port)
            _become(home, _own_descriptors(listener, log), argv, environ)
    finally:  # whatever happened, neither child may return into the launch's code
        os._exit(code)


def _become(home: str, listener: int, argv: list[str], environ: dict[str, str]) -> None:
    try:
        os.umask(0o077)
        for name in paths.PATH_VARIABLES:
            if environ.get(name):
                environ[name] = os.path.abspath(environ[name])
        os.chdir(home)
        _default_signals()
        os.execve(argv[0], [*argv, "--fd", str(listener)], environ)
    except OSError as error:
        os.write(2, os.fsencode(f"claudex: cannot run {argv[0]}: {error.strerror}\n"))


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
