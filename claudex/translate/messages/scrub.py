"""Empty optional strings are taken out of tool arguments while they stream.

GPT models like to fill every property they know (`"pages": ""`), and Claude Code's tools refuse such values. Only
top-level members are looked at, and only the beginning of one is ever held back: long values stream on. Whatever is not
the JSON that was expected passes unchanged.
"""

import json
import re
from collections.abc import Callable, Set

_OPEN = re.compile(r"\s*\{")
_MEMBER = re.compile(r'(\s*,)?(\s*("(?:[^"\\]|\\.)*")\s*:\s*)(""?|[^\s"])', re.DOTALL)
_END = re.compile(r"\s*\}")
_MARK = re.compile(r'["{}\[\],]')
_IN_STRING = re.compile(r'["\\]')
# The head of a member (space, name, colon) is never that long in real arguments.
_LONGEST_HEAD = 4096


class Scrubber:
    """Arguments in, arguments out, without the members of `names` whose value is `""`."""

    def __init__(self, names: Set[str]) -> None:
        self._names = names
        self._held = ""
        self._step: Callable[[], str | None] = self._at_start
        self._depth = 0
        self._string = False
        self._escaped = False
        self._kept = False  # a member has been written, so the next one needs a comma

    def push(self, text: str) -> str:
        self._held += text
        out: list[str] = []
        while self._held and (piece := self._step()) is not None:
            out.append(piece)
        if len(self._held) > _LONGEST_HEAD:
            self._step = self._through
            out.append(self._through())
        return "".join(out)

    def flush(self) -> str:
        """The end: what is still held was not the JSON that was expected."""
        return self._through()

    def _through(self) -> str:
        held, self._held = self._held, ""
        return held

    def _take(self, length: int) -> str:
        taken, self._held = self._held[:length], self._held[length:]
        return taken

    def _at_start(self) -> str | None:
        if found := _OPEN.match(self._held):
            self._step = self._at_member
            return self._take(found.end())
        if self._held.strip():
            self._step = self._through
            return ""
        return None

    def _at_member(self) -> str | None:
        if found := _END.match(self._held):
            self._step = self._through
            return self._take(found.end())
        found = _MEMBER.match(self._held)
        if not found:
            return None
        comma, head, name, value = found.groups(default="")
        if value == '"' and found.end() == len(self._held):
            return None  # one more character tells whether the string is empty
        if value == '""' and _unquoted(name) in self._names:
            self._take(found.end())
            return ""
        self._take(len(comma) + len(head))
        kept, self._kept = self._kept, True
        self._step = self._in_value
        self._depth, self._string, self._escaped = 0, False, False
        return comma + head if kept else head

    def _in_value(self) -> str | None:
        """Pass the value on; stop before the comma or brace that ends it."""
        held, at = self._held, 0
        while at < len(held):
            if self._string:
                at = self._skip_string(held, at)
                continue
            found = _MARK.search(held, at)
            if not found:
                break
            at = found.end()
            mark = found.group()
            if mark == '"':
                self._string = True
            elif mark in "{[":
                self._depth += 1
            elif not self._depth:
                self._step = self._at_member
                return self._take(at - 1)
            elif mark != ",":
                self._depth -= 1
        return self._through()

    def _skip_string(self, held: str, at: int) -> int:
        if self._escaped:
            self._escaped = False
            return at + 1
        found = _IN_STRING.search(held, at)
        if not found:
            return len(held)
        if found.group() == "\\":
            self._escaped = True
        else:
            self._string = False
        return found.end()


def _unquoted(name: str) -> object:
    if "\\" not in name:
        return name[1:-1]
    try:
        return json.loads(name)
    except ValueError:
        return None
