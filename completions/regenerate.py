#!/usr/bin/env python3
"""Write the table of our own words into the four completion files, from the CLI itself: `just completions`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

HERE = Path(__file__).resolve().parent
FILES = ("claudex.bash", "_claudex", "claudex.fish", "claudex.ps1")
BEGIN = "#begin own words, written by completions/regenerate.py\n"
END = "#end\n"

# Positionals whose values are known, by the argument's name.
VALUES = {
    "slot": "opus,sonnet,haiku",
    "shell": "bash,zsh,fish,powershell",
    "effort": "none,low,medium,high,xhigh,max",
    "--model": "opus,sonnet,haiku",
}


def own_lines() -> list[str]:
    """scope|word|takes|help for every command, option and known positional that is not hidden."""
    from claudex.cli.app import app

    return list(_walk(typer.main.get_command(app), ""))


def _walk(command: Any, scope: str) -> Iterator[str]:
    """`command` is a click command; Typer may bring a click of its own, so nothing of click is imported."""
    position = 0
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            position += 1
            if values := _values(parameter):
                yield f"{scope}|<{position}>|{values}|"
        elif scope and not parameter.hidden:
            takes = "" if parameter.is_flag else _values(parameter) or "?"
            for name in (*parameter.opts, *parameter.secondary_opts):
                yield f"{scope}|{name}|{takes}|{_short(parameter.help)}"
    if scope:
        yield f"{scope}|--help||Show what it does"
    for name, child in getattr(command, "commands", {}).items():
        if not child.hidden:
            yield f"{scope}|{name}||{_short(child.help)}"
            yield from _walk(child, f"{scope} {name}".strip())


def _values(parameter: Any) -> str:
    return VALUES.get(parameter.opts[-1], "")


def _short(text: str | None) -> str:
    """The first sentence of a help text."""
    paragraph = " ".join((text or "").split("\n\n")[0].split())
    return paragraph.split(". ")[0].rstrip(".")


def written(name: str, lines: list[str]) -> str:
    """The content of a completion file with this table in it."""
    text = (HERE / name).read_text("utf-8")
    head, rest = text.split(BEGIN)
    _, foot = rest.split(END, 1)
    table = "".join(f"{line}\n" for line in lines)
    if name.endswith(".fish"):
        table = table.replace("\\", "\\\\").replace("'", "\\'")
    return head + BEGIN + table + END + foot


def main() -> int:
    lines = own_lines()
    for name in FILES:
        (HERE / name).write_text(written(name, lines), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
