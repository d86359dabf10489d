"""The real claude in a real terminal, started by claudex, on the simulated backend."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from claudex.simulator import Call, Pause, Reasoning, Recorded, Text, turn

from .conftest import CLAUDEX, Stack
from .tui import Tui, skip_first_run_dialogs

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

Open = Callable[..., Tui]
PROMPT = r"❯"


def agent_says(text: str) -> Callable[[Recorded], bool]:
    """The agent's own request for a prompt: 2.1.197 also asks for a title, with the prompt in it and no tools."""
    return lambda request: text in (request.user or "") and b'"name":"Bash"' in request.data


@pytest.fixture
def terminal(stack: Stack, claude: str, repository: Path, tmp_path: Path) -> Open:
    """`terminal(ARG...)` opens `claudex ARG...` in the scratch repository."""
    skip_first_run_dialogs(stack.user, repository)
    environ = {**stack.environ, "CLAUDE_BIN": claude}

    def opened(*words: str) -> Tui:
        return Tui([CLAUDEX, *words], cwd=repository, environ=environ, socket=tmp_path / "tmux")

    return opened


def test_a_tool_loop_edits_files_and_reports(stack: Stack, terminal: Open, repository: Path) -> None:
    made = repository / "made.txt"
    calls = turn(
        Reasoning(["**Plan**\n\nWrite, then run."]),
        Call("Write", {"file_path": str(made), "content": "from the terminal\n"}),
        Call("Bash", {"command": "echo ran > ran.txt", "description": "Leave a mark"}),
        when=agent_says("please do both"),
    )
    stack.simulator.play(
        calls, turn(Text("Both are finished."), when=lambda request: b"function_call_output" in request.data)
    )
    with terminal("--permission-mode", "acceptEdits", "--allowedTools", "Bash,Write") as screen:
        screen.wait_for(PROMPT)
        screen.say("please do both")
        screen.wait_for(r"Both are finished\.")
    assert made.read_text() == "from the terminal\n"
    assert (repository / "ran.txt").read_text() == "ran\n"
    assert stack.simulator.violations == []


def test_escape_stops_the_answer_and_the_upstream_call(stack: Stack, terminal: Open) -> None:
    slow = turn(Text("I begin "), Pause(30.0, keepalive=True), Text("and never end"), when=agent_says("take your time"))
    stack.simulator.play(slow, turn("Here again.", when=agent_says("are you there")))
    with terminal("--permission-mode", "default") as screen:
        screen.wait_for(PROMPT)
        screen.say("take your time")
        screen.wait_for(r"I begin")
        asked = next(
            request for request in stack.simulator.requests if request.user and "take your time" in request.user
        )
        screen.press("Escape")
        screen.wait_for(r"Interrupted")
        assert asked.closed.wait(3), "the upstream call outlived the client's"
        screen.say("are you there")
        screen.wait_for(r"Here again\.")
    assert stack.simulator.violations == []


def test_context_model_and_compact_work(stack: Stack, terminal: Open) -> None:
    stack.simulator.play(turn("The first answer.", when=agent_says("first question")))
    with terminal("--permission-mode", "default") as screen:
        screen.wait_for(PROMPT)
        screen.say("first question")
        screen.wait_for(r"The first answer\.")
        screen.say("/context")
        screen.wait_for(r"27\dk|272\.?\d*k|272,?000|/272k")
        screen.say("/compact")
        screen.wait_for(r"Compacted|compacted|summar", timeout=60)
    assert stack.simulator.violations == []
