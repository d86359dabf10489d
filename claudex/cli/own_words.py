"""Wires `claudex self`: one short function per word."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ..errors import ClaudexError
from . import render
from .place import locate

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]

# `simulator` hands its words on as they are, `--help` too.
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def register(own: typer.Typer) -> None:
    models_app = typer.Typer(invoke_without_command=True, add_completion=False, rich_markup_mode=None)
    models_app.callback()(models)
    models_app.command("set")(models_set)
    own.add_typer(models_app, name="models")
    for command in (env, logs, serve, token, version, completions, cache, losses, uninstall):
        own.command(command.__name__)(command)
    own.command("simulator", context_settings=PASS_ON)(simulator)
    own.command("claude-words", hidden=True)(claude_words)


def env(
    reveal: Annotated[bool, typer.Option("--reveal", help="Show secrets in full.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Let the file name this home's port and token.")] = False,
    json: Json = False,
) -> int:
    """Show what claude would be given, and from where.

    Each variable of the env file with its line, and whether your shell, the file or a default decides it.
    """
    from . import env as command

    return render.emit(command.run(locate(), reveal=reveal, fix=fix), command.view, as_json=json)


def models(ctx: typer.Context, json: Json = False) -> int:
    """List the models: windows, efforts, lanes, slots.

    `claudex self models set opus gpt-6.1-sol xhigh` changes the map.
    """
    from . import models as command

    if ctx.invoked_subcommand:
        return 0
    return render.emit(command.run(locate()), command.view, as_json=json)


def models_set(
    slot: Annotated[str, typer.Argument(help="opus, sonnet or haiku.")],
    model: Annotated[str, typer.Argument(help="A model of the catalog, as `claudex self models` lists it.")],
    effort: Annotated[str | None, typer.Argument(help="Its effort; without one, what claude asks for.")] = None,
    json: Json = False,
) -> int:
    """Map a slot to a model and an effort.

    Edits the env file in place: comments and order stay.
    Also sets the window that claude believes in, when the smallest one of the mapped models changes.
    """
    from . import models as command

    return render.emit(command.set_slot(locate(), slot, model, effort), command.view_changed, as_json=json)


def logs(
    request: Annotated[str | None, typer.Argument(metavar="[ID]", help="Explain this one request.")] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with new lines until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="How many lines to begin with.")] = 20,
    json: Json = False,
) -> int:
    """Show the request log, or explain one request.

    The ID is the `request-id` of the answer, as claude names it in its errors.
    """
    from . import logs as command

    if follow and (json or request):
        raise typer.BadParameter("-f goes with neither --json nor an ID")
    place = locate()
    if request:
        return render.emit(command.request(place, request), command.view_request, as_json=json)
    if not follow:
        return render.emit(command.run(place, lines), command.view, as_json=json)
    command.follow(place, lines)
    return 0


def serve(
    port: Annotated[int | None, typer.Option("--port", min=1, max=65535, help="Instead of the one set.")] = None,
    json: Json = False,
) -> int:
    """Run the proxy in the foreground.

    Until Ctrl-C, or as a service manager wants it. It logs to logs/proxy.log.
    """
    from . import serve as command

    code = command.run(locate(), port, quiet=json)
    if json:
        render.print_json({"exit_code": code})
    return code


def token(json: Json = False) -> int:
    """Print the secret that clients show to the proxy."""
    from . import small

    return render.emit(small.token(locate()), lambda result: result.token, as_json=json)


def version(json: Json = False) -> int:
    """Print the versions of claudex and its Python."""
    from . import small

    def view(result: small.Version) -> str:
        return f"claudex {result.version} (Python {result.python}, {result.package})"

    return render.emit(small.version(locate()), view, as_json=json)


def completions(
    shell: Annotated[str, typer.Argument(help="bash, zsh, fish or powershell.")],
    json: Json = False,
) -> int:
    """Print the completions for a shell.

    For instance in ~/.bashrc: `source <(claudex self completions bash)`.
    """
    from . import small

    script = small.completions(shell)
    if json:
        render.print_json(script)
    else:
        sys.stdout.write(script.script)  # as it is: no wrapping, no colours
    return 0


def claude_words() -> int:
    """Read claude's help into the cache that the completions use; they call this in the background."""
    from . import claude_words as command

    command.refresh()
    return 0


def cache(
    session: Annotated[str | None, typer.Option("--session", help="Only this session.")] = None,
    json: Json = False,
) -> int:
    """Show what came from the prompt cache, by session.

    And where in the prompt the cache last broke.
    """
    from . import numbers as command

    return render.emit(command.cache(locate(), session), command.view_cache, as_json=json)


def losses(json: Json = False) -> int:
    """Show what could not be carried over, by kind.

    Counted across restarts of the proxy: parts of requests and answers that the other side has no word for.
    """
    from . import numbers as command

    return render.emit(command.losses(locate()), command.view_losses, as_json=json)


def uninstall(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be removed.")] = False,
    json: Json = False,
) -> int:
    """Remove what claudex made.

    Wrapper, home and environment; the usage figures and the official logins stay.
    Shows the list and asks first; without a terminal to ask on, nothing happens without --yes.
    """
    from . import uninstall as command

    place = locate()
    if dry_run or (json and not yes):
        return render.emit(command.plan(place), command.view, as_json=json)
    if not yes:
        render.emit(command.plan(place), command.view, as_json=False)
        if not sys.stdin.isatty():
            raise ClaudexError("nothing was removed: there is no terminal to ask on.", hint="Repeat it with --yes.")
        if not typer.confirm("Remove all this?"):
            print("nothing was removed")
            return 0
    return render.emit(command.run(place, quiet=json), command.view, as_json=json)


def simulator(ctx: typer.Context) -> int:
    """Run an offline stand-in for ChatGPT.

    `claudex self simulator --help` says more.
    """
    from ..simulator.__main__ import main

    return main([word for word in ctx.args if word != "--json"])
