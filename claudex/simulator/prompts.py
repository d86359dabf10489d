"""What a prompt asks for, as far as a program without a model can tell.

Understood, joined by whatever words: write or create a file, run a command, read a file, replace one text by another in
a file, call a tool by name, search the web.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .recorded import Recorded, text_of


@dataclass(frozen=True)
class Write:
    path: str
    content: str


@dataclass(frozen=True)
class Run:
    command: str


@dataclass(frozen=True)
class Read:
    path: str


@dataclass(frozen=True)
class Edit:
    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Use:
    tool: str
    arguments: str | None = None


@dataclass(frozen=True)
class Search:
    query: str


Task = Write | Run | Read | Edit | Use | Search

_WRAPPED = re.compile(
    r"<(system-reminder|environment_context|user_instructions|command-name|command-message|command-args"
    r"|local-command-stdout|local-command-caveat|total_tokens)\b[^>]*>.*?</\1>",
    re.DOTALL,
)


def _quoted(name: str) -> str:
    return rf"(?:'(?P<{name}1>[^']*)'|\"(?P<{name}2>[^\"]*)\"|`(?P<{name}3>[^`]*)`)"


def _path(name: str) -> str:
    return rf"(?:{_quoted(name)}|(?P<{name}0>[\w~@+/-][\w./~@+-]*\w))"


_DOTTED = rf"(?:{_quoted('path')}|(?P<path0>[\w~/-][\w./~-]*[./][\w./~-]*\w|\w+\.\w+))"
_FILE = r"(?:(?:a|the)\s+)?(?:new\s+)?(?:text\s+)?(?:file\s+)?(?:called\s+|named\s+)?"
_WITH = r"\s+(?:with|containing|that\s+(?:says|contains))\s+(?:the\s+)?(?:text\s+|contents?\s+|line\s+)?:?\s*"
_COMMANDS = (
    "cat|date|echo|env|false|git|head|id|ls|mkdir|printf|pwd|python3|seq|sleep|sort|tail|touch|true|uname|wc|whoami"
)
_END = r"(?=,|\s+and\s|\s+then\s|[.;]?\s*(?:\n|$))"

_PATTERNS: list[tuple[str, Callable[[re.Match[str]], Task]]] = [
    (
        rf"\b(?:write|put|save)\s+{_quoted('content')}\s+(?:in|to|into)\s+{_FILE}{_path('path')}",
        lambda found: Write(_get(found, "path"), _get(found, "content")),
    ),
    (
        rf"\b(?:create|make|write)\s+{_FILE}{_path('path')}{_WITH}{_quoted('content')}",
        lambda found: Write(_get(found, "path"), _get(found, "content")),
    ),
    (
        rf"\b(?:write|put|save)\s+(?P<content0>\S[^\n'\"`]{{0,200}}?)\s+(?:in|to|into)\s+{_FILE}{_DOTTED}",
        lambda found: Write(_get(found, "path"), _get(found, "content")),
    ),
    (
        rf"\b(?:create|make)\s+(?:(?:a|the)\s+)?(?:new\s+|empty\s+)*file\s+(?:called\s+|named\s+)?{_path('path')}",
        lambda found: Write(_get(found, "path"), "Written by the claudex simulator.\n"),
    ),
    (
        rf"\b(?:replace|change)\s+{_quoted('old')}\s+(?:with|by|to)\s+{_quoted('new')}\s+in\s+{_FILE}{_path('path')}",
        lambda found: Edit(_get(found, "path"), _get(found, "old"), _get(found, "new")),
    ),
    (
        rf"\b(?:run|execute)\s+(?:the\s+)?(?:shell\s+)?(?:command\s*:?\s*)?"
        rf"(?:{_quoted('command')}|(?P<command0>(?:{_COMMANDS})\b[^\n,;]*?){_END})",
        lambda found: Run(_get(found, "command")),
    ),
    (
        rf"\b(?:read|show|open)\s+(?:me\s+)?(?:the\s+)?(?:file\s+)?{_DOTTED}",
        lambda found: Read(_get(found, "path")),
    ),
    (
        r"\b(?:call|use|invoke)\s+(?:the\s+)?(?:tool\s+)?[`'\"]?(?P<tool0>[A-Za-z_][\w-]*)[`'\"]?"
        r"(?:\s+tool)?(?:\s+with\s+(?P<arguments0>\{.*?\})(?=\s|[.,;]|$))?",
        lambda found: Use(_get(found, "tool"), found["arguments0"]),
    ),
    (
        rf"(?:search the web for|web search for(?: the query:)?)\s*(?:{_quoted('query')}|(?P<query0>[^\n]+))",
        lambda found: Search(_get(found, "query").strip(" .")),
    ),
]
_COMPILED = [(re.compile(pattern, re.IGNORECASE | re.DOTALL), make) for pattern, make in _PATTERNS]


def tasks(text: str) -> list[Task]:
    """The tasks in the order of the text; a stretch of text is used once."""
    found = []
    for rank, (pattern, make) in enumerate(_COMPILED):
        found += [(match.start(), rank, match.end(), make(match)) for match in pattern.finditer(text)]
    chosen, reached = [], 0
    for start, _, end, task in sorted(found, key=lambda entry: entry[:2]):
        if start >= reached:
            chosen.append(task)
            reached = end
    return chosen


def spoken(text: str) -> str:
    """The text without what the client wraps around it."""
    return _WRAPPED.sub("", text).strip()


def prompt_index(request: Recorded) -> int:
    """Index of the last input item in which the user says something; -1 if there is none."""
    for index in range(len(request.input) - 1, -1, -1):
        item = request.input[index]
        if item["type"] == "message" and item["role"] == "user" and spoken(text_of(item["content"])):
            return index
    return -1


def prompt(request: Recorded) -> str:
    index = prompt_index(request)
    if index < 0:
        return ""
    parts = request.input[index]["content"]
    said = [spoken(str(part["text"])) for part in parts if "text" in part]
    return "\n".join(text for text in said if text)


def instructions(request: Recorded) -> str:
    """Everything that the client says as the system."""
    said = [str(request.body.get("instructions", ""))]
    said += [
        text_of(item["content"]) for item in request.input if item.get("role") == "developer" and "content" in item
    ]
    return "\n".join(said)


def arguments(text: str | None) -> dict[str, Any] | None:
    try:
        value = json.loads(text) if text else None
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _get(match: re.Match[str], name: str) -> str:
    groups = match.groupdict()
    return next((value for key in "0123" if (value := groups.get(name + key)) is not None), "")
