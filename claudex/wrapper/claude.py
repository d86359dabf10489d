"""The real `claude`: where it is, and which of its words need no model."""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import NoReturn

    from ..paths import Environ

# Words of claude 2.1.197 and 2.1.329 that never ask a model. Not here, because they run or wake sessions that do:
# agents, attach, respawn, daemon, remote-control (rc, bridge), ultrareview.
_MAINTENANCE = frozenset(
    (
        "auth",
        "doctor",
        "gateway",
        "import",
        "install",
        "kill",
        "logs",
        "plugin",
        "plugins",
        "project",
        "purge",
        "rm",
        "setup-token",
        "update",
        "upgrade",
    )
)
# ... and of these groups all but the one subcommand that asks a model or serves tools that may.
_MAINTENANCE_BUT = {"auto-mode": "critique", "mcp": "serve"}
_INFORMATION = frozenset(("--help", "-h", "--version", "-v"))

# What a small script says when it would only lead back to us.
_OUR_MODULE = b"claudex.wrapper.launch"
_SCRIPT_HEAD = 1024


def needs_proxy(argv: "Sequence[str]") -> bool:
    """False for --help, --version and maintenance. Only the first word counts: further on, `-h` may be a value."""
    if not argv:
        return True
    word = argv[0]
    if word in _INFORMATION or word in _MAINTENANCE:
        return False
    second = argv[1] if len(argv) > 1 else ""
    if word in _MAINTENANCE_BUT:
        return second == _MAINTENANCE_BUT[word]
    return True


def find(environ: "Environ") -> str:
    """The program to become: $CLAUDE_BIN, else the first `claude` on PATH that is not claudex itself.

    Raises ClaudeNotFound with one sentence.
    """
    if named := environ.get("CLAUDE_BIN"):
        return _named(named, environ)
    for path in _on_path("claude", environ):
        if not leads_back(path):
            return path
    raise _not_found("there is no `claude` on PATH. Install it: npm install -g @anthropic-ai/claude-code")


def _named(name: str, environ: "Environ") -> str:
    path = name if "/" in name else next(_on_path(name, environ), "")
    if not path or not os.path.exists(path):
        raise _not_found(f"CLAUDE_BIN={name} does not exist")
    if not _is_program(path):
        raise _not_found(f"CLAUDE_BIN={name} is not an executable file")
    if leads_back(path):
        raise _not_found(f"CLAUDE_BIN={name} is claudex itself, not claude")
    return path


def _on_path(name: str, environ: "Environ") -> "Iterator[str]":
    for directory in environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(directory or ".", name)
        if _is_program(path):
            yield path


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def leads_back(path: str) -> bool:
    """Is it claudex: the same file through any link, another claudex, or a script that only calls one?"""
    target = os.path.realpath(path)
    if os.path.basename(target) == "claudex" or target == os.path.realpath(sys.argv[0]):
        return True
    try:
        with open(target, "rb", 0) as file:
            head = file.read(_SCRIPT_HEAD)
    except OSError:
        return False
    return head[:2] == b"#!" and (_OUR_MODULE in head or any(map(_calls_claudex, head.split(b"\n"))))


def _calls_claudex(line: bytes) -> bool:
    """`exec "$HOME/.local/bin/claudex" --model opus "$@"` and its like."""
    words = line.partition(b"#")[0].replace(b'"', b"").replace(b"'", b"").split()
    return b"$@" in words and any(os.path.basename(word) == b"claudex" for word in words)


def become(path: str, argv: "Sequence[str]", environ: "Environ") -> "NoReturn":
    """Replace this process. Raises ClaudexError when the system refuses."""
    try:
        os.execve(path, [path, *argv], environ)
    except OSError as error:
        from errno import ENOEXEC

        if error.errno != ENOEXEC:
            raise _refused(path, error) from error
    # No `#!` line: a shell would read the file as a script of sh, so do we.
    try:
        os.execve("/bin/sh", ["/bin/sh", path, *argv], environ)
    except OSError as error:
        raise _refused(path, error) from error


def _refused(path: str, error: OSError) -> Exception:
    from ..errors import ClaudexError

    return ClaudexError(f"cannot run {path}: {error.strerror}")


def _not_found(why: str) -> Exception:
    from ..errors import ClaudeNotFound

    return ClaudeNotFound(why)
