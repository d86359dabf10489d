"""MCP through the real claude: names longer than the backend takes, schemas as they come, tools that come late."""

import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

from claudex.simulator import Call

from . import odd_mcp
from .conversation import Talk, agent, outputs, parts, text, tools_of

SERVER = Path(odd_mcp.__file__)


def server(*words: str) -> tuple[str, ...]:
    """The words that give claude the odd server and no other."""
    about = {"command": sys.executable, "args": [str(SERVER), *words]}
    return ("--mcp-config", json.dumps({"mcpServers": {"odd": about}}), "--strict-mcp-config")


def by_description(talk: Talk) -> dict[str, dict[str, Any]]:
    return {tool.get("description", ""): tool for tool in tools_of(talk.last).values() if "odd" in tool["name"]}


def test_long_names_and_odd_schemas_are_called_and_come_back(talk: Talk) -> None:
    talk.play(agent("I see them."))
    first = talk.ask("look", *server())
    tools = by_description(talk)
    assert all(len(name) <= 64 for name in tools_of(talk.last))
    names = {description: tool["name"] for description, tool in tools.items()}
    given: dict[str, Any] = {
        "A name of 100 characters": {"a": 1},
        "A name of 128 characters": {"b": ["x"]},
        "Its neighbour": {},
        "A name of 148 characters": {"c": "é"},
        "": {"deep": {"er": True}},
        "Schema by reference": {"at": {"x": 1.5}},
        "Characters nobody allows": {"which": None, "mode": "a"},
        "Gives back an image": {},
        "Always fails": {},
    }
    if talk.newer:  # it leaves out tools whose names are longer than 128 characters
        given.pop("A name of 148 characters")
    assert set(given) == set(names)
    assert all(tool["parameters"]["type"] == "object" for tool in tools.values())
    references = tools["Schema by reference"]["parameters"]
    assert references["properties"]["at"] == {"$ref": "#/definitions/point"}
    assert references["definitions"] == odd_mcp.REFERENCES["definitions"]
    calls = [Call(names[key], value, call_id=f"call_{place}") for place, (key, value) in enumerate(given.items())]
    talk.play(agent(*calls), agent("Called them all."))
    said = talk.ask("call them", "-r", first.session, *server())
    assert said.text == "Called them all."
    assert [len(name) for name, _ in said.calls if len(name) > 64] == [100, 128, 128, *([] if talk.newer else [148])]
    got = {key: outputs(talk.last)[f"call_{place}"] for place, key in enumerate(given)}
    for tool in odd_mcp.TOOLS:
        key = tool["description"]
        if key in given and key not in ("Gives back an image", "Always fails"):
            assert text(got[key]) == f"{tool['name']} got {json.dumps(given[key], sort_keys=True)}"
    assert parts(got["Gives back an image"], "input_image")[0]["image_url"].endswith(odd_mcp.PIXEL)
    assert text(got["Always fails"]) == "[tool error]\nI will not"
    # The history is told under the names that the tools have there, and these never change.
    called = [item["name"] for item in talk.last.input if item["type"] == "function_call"]
    assert called == [names[key] for key in given]
    assert [list(tools_of(request)) for request in talk.requests] == [list(tools_of(talk.last))] * 3


def test_a_tool_that_comes_late_is_appended(talk: Talk) -> None:
    talk.play(
        agent(Call("mcp__odd__bare", {})),
        agent(Call("Bash", {"command": "sleep 0.5", "description": "Wait"})),
        agent(Call("mcp__odd__aardvark", {"now": 1}, call_id="call_late")),
        agent("Done."),
    )
    said = talk.ask("go", *server("late"))
    assert said.text == "Done."
    assert text(outputs(talk.last)["call_late"]) == 'aardvark got {"now": 1}'
    lists = [list(tools_of(request)) for request in talk.requests]
    for earlier, later in pairwise(lists):
        assert later[: len(earlier)] == earlier
    assert "mcp__odd__aardvark" in lists[-1]
