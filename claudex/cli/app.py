"""Wires claudex's own commands; each lives in a file of its own."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer

from ..errors import ClaudexError
from . import own_words, render
from .place import locate

Result = TypeVar("Result")

# Typer's own copy of click names its usage errors only through this base of a public class.
UsageError: Any = typer.BadParameter.__base__

HELP = """Claude Code on your own ChatGPT/Codex login.

`claudex` with anything but the words below becomes `claude` with exactly those arguments, once the proxy runs.

Exit codes: 0 fine, 1 failed, 2 wrong usage, 3 the proxy is not running, 4 the port is held by another program,
5 login needed (`codex login`), 6 upstream refused or unreachable.
"""

SELF_HELP = """Everything else that claudex itself can do.

The six service commands stand here as well.

Examples: `claudex self models set opus gpt-6.1-sol xhigh`, `claudex self logs -f`, `claudex self env`.
"""

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]

app = typer.Typer(name="claudex", help=HELP, add_completion=False, rich_markup_mode=None)
own = typer.Typer(name="self", help=SELF_HELP, add_completion=False, rich_markup_mode=None)
app.add_typer(own, name="self")


def main(argv: list[str]) -> int:
    """Run one command. Every outcome is an exit code; what went wrong is one line on stderr."""
    as_json = "--json" in argv
    render.mend_streams()
    try:
        code = app(
            args=argv if argv not in ([], ["self"]) else [*argv, "--help"], prog_name="claudex", standalone_mode=False
        )
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except UsageError as error:
        return render.fail(_usage(error), as_json=as_json)
    except ClaudexError as error:
        return render.fail(error, as_json=as_json)
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:
        render.discard_stdout()  # nobody reads on: end quietly
        return 141
    except Exception as error:  # the boundary of the command: a person gets one line, never a traceback
        return render.fail(_unexpected(error), as_json=as_json)


class WrongUsage(ClaudexError):
    exit_code = 2


def _usage(error: Any) -> ClaudexError:
    command = error.ctx.command_path if error.ctx else "claudex"
    return WrongUsage(f"{error.format_message().rstrip('.')}.", hint=f"`{command} --help` shows how.")


def _unexpected(error: Exception) -> ClaudexError:
    if isinstance(error, OSError):
        return ClaudexError(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{os.path.basename(frame.filename)}:{frame.lineno}"
    return ClaudexError(f"a mistake in claudex itself: {type(error).__name__}: {error} ({where})")


def _emit(result: Result, view: Callable[[Result], Any], as_json: bool) -> int:
    return render.emit(result, view, as_json=as_json)


# ---- the six service commands, at the top and under `self`


def status(
    check: Annotated[bool, typer.Option("--check", help="Also try whether ChatGPT can be reached.")] = False,
    json: Json = False,
) -> int:
    """Show the proxy, the login and the model map.

    Also names what stands in the way: settings of claude that override claudex, a foreign program on the port.
    Exit code 3 when the proxy is not running, 4 when another program holds its port, 6 when --check fails.
    """
    from . import status as command

    return _emit(command.run(locate(), check=check), command.view, json)


def start(json: Json = False) -> int:
    """Start the proxy and wait until it answers.

    One that runs already is left alone. Makes what is missing under the home: token, config.toml and the env file.
    """
    from . import start as command

    return _emit(command.run(locate(), quiet=json), command.view, json)


def stop(json: Json = False) -> int:
    """Stop the proxy once its requests have finished.

    They get up to 30 seconds (drain_s in config.toml); what had to be cut is told. Never ends another program.
    """
    from . import stop as command

    return _emit(command.run(locate(), quiet=json), command.view, json)


def restart(json: Json = False) -> int:
    """Stop the proxy, then start it."""
    from . import restart as command

    return _emit(command.run(locate(), quiet=json), command.view, json)


def sync_auth(json: Json = False) -> int:
    """Read the login of the Codex CLI again.

    Writes auth/codex-current.json under the home. Exit code 5 when `codex login` is needed.
    """
    from . import sync_auth as command

    return _emit(command.run(locate()), command.view, json)


def probe(
    model: Annotated[str, typer.Option("--model", help="A slot (opus, sonnet, haiku) or any model name.")] = "opus",
    json: Json = False,
) -> int:
    """Try the whole way to ChatGPT and back.

    Five steps: health, a streamed answer, a tool round trip, token count, models. Costs three small requests.
    A failure names its cause, the URL tried and the one command that mends it.
    """
    from . import probe as command

    return _emit(command.run(locate(), model=model, quiet=json), command.view, json)


_SERVICE: dict[str, Callable[..., int]] = {
    "status": status,
    "start": start,
    "stop": stop,
    "restart": restart,
    "sync-auth": sync_auth,
    "probe": probe,
}
for _name, _command in _SERVICE.items():
    app.command(_name)(_command)
    own.command(_name)(_command)
own_words.register(own)
