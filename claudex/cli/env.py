"""`claudex self env`: what claude would be given, and where each value comes from."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..files import write_private
from ..home.edit import set_values
from ..wrapper import envfile
from . import envview, render
from .envview import Injected
from .place import Place

if TYPE_CHECKING:
    from rich.console import RenderableType

_SECRET = re.compile(r"(^|_)(TOKEN|KEY|SECRET|PASSWORD|CREDENTIALS)$")
# The form in which the file is first written: CLAUDEX_PORT goes on winning when only the default is changed.
_DEFAULT_PORT = re.compile(r"(ANTHROPIC_BASE_URL=.*\$\{CLAUDEX_PORT:-)\d+")


@dataclass(frozen=True)
class Environment:
    """Secrets are masked unless they were asked for. `fixed` names what --fix changed."""

    env_file: str
    variables: list[Injected]
    problems: list[str]
    fixed: tuple[str, ...] = ()


def run(place: Place, *, reveal: bool = False, fix: bool = False) -> Environment:
    fixed = _fix(place) if fix else ()
    found = envview.injected(place)
    values = {item.name: item.value for item in found}
    shown = found if reveal else [_masked(item) for item in found]
    return Environment(place.env_file, shown, envview.mismatches(place, values), fixed)


def _fix(place: Place) -> tuple[str, ...]:
    """Let the file name this home's proxy and token; nothing else in it is touched."""
    wanted = {"ANTHROPIC_BASE_URL": place.base_url, "ANTHROPIC_AUTH_TOKEN": place.token}
    values = envview.values(place)
    if not envview.mismatches(place, values):
        return ()
    changed = {name: value for name, value in wanted.items() if values.get(name) != value}
    text = _DEFAULT_PORT.sub(rf"\g<1>{place.port}", envview.read(place))
    after = envfile.parse(text, place.environ, place.env_file)
    rest = {name: value for name, value in changed.items() if after.get(name) != value}
    text = set_values(text, rest, place.env_file)
    write_private(place.env_file, os.fsencode(text))
    return tuple(changed)


def _masked(item: Injected) -> Injected:
    if item.value is None or not _SECRET.search(item.name):
        return item
    return Injected(item.name, mask(item.value), item.source, item.line)


def mask(secret: str) -> str:
    return f"{secret[:4]}…" if len(secret) > 12 else "…"


def view(result: Environment) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    name = os.path.basename(result.env_file)
    table = render.grid("variable", "value", "from")
    for item in result.variables:
        value = Text("unset", style="dim") if item.value is None else Text(item.value)
        table.add_row(item.name, value, _origin(item, name))
    notes = [Text(f"! {problem}", style="yellow") for problem in result.problems]
    fixed = [f"changed {', '.join(result.fixed)}"] if result.fixed else []
    return Group(*fixed, result.env_file, table, *notes)


def _origin(item: Injected, name: str) -> str:
    words = {"file": "", "unset": "", "default": " (default)", "shell": " (lets your shell's value stand)"}
    return f"{name}:{item.line}{words[item.source]}"
