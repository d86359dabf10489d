"""Change values of the env file where they stand: comments, order and everything else stay as they are."""

import re
from collections.abc import Mapping

from ..errors import ClaudexError
from ..wrapper import envfile

_VALUE = r"""(?P<value>"(?:[^"\\]|\\.)*"|'[^']*'|[^\s#'"]*)(?P<tail>\s*(?:\s#.*)?)$"""
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,-]+")


def set_values(text: str, values: Mapping[str, str], path: str) -> str:
    """`text` with each NAME meaning VALUE (where no shell variable overrides it).

    The last assignment of a name is the one in force, so that line is edited; a new name gets a line at the
    end.
    Raises ClaudexError for a line whose form cannot be edited safely.
    """
    for name, value in values.items():
        text = _set(text, name, value, path)
    return text


def _set(text: str, name: str, value: str, path: str) -> str:
    lines = text.splitlines(keepends=True)
    assigns = re.compile(rf"\s*(?:export\s+)?{name}=")
    at = max((number for number, line in enumerate(lines) if assigns.match(line)), default=None)
    if at is None:
        gap = "" if not text or text.endswith("\n") else "\n"
        edited = f'{text}{gap}export {name}="${{{name}:-{value}}}"\n'
    else:
        lines[at] = _edited(lines[at], name, value)
        edited = "".join(lines)
    if envfile.parse(edited, {}, path).get(name) != value:
        place = f"{path}:{at + 1}" if at is not None else path
        raise ClaudexError(f"{place}: {name} stands in a form that claudex does not edit.", hint="Change it by hand.")
    return edited


def _edited(line: str, name: str, value: str) -> str:
    """The line with its value replaced, in the form it had; unchanged when it is not understood."""
    body = line.rstrip("\r\n")
    found = re.match(rf"(?P<head>\s*(?:export\s+)?{name}=){_VALUE}", body)
    if not found:
        return line
    overridable = found["value"].strip("\"'").startswith(f"${{{name}:-") and not found["value"].startswith("'")
    written = f'"${{{name}:-{value}}}"' if overridable else _quoted(value)
    return found["head"] + written + found["tail"] + line[len(body) :]


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else f'"{value}"'
