"""One value of the env file, read and expanded as sh does it.

Four states, as sh has them: bare, inside "...", and the default of ${NAME:-default} inside either. Field splitting and
globbing do not happen in an assignment, so an expansion is the variable's text as it stands.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Set

_COMMAND = "`"
# Bare, these make sh do something: end the command, redirect, run, match files, expand braces.
_BARE_REFUSED = {
    **dict.fromkeys(";&|<>()", "put quotes around a value with {!r}"),
    **dict.fromkeys("*?[", "{!r} would match file names: put quotes around the value"),
    "{": "put quotes around a value with {!r}",
    _COMMAND: "commands are not run here ({!r})",
}
# In a bare ${NAME:-default} blanks, `;`, `|`, `&` and parentheses are letters; `<(` is a command to some shells.
_DEFAULT_REFUSED = {char: why for char, why in _BARE_REFUSED.items() if char not in ";|&()"}
# After `$`, where sh, or one of the shells, sees an expansion that is none of ours.
_DOLLAR_REFUSED = frozenset("@*#?-$!0123456789([\\")
_DIGITS = frozenset("0123456789")
_NAME = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz") | _DIGITS
# What may need a second look, bare and inside double quotes or a default; between these, text is taken in runs.
_BARE_SPECIAL = frozenset(map(chr, range(33))) | frozenset("'\"$\\~}\x7f") | frozenset(_BARE_REFUSED)
_QUOTED_SPECIAL = frozenset('$`\\"}')
_ESCAPABLE = '$`"\\'


class Refused(Exception):
    """Outside the language, at this position of the text."""

    def __init__(self, position: int, why: str) -> None:
        super().__init__(why)
        self.position = position
        self.why = why


def name_end(text: str, start: int) -> int:
    """Behind the longest NAME at `start`; `start` itself when there is none."""
    if text[start : start + 1] in _DIGITS:
        return start
    for end in range(start, len(text)):
        if text[end] not in _NAME:
            return end
    return len(text)


class Word:
    """`value()` reads from `position` up to the blank or line end behind the value, and leaves `position` there."""

    def __init__(self, text: str, position: int, shell: "Mapping[str, str]", own: "Set[str]") -> None:
        self.text = text
        self.position = position
        self._shell = shell
        self._own = own
        self._inner = False  # between the inner quotes of "${NAME:-"..."}"

    def value(self) -> str:
        parts: list[str] = []
        start = self.position
        while self._next() not in ("", " ", "\t", "\n"):
            parts.append(self._bare_piece(start, _BARE_REFUSED))
        return "".join(parts)

    def _next(self) -> str:
        return self.text[self.position : self.position + 1]

    def _refuse(self, why: str, position: int | None = None) -> Refused:
        return Refused(self.position if position is None else position, why)

    def _bare_piece(self, start: int, refused: "Mapping[str, str]") -> str:
        char = self._next()
        if char == "'":
            return self._single()
        if char == '"':
            return self._double()
        if char == "$":
            return self._dollar(quoted=False)
        if char == "\\":
            return self._bare_escape()
        if char == "~" and (self.position == start or self.text[self.position - 1] in ":="):
            raise self._refuse("`~` is not expanded here: write $HOME")
        if char in refused:
            raise self._refuse(refused[char].format(char))
        if char < " " or char == "\x7f":
            raise self._refuse("control character outside quotes")
        return self._run(_BARE_SPECIAL)

    def _bare_escape(self) -> str:
        char = self.text[self.position + 1 : self.position + 2]
        if not char:
            raise self._refuse("backslash at the end of the file")
        self.position += 2
        return "" if char == "\n" else char

    def _single(self) -> str:
        end = self.text.find("'", self.position + 1)
        if end < 0:
            raise self._refuse("single quote without its end")
        value = self.text[self.position + 1 : end]
        self.position = end + 1
        return value

    def _double(self) -> str:
        opening = self.position
        self.position += 1
        end = self.text.find('"', self.position)
        plain = self.text[self.position : end] if end >= 0 else "$"
        if "$" not in plain and "\\" not in plain and _COMMAND not in plain:
            self.position = end + 1
            return plain
        parts: list[str] = []
        while (char := self._next()) != '"':
            if not char:
                raise self._refuse("double quote without its end", opening)
            parts.append(self._quoted_piece(_ESCAPABLE))
        self.position += 1
        return "".join(parts)

    def _quoted_piece(self, escapable: str, *, only: bool = False) -> str:
        """`only`: a backslash before anything else is refused, as the shells disagree about it."""
        char = self._next()
        if char == "$":
            return self._dollar(quoted=True)
        if char == _COMMAND:
            raise self._refuse(_BARE_REFUSED[_COMMAND].format(char))
        if char == "\\":
            return self._quoted_escape(escapable, only)
        return self._run(_QUOTED_SPECIAL)

    def _run(self, special: "Set[str]") -> str:
        """The letter here, and those behind it up to a special one."""
        text, start = self.text, self.position
        for end in range(start + 1, len(text)):
            if text[end] in special:
                break
        else:
            end = len(text)
        self.position = end
        return text[start:end]

    def _quoted_escape(self, escapable: str, only: bool) -> str:
        char = self.text[self.position + 1 : self.position + 2]
        if char == "\n":
            self.position += 2
            return ""
        if char and char in escapable:
            self.position += 2
            return char
        if only or not char:
            raise self._refuse("a backslash that shells read differently")
        self.position += 1
        return "\\"

    def _dollar(self, *, quoted: bool) -> str:
        at = self.position
        self.position += 1
        char = self._next()
        if char == "{":
            self.position += 1
            return self._braced(at, quoted)
        if name := self._name():
            return self._lookup(name, at)
        if char in _DOLLAR_REFUSED or (not quoted and char in ("'", '"')) or char == _COMMAND:
            raise self._refuse("only $NAME, ${NAME} and ${NAME:-default} are expanded here", at)
        return "$"

    def _name(self) -> str:
        end = name_end(self.text, self.position)
        name = self.text[self.position : end]
        self.position = end
        return name

    def _lookup(self, name: str, at: int) -> str:
        if name in self._own:
            raise self._refuse(f"${name} belongs to the shell itself", at)
        return self._shell.get(name, "")

    def _braced(self, at: int, quoted: bool) -> str:
        name = self._name()
        if name and self._next() == "}":
            self.position += 1
            return self._lookup(name, at)
        if not name or not self.text.startswith(":-", self.position):
            raise self._refuse("only $NAME, ${NAME} and ${NAME:-default} are expanded here", at)
        value = self._lookup(name, at)
        self.position += 2
        default = self._quoted_default(at) if quoted else self._bare_default(at)
        return value or default

    def _bare_default(self, at: int) -> str:
        parts: list[str] = []
        start = self.position
        while (char := self._next()) != "}":
            if not char or char == "\n":
                raise self._refuse("`${` without its `}`", at)
            if char in " \t":
                parts.append(char)
                self.position += 1
            else:
                parts.append(self._bare_piece(start, _DEFAULT_REFUSED))
        self.position += 1
        return "".join(parts)

    def _quoted_default(self, at: int) -> str:
        """Inside "${NAME:-...}": single quotes are letters, double quotes group, and `\\}` is a brace."""
        if self._inner:
            raise self._refuse("a default inside quotes inside a default: shells read it differently", at)
        parts: list[str] = []
        while (char := self._next()) != "}":
            if not char:
                raise self._refuse("`${` without its `}`", at)
            parts.append(self._inner_quotes() if char == '"' else self._quoted_piece(_ESCAPABLE + "}"))
        self.position += 1
        return "".join(parts)

    def _inner_quotes(self) -> str:
        opening = self.position
        self.position += 1
        self._inner = True
        parts: list[str] = []
        while (char := self._next()) != '"':
            if not char:
                raise self._refuse("double quote without its end", opening)
            parts.append(self._quoted_piece(_ESCAPABLE, only=True))
        self._inner = False
        self.position += 1
        return "".join(parts)
