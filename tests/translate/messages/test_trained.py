"""Tools that Anthropic names by a date: at the client they are tools like any other."""

import pytest

from .support import Json, request, tool, translated, upstream, user


@pytest.mark.parametrize(
    ("given", "required"),
    [
        ({"type": "bash_20250124", "name": "bash"}, []),
        (
            {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool", "max_characters": 9},
            ["command", "path"],
        ),
        ({"type": "text_editor_20241022", "name": "str_replace_editor"}, ["command", "path"]),
        ({"type": "memory_20250818", "name": "memory"}, ["command"]),
        (
            {"type": "computer_20251124", "name": "computer", "display_width_px": 800, "display_height_px": 600},
            ["action"],
        ),
    ],
)
def test_a_client_tool_becomes_a_function(given: Json, required: list[str]) -> None:
    up = translated(request(user("hi"), tools=[given, tool("A")]))
    assert not up.losses
    assert up.tools[given["name"]].required == frozenset(required)


def test_the_screen_is_told() -> None:
    screen = {"type": "computer_20250124", "name": "computer", "display_width_px": 800, "display_height_px": 600}
    sent = upstream(
        request(user("hi"), tools=[screen], model="gpt-5.5", tool_choice={"type": "tool", "name": "computer"})
    )
    assert "800 x 600" in sent["tools"][0]["description"]
    assert sent["tool_choice"] == {"type": "function", "name": "computer"}


@pytest.mark.parametrize("kind", ["bash_code_execution_20250825", "computer_toolset", "web_fetch_20250910"])
def test_a_tool_that_runs_at_anthropic_does_not(kind: str) -> None:
    assert translated(request(user("hi"), tools=[{"type": kind, "name": "x"}])).losses == {f"tool.{kind}": 1}
