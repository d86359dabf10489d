"""The real `claude -p` works through claudex: tools, a continued conversation, nothing the backend would refuse."""

import json
from pathlib import Path
from typing import Any

from claudex.simulator import Call, Reasoning, Text, turn

from .conftest import Stack

ALLOWED = ("--allowedTools", "Write,Bash,Read", "--permission-mode", "acceptEdits")


def work(file: Path) -> tuple[Any, Any]:
    """A turn that writes with one tool and runs a command with another, in parallel, and a turn that reports."""
    calls = turn(
        Reasoning(["**Plan**\n\nWrite the file, run the command."]),
        Text("I write it and run it.", phase="commentary"),
        Call("Write", {"file_path": str(file), "content": "from claudex\n"}),
        Call("Bash", {"command": "echo ran > ran.txt", "description": "Leave a mark"}),
    )
    return calls, turn(Reasoning(["**Report**"]), Text("Both are done."))


def conversation(stack: Stack) -> list[Any]:
    """The agent's own requests: the ones that offer tools (titles and the like offer none)."""
    return [request for request in stack.simulator.requests if "Bash" in request.data.decode()]


def reasoning_sent(request: Any) -> list[str]:
    items = [item for item in request.body["input"] if item.get("type") == "reasoning"]
    return [item["encrypted_content"] for item in items]


def outputs_sent(request: Any) -> list[str]:
    return [item["call_id"] for item in request.body["input"] if item.get("type") == "function_call_output"]


def test_it_writes_a_file_runs_a_command_and_reports(stack: Stack, claude: str, repository: Path) -> None:
    target = repository / "made.txt"
    stack.simulator.play(*work(target))
    done = stack.claudex("-p", "make it", *ALLOWED, claude=claude, cwd=repository)
    assert (done.returncode, done.stdout.strip()) == (0, "Both are done."), done.stderr + stack.log()
    assert target.read_text() == "from claudex\n"
    assert (repository / "ran.txt").read_text() == "ran\n"
    assert stack.simulator.violations == []
    assert len(outputs_sent(conversation(stack)[-1])) == 2


def test_a_continued_conversation_brings_the_reasoning_back_unchanged(
    stack: Stack, claude: str, repository: Path
) -> None:
    stack.simulator.play(*work(repository / "made.txt"))
    first = stack.claudex("-p", "make it", *ALLOWED, claude=claude, cwd=repository)
    assert first.returncode == 0, first.stderr + stack.log()
    within = reasoning_sent(conversation(stack)[-1])
    assert len(within) == 1
    stack.simulator.play("It was made before.")
    second = stack.claudex("-c", "-p", "what did you do?", *ALLOWED, claude=claude, cwd=repository)
    assert (second.returncode, second.stdout.strip()) == (0, "It was made before."), second.stderr + stack.log()
    after = reasoning_sent(conversation(stack)[-1])
    assert after[: len(within)] == within
    assert len(after) == 2
    assert stack.simulator.violations == []


def test_the_simulated_agent_does_what_the_prompt_says(stack: Stack, claude: str, repository: Path) -> None:
    prompt = "write 'hello' to hello.txt and run `cat hello.txt`"
    done = stack.claudex("-p", prompt, *ALLOWED, claude=claude, cwd=repository)
    assert done.returncode == 0, done.stderr + stack.log()
    assert (repository / "hello.txt").read_text().strip() == "hello"
    assert stack.simulator.violations == []


def test_the_same_session_keeps_one_cache_key(stack: Stack, claude: str, repository: Path) -> None:
    stack.simulator.play(*work(repository / "made.txt"))
    stack.claudex("-p", "make it", *ALLOWED, claude=claude, cwd=repository)
    keys = {request.body["prompt_cache_key"] for request in conversation(stack)}
    assert len(keys) == 1


def test_json_output_names_the_model_that_was_asked_for(stack: Stack, claude: str, repository: Path) -> None:
    stack.simulator.play(turn(Text("Fine.")))
    done = stack.claudex("-p", "how are you?", "--output-format", "json", claude=claude, cwd=repository)
    answer = json.loads(done.stdout)
    assert answer["result"] == "Fine."
    assert answer["is_error"] is False
    assert answer["usage"]["output_tokens"] > 0
