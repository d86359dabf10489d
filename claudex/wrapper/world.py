"""The world as the shell left it: what Python's own start-up changed, put back before `claude` takes over."""

import _signal  # type: ignore[import-not-found]
import os
import sys

# PEP 538: in the C locale Python puts one of these into LC_CTYPE and passes it on.
_COERCED = ("C.UTF-8", "C.utf8", "UTF-8")
_SHELLS = ("sh", "dash", "bash", "zsh", "ksh", "mksh", "ash", "fish", "busybox")
_PYTHON_IGNORES = tuple(getattr(_signal, name) for name in ("SIGPIPE", "SIGXFZ", "SIGXFSZ") if hasattr(_signal, name))


def environment() -> dict[str, str]:
    """The environment that this process was started with."""
    environ = dict(os.environ)
    environ.pop("", None)  # an entry like `=x`, which execve would refuse
    if environ.get("LC_CTYPE") in _COERCED and not environ.get("LC_ALL"):
        _undo_coercion(environ)
    return environ


def _undo_coercion(environ: dict[str, str]) -> None:
    try:
        with open("/proc/self/environ", "rb", 0) as file:
            inherited = b"\0" + file.read()
    except OSError:
        if _looks_coerced(environ):
            del environ["LC_CTYPE"]
        return
    _, found, rest = inherited.partition(b"\0LC_CTYPE=")
    if found:
        environ["LC_CTYPE"] = os.fsdecode(rest.partition(b"\0")[0])
    else:
        del environ["LC_CTYPE"]


def _looks_coerced(environ: dict[str, str]) -> bool:
    """Without /proc: setenv appends, and only the C locale, the one that is coerced, turns UTF-8 mode on by itself."""
    return next(reversed(environ)) == "LC_CTYPE" and bool(sys.flags.utf8_mode) and "PYTHONUTF8" not in environ


def restore_signals() -> None:
    """Undo Python's dispositions.

    Python forgets what SIGPIPE and SIGXFSZ were before it ignored them. It was the default unless the shell that
    started us ignores them too (`trap '' PIPE`); other parents ignore them for themselves only, so only a shell counts.
    """
    kept = _ignored_by_shell()
    for number in _PYTHON_IGNORES:
        if not kept >> (number - 1) & 1:
            _signal.signal(number, _signal.SIG_DFL)
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)


def _ignored_by_shell() -> int:
    """The mask of ignored signals of our parent, if that is a shell; 0 where it cannot be known."""
    try:
        with open(f"/proc/{os.getppid()}/status", "rb", 0) as file:
            status = file.read()
        if status[6 : status.index(b"\n")].decode() not in _SHELLS:
            return 0
        mask = status.index(b"SigIgn:") + 7
        return int(status[mask : status.index(b"\n", mask)], 16)
    except (OSError, ValueError):
        return 0
