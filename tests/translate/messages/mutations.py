"""Requests as a broken client or a hostile one would send them: real ones with something changed, from a seed."""

import copy
import json
import random
from typing import Any

from .support import (
    Json,
    assistant,
    call,
    captured,
    encoded,
    image,
    names_of,
    pdf,
    request,
    result,
    seal,
    text,
    thought,
    tool,
    user,
)

ODD: list[Any] = [
    *(None, True, False, 0, -1, 1e308, 10**30, "", " ", "\0", "é😀", '"\\\n', "x" * 300, "\ud800", "\udfff\ud800"),
    *([], {}, [[]], [{}], [None], ["x"], {"type": "text"}, {"type": "text", "text": 5}, {"type": "novelty", "a": {}}),
    *("text", "tool_use", "tool_result", "thinking", "user", "assistant", "system", "image", "document", "url"),
    *("base64", "auto", "any", "none", "tool", "web_search_20250305", "gpt-5.5", "gpt-6-luna(low)", "claude-haiku"),
]
ODD_BYTES = [
    b"\r\n",
    b"\0",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[[[[",
    b",",
    b"\xff\xfe",
    b"\xe2\x82",
    b"\\ud800",
    b"1e999",
    b"null",
]
KEYS = ["type", "text", "content", "id", "name", "input", "tool_use_id", "source", "signature", "is_error", "system"]
# A client's own schema is sent as it is: what the backend says of a wrong one is for the client.
SCHEMAS = ("input_schema", "schema")


def shortened(value: Any, limit: int = 400) -> Any:
    """The same shapes with less text, so that many can be tried."""
    if isinstance(value, dict):
        return {key: shortened(one, limit) for key, one in value.items()}
    if isinstance(value, list):
        return [shortened(one, limit) for one in value]
    return value[:limit] if isinstance(value, str) else value


def _recorded() -> list[Json]:
    folders = "claude-code", "claude-code-2.1.329"
    bodies = [captured(folder, name)["body"] for folder in folders for name in names_of(folder)]
    return [
        {**shortened(body), "model": "opus", "tools": body.get("tools", [])[-3:]}
        for body in bodies
        if body and "messages" in body
    ]


def _made() -> list[Json]:
    thoughts = thought("plan", sealed_as=seal(1), phase="commentary"), thought("more", sealed_as=seal(2), after="a")
    history = [
        user("go", image(), pdf(title="t", context="c")),
        assistant(thoughts[0], "first", thoughts[1], "second", call("a", "Bash", x=1), call("b" * 80, "n" * 100)),
        user(result("a", [text("x"), image(), pdf()], is_error=True), result("b" * 80, "B"), "and now?"),
        assistant({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}}, "found"),
        {"role": "system", "content": "remember"},
        user({"type": "search_result", "title": "t", "source": "s", "content": [text("r")]}),
    ]
    tools = [tool("Bash"), tool("n" * 100), tool("Later", defer_loading=True)]
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2, "allowed_domains": ["a.test"]}
    return [request(*history, tools=tools, system=[text("s")]), request(*history, tools=[*tools, search], system="s")]


BASES: list[Json] = [*_recorded(), *_made(), *_made(), *_made()]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Each container with each of its keys, but nothing inside a schema."""
    found: list[tuple[Any, Any]] = []
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        found.append((value, key))
        if isinstance(inner, dict | list) and key not in SCHEMAS:
            found += places(inner)
    return found


def change(body: Json, chance: random.Random) -> None:
    """One place: another value, none at all, one from elsewhere, twice the same, or another order."""
    everywhere = places(body)
    if not everywhere:
        return
    container, key = chance.choice(everywhere)
    kind = chance.randrange(6)
    if kind == 0:
        del container[key]
    elif kind == 1:
        other, its = chance.choice(places(chance.choice(BASES)))
        container[key] = copy.deepcopy(other[its])
    elif kind == 2 and isinstance(container, list):
        container.insert(chance.randrange(len(container) + 1), copy.deepcopy(container[key]))
    elif kind == 3 and isinstance(container, list):
        chance.shuffle(container)
    elif kind == 4 and isinstance(container, dict):
        container[chance.choice(KEYS)] = copy.deepcopy(chance.choice(ODD))
    else:
        container[key] = copy.deepcopy(chance.choice(ODD))


def damage(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed) + 1)
        kind = chance.randrange(4)
        if kind == 0:
            changed[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            del changed[at : at + chance.randint(1, 40)]
        elif kind == 2:
            changed[at:at] = changed[at : at + chance.randint(1, 200)]
        else:
            changed[at:at] = chance.choice(ODD_BYTES)
    return bytes(changed)


def mutated(chance: random.Random) -> bytes:
    """A body: with odd values, with damaged bytes, or both."""
    body = copy.deepcopy(chance.choice(BASES))
    for _ in range(chance.choice([0, 1, 1, 1, 2, 2, 3, 8])):
        change(body, chance)
    try:
        data = encoded(body)
    except UnicodeEncodeError:  # half a surrogate pair can only be written as an escape
        data = json.dumps(body).encode()
    return data if chance.random() < 0.8 else damage(data, chance)
