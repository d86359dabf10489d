"""The env file: a subset of sh that `.` in any sh reads to the same result, and that executes nothing.

    # comment                      [export] NAME=VALUE                      unset NAME...

VALUE is made of bare text, 'single' and "double" quotes, $NAME, ${NAME} and ${NAME:-default}. Everything else that sh
would understand (commands, globs, tildes, braces, `;`), or that two shells understand differently, is an EnvFileError.
"""

import os

from .word import Refused, Word, name_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..errors import EnvFileError

# A shell keeps these for itself: reading or setting them gives another result in each.
_SHELL_OWN = frozenset(("IFS", "LINENO", "OPTIND", "PPID", "PS1", "PS2", "PS4", "PWD", "OLDPWD", "_", "UID", "EUID"))
_BLANKS = " \t"


class Assignment:
    """One statement's effect: `value` is None for unset; `exported` says whether `claude` sees it."""

    __slots__ = ("exported", "line", "name", "value")

    def __init__(self, line: int, name: str, value: str | None, exported: bool) -> None:
        self.line = line
        self.name = name
        self.value = value
        self.exported = exported


def error_type() -> "type[EnvFileError]":
    """The error tree costs milliseconds to import, so it is, only when there is an error."""
    from ..errors import EnvFileError

    return EnvFileError


def load(path: str, environ: "Mapping[str, str]") -> dict[str, str]:
    """`environ` with the file's effect: what `sh -c '. FILE; env'` would print.

    Raises OSError when the file cannot be read, EnvFileError with path and line when it is outside the language.
    """
    with open(path, "rb", 0) as file:
        return parse(os.fsdecode(file.read()), environ, path)


def parse(text: str, environ: "Mapping[str, str]", path: str) -> dict[str, str]:
    result = dict(environ)
    for step in _statements(text, result, path):
        if step.value is None:
            result.pop(step.name, None)
        elif step.exported:
            result[step.name] = step.value
    return result


def assignments(text: str, environ: "Mapping[str, str]", path: str) -> list[Assignment]:
    """Every statement in file order, its value expanded."""
    return list(_statements(text, environ, path))


def _statements(text: str, environ: "Mapping[str, str]", path: str) -> "Iterator[Assignment]":
    shell = dict(environ)
    exported = set(environ)
    position = 0
    try:
        _check(text)
        while (position := _skip(text, position)) < len(text):
            start, position = position, _line_end(text, position)
            names, value, export, position = _plain(text, start, position, shell) or _statement(text, start, shell)
            line = 1 + text.count("\n", 0, start)
            for name in names:
                if value is None:
                    shell.pop(name, None)
                    exported.discard(name)
                else:
                    shell[name] = value
                    if export:
                        exported.add(name)
                yield Assignment(line, name, value, name in exported)
    except Refused as refused:
        raise error_type()(path, 1 + text.count("\n", 0, refused.position), refused.why) from None


def _check(text: str) -> None:
    for bad, why in (("\r\n", "Windows line end (CRLF): save the file with LF"), ("\0", "NUL byte")):
        if (at := text.find(bad)) >= 0:
            raise Refused(at, why)
    if text.startswith("\ufeff"):
        raise Refused(0, "byte order mark: save the file as plain UTF-8")


_Step = tuple[
    list[str], str | None, bool, int
]  # names, value (None: unset), whether exported, where the next line begins


def _plain(text: str, start: int, end: int, shell: "Mapping[str, str]") -> _Step | None:
    """`export NAME="text"` and `export NAME="${OTHER:-text}"`: nearly every line there is, and ten times faster."""
    head, _, value = text[start:end].partition('="')
    name = head[7:]
    if head[:7] != "export " or value[-1:] != '"' or not _is_name(name):
        return None
    value = value[:-1]
    known = ""
    if value[:2] == "${" and value[-1:] == "}":
        other, found, value = value[2:-1].partition(":-")
        if not found or not _is_name(other):
            return None
        known = shell.get(other, "")
    if any(char in value for char in '"$`\\}'):
        return None
    return [name], known or value, True, end


def _is_name(word: str) -> bool:
    return word.isascii() and word.isidentifier() and word not in _SHELL_OWN


def _statement(text: str, start: int, shell: "Mapping[str, str]") -> _Step:
    name, position = _name(text, start)
    export = name == "export" and text[position : position + 1] in _BLANKS
    if export:
        name, position = _name(text, _blanks(text, position))
    elif name == "unset" and text[position : position + 1] in _BLANKS:
        names, position = _names(text, position)
        return names, None, False, _end(text, position)
    if not name or text[position : position + 1] != "=":
        raise Refused(start, "expected [export] NAME=VALUE, unset NAME or a comment")
    _not_own(name, start)
    word = Word(text, position + 1, shell, _SHELL_OWN)
    value = word.value()
    return [name], value, export, _end(text, word.position)


def _names(text: str, position: int) -> tuple[list[str], int]:
    names = []
    while True:
        start = _blanks(text, position)
        name, position = _name(text, start)
        if not name:
            break
        _not_own(name, start)
        names.append(name)
        if text[position : position + 1] not in (*_BLANKS, "\n", ""):
            raise Refused(position, "unset wants names only")
    if not names:
        raise Refused(start, "unset wants at least one name")
    return names, start


def _name(text: str, start: int) -> tuple[str, int]:
    end = name_end(text, start)
    return text[start:end], end


def _not_own(name: str, position: int) -> None:
    if name in _SHELL_OWN:
        raise Refused(position, f"{name} belongs to the shell itself")


def _skip(text: str, position: int) -> int:
    """Past blank lines and comments, to the first letter of a statement."""
    while position < len(text):
        position = _blanks(text, position)
        if text[position : position + 1] == "#":
            position = _line_end(text, position)
        if text[position : position + 1] != "\n":
            break
        position += 1
    return position


def _blanks(text: str, position: int) -> int:
    while position < len(text):
        if text[position] in _BLANKS:
            position += 1
        elif text.startswith("\\\n", position):
            position += 2
        else:
            break
    return position


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def _end(text: str, position: int) -> int:
    """After a statement only blanks and a comment may follow; the comment needs a blank before it."""
    after = _blanks(text, position)
    if text[after : after + 1] == "#" and after > position:
        after = _line_end(text, after)
    if text[after : after + 1] not in ("", "\n"):
        raise Refused(after, "one statement a line: put quotes around a value with blanks")
    return after
