"""What exists, read from the code: commands, options, variables, routes, exit codes, settings, files."""

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import typer

import claudex
from bootstrap.steps.places import MANIFEST_NAME
from claudex import errors, home, paths
from claudex.home.models import known_models
from claudex.settings import Settings

ROOT = Path(__file__).parents[2]
PACKAGE = Path(claudex.__file__).parent
OURS = re.compile(
    r"CLAUDEX_(?!TEST_)[A-Z_]+|CODEX_(?:HOME|BIN|CA_CERTIFICATE|REFRESH_TOKEN_URL_OVERRIDE)|CLAUDE_BIN|CLAUDE_CONFIG_DIR"
)
FROM_OTHERS = {"XDG_DATA_HOME", "XDG_CACHE_HOME", "NO_COLOR"}


def commands() -> dict[str, set[str]]:
    """Words of each visible command -> its options."""
    from claudex.cli.app import app

    return dict(_walk(typer.main.get_command(app), ""))


def _walk(command: Any, words: str) -> Iterator[tuple[str, set[str]]]:
    options = {name for parameter in command.params if parameter.param_type_name == "option" for name in parameter.opts}
    yield words, options | {"--help"}
    for name, child in getattr(command, "commands", {}).items():
        if not child.hidden:
            yield from _walk(child, f"{words} {name}".strip())


def constants() -> set[str]:
    """Every string in our code."""
    found: set[str] = set()
    for file in (*PACKAGE.rglob("*.py"), *(ROOT / "bootstrap").rglob("*.py")):
        tree = ast.parse(file.read_text("utf-8"))
        found |= {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
    return found


def env_file_variables(tmp: Path) -> set[str]:
    """Every variable that the env file sets, unsets or mentions."""
    text = home.env_text(known_models(str(tmp)), token="t" * 43, port=1)
    set_ = set(re.findall(r"^(?:# )?export (\w+)=", text, re.M))
    unset = {name for line in re.findall(r"^unset (.*)$", text, re.M) for name in line.split()}
    return set_ | unset


def variables(tmp: Path) -> set[str]:
    return {text for text in constants() if OURS.fullmatch(text)} | FROM_OTHERS | env_file_variables(tmp)


def routes() -> set[str]:
    from claudex.proxy.app import ENTRIES

    return {
        f"{method} {path}{'{id}' if entry.tail else ''}"
        for path, entry in ENTRIES.items()
        for method in entry.methods
        if method != "HEAD" or path == "/"
    }


def exit_codes() -> set[int]:
    """Of every error class, wherever it is defined, and 0."""
    for module in pkgutil.walk_packages([str(PACKAGE)], "claudex."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return {0} | {kind.exit_code for kind in _subclasses(errors.ClaudexError)}


def _subclasses(kind: type[errors.ClaudexError]) -> Iterator[type[errors.ClaudexError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _subclasses(child)


def settings() -> dict[str, set[str]]:
    sections = msgspec.structs.fields(Settings)
    return {section.name: {item.name for item in msgspec.structs.fields(section.type)} for section in sections}


def files() -> set[str]:
    """Relative to the home: what paths.py names, the older env file, and bootstrap's manifest."""
    named = {
        function("/home")
        for _, function in inspect.getmembers(paths, inspect.isfunction)
        if list(inspect.signature(function).parameters) == ["home"]
    }
    return {path.removeprefix("/home/") for path in named} | {paths.LEGACY_ENV_FILE_NAME, MANIFEST_NAME}
