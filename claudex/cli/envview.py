"""The env file seen from outside: what it injects, from where, and the model map in it."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import ClaudexError
from ..home.models import known_models
from ..home.slots import SLOTS, variable
from ..wire.catalog import ModelInfo
from ..wrapper import envfile
from .place import Place

Source = Literal["file", "default", "shell", "unset"]

_VALUE = re.compile(r"(?P<model>[^()\[\]]+?)(?:\((?P<effort>\w+)\))?(?:\[1m\])?")


@dataclass(frozen=True)
class Injected:
    """One variable; `value` is None when the file unsets it.

    source: file (a fixed value), default (the file's, as your shell has none), shell (yours, which the file lets win).
    """

    name: str
    value: str | None
    source: Source
    line: int


@dataclass(frozen=True)
class Mapped:
    model: str
    effort: str | None
    window: int | None


def read(place: Place) -> str:
    """The env file's text. Raises ClaudexError when it cannot be read."""
    try:
        return os.fsdecode(Path(place.env_file).read_bytes())
    except FileNotFoundError as error:
        raise ClaudexError(f"{place.env_file} does not exist.", hint="Run `claudex start`: it makes one.") from error
    except OSError as error:
        raise ClaudexError(f"cannot read {place.env_file}: {error.strerror}") from error


def injected(place: Place) -> list[Injected]:
    """The last word of the file on each variable that claude gets or loses, in file order."""
    text, environ = read(place), place.environ
    last = {item.name: item for item in envfile.assignments(text, environ, place.env_file)}
    outcome = envfile.parse(text, environ, place.env_file)
    lines = text.splitlines()
    return [
        Injected(name, outcome.get(name), _source(name, outcome.get(name), lines[item.line - 1], environ), item.line)
        for name, item in last.items()
        if item.value is None or item.exported or name in environ
    ]


def _source(name: str, value: str | None, line: str, environ: Mapping[str, str]) -> Source:
    if value is None:
        return "unset"
    if f"${{{name}:-" not in line:
        return "file"
    return "shell" if environ.get(name) else "default"


def values(place: Place) -> dict[str, str | None]:
    return {item.name: item.value for item in injected(place)}


def model_map(place: Place, environment: Mapping[str, str | None]) -> dict[str, Mapped]:
    """slot -> model, effort and the window that the catalog knows for it."""
    models = known_models(place.home)
    named = {slot: environment.get(variable(slot)) for slot in SLOTS}
    return {slot: mapped(value, models) for slot, value in named.items() if value}


def mapped(value: str, models: Sequence[ModelInfo]) -> Mapped:
    found = _VALUE.fullmatch(value.strip())
    model, effort = (found["model"], found["effort"]) if found else (value, None)
    window = next((info.context_window for info in models if info.slug == model), None)
    return Mapped(model, effort, window)


def mismatches(place: Place, environment: Mapping[str, str | None]) -> list[str]:
    """What in the env file would not reach, or not be let in by, the proxy of this home."""
    problems = []
    address = (environment.get("ANTHROPIC_BASE_URL") or "").rstrip("/")
    if address not in {
        f"http://{host}:{place.port}{path}" for host in ("127.0.0.1", "localhost") for path in ("", "/anthropic")
    }:
        problems.append(f"{place.env_file} sends claude to {address or 'no address'}, the proxy is {place.base_url}")
    if environment.get("ANTHROPIC_AUTH_TOKEN") != place.known_token:
        problems.append(f"{place.env_file} does not hold the token of auth/proxy-token")
    return [f"{problem}: `claudex self env --fix` mends it." for problem in problems]
