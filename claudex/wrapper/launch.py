"""The console script: our own words go to the CLI, everything else becomes `claude`.

Every module imported on the way costs part of a millisecond at each launch, so this path needs only os, sys, _socket
and a few built-in modules; what a failure or a first run needs is imported there. Hence quoted annotations, too:
`__future__` is one more file to read.
"""

import os
import sys

from .. import paths
from . import OWN_WORDS, claude, world

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from .health import Health

_INTERRUPTED = 130
_BASE_URL = "ANTHROPIC_BASE_URL"
_SECRETS = (_BASE_URL, "ANTHROPIC_AUTH_TOKEN")


def main() -> int:
    """The exit code, when this process did not become `claude`."""
    argv = sys.argv[1:]
    try:
        if argv and argv[0] in OWN_WORDS:
            _with_site()
            from ..cli.app import main as command_line

            return command_line(argv)
        pass_through(argv)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as error:  # the boundary of the program: whatever it was, one line and no traceback
        return _tell(error)


def _with_site() -> None:
    """Bootstrap's launcher starts Python without `site`; what uses third-party modules needs all of its paths."""
    if sys.flags.no_site:
        import site

        site.main()


def pass_through(argv: "Sequence[str]") -> "NoReturn":
    environ = world.environment()
    home = paths.home(environ)
    program = claude.find(environ)
    prepare = _connected if claude.needs_proxy(argv) else _unconnected
    environ = prepare(home, environ)
    world.restore_signals()
    claude.become(program, argv, environ)


def _unconnected(home: str, environ: dict[str, str]) -> dict[str, str]:
    """For words that need no proxy: all that the env file says but address and token, which only go out together and
    after the proof. A broken env file is said and does not stand in the way of `claude update`."""
    from . import envfile

    try:
        loaded = envfile.load(paths.env_file(home), environ)
    except OSError:
        return environ
    except envfile.error_type() as error:
        _tell(error)
        return environ
    for name in _SECRETS:
        loaded.pop(name, None)
        if name in environ:
            loaded[name] = environ[name]
    return loaded


def _connected(home: str, environ: dict[str, str]) -> dict[str, str]:
    """The environment with address and token of our proxy, which by then is proved or just spawned."""
    from .port import port as find_port

    port = find_port(home, environ)
    token = _token(home, environ, port)
    from .health import Question

    question = Question(port)  # the proxy answers while we read the env file
    from . import envfile

    loaded = envfile.load(paths.env_file(home), environ)
    health = question.answer(token)
    if health.state != "ours" or health.version != _version():
        _ensure(home, port, token, environ, health)
    if not os.path.exists(paths.auth_source(environ)):
        _say("there is no Codex login: run `codex login`")
    _aim(loaded, port)
    return loaded


def _version() -> str:
    from .. import __version__

    return __version__


def _token(home: str, environ: dict[str, str], port: int) -> str:
    from .health import read_token

    if (token := read_token(home)) and os.path.exists(paths.env_file(home)):
        return token
    _with_site()
    from ..home import prepare  # the first run on this machine

    prepare(home, environ, port)
    return read_token(home)


def _ensure(home: str, port: int, token: str, environ: dict[str, str], found: "Health") -> None:
    from . import daemon

    ensured = daemon.ensure(home, port, token, environ=environ, first=found)
    if ensured.started and os.isatty(2):
        _say(f"started the proxy on port {port}")


def _aim(environ: dict[str, str], port: int) -> None:
    """An env file written for another port follows the proxy: only this one has been proved."""
    for host in ("http://127.0.0.1:", "http://localhost:"):
        if environ.get(_BASE_URL, "").startswith(host):
            written, slash, rest = environ[_BASE_URL][len(host) :].partition("/")
            if written != str(port):
                environ[_BASE_URL] = f"{host}{port}{slash}{rest}"


def _tell(error: BaseException) -> int:
    from ..errors import ClaudexError

    if isinstance(error, ClaudexError):
        _say(str(error))
        return 4 if error.exit_code == 4 else 1
    if isinstance(error, OSError):
        _say(f"{error.strerror or error}: {error.filename}" if error.filename else str(error.strerror or error))
    else:
        _say(f"unexpected {type(error).__name__}: {error}")
    return 1


def _say(line: str) -> None:
    text = " ".join(f"claudex: {line}".splitlines())
    try:  # noqa: SIM105 (contextlib costs more than the launch may)
        os.write(2, os.fsencode(text) + b"\n")
    except OSError:  # stderr is closed: there is nobody to tell
        pass


if __name__ == "__main__":
    sys.exit(main())
