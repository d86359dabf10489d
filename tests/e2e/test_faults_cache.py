"""The prompt cache: the real claude's conversations keep it, and the ledger names the item that breaks it."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from claudex.simulator import Call, Reasoning, Recorded, Text, turn

from .conftest import Stack
from .faults import Client, agent, asked_of, messages

# The backend counts in steps of 128 tokens, and our prediction is a share of what it counted last.
STEP = 128


def conversation(stack: Stack) -> list[dict[str, Any]]:
    """The log lines of the session's own model calls."""
    return [line for line in messages(stack) if line.get("stream") and not line.get("agent")]


def as_predicted(line: dict[str, Any]) -> bool:
    return bool(abs(line["cached"] - line["predicted"]) <= 4 * STEP)


def work(number: int) -> Any:
    """A turn with reasoning, words and a call whose output grows the conversation."""
    command = {"command": f"seq {number}000 {number}200", "description": f"Count {number}"}
    return agent(
        turn(Reasoning([f"**Step {number}**"]), Text(f"Step {number}.", phase="commentary"), Call("Bash", command))
    )


def test_six_turns_of_tools_are_cached_as_the_ledger_predicts(client: Client, stack: Stack) -> None:
    stack.simulator.play(*(work(number) for number in range(1, 6)), agent("Six turns."))
    first = client.answer("count")
    stack.simulator.play(agent("And a seventh."))
    client.answer("once more", "-c")
    lines = conversation(stack)
    assert len(lines) == 7
    cached = [line["cached"] for line in lines]
    assert cached == sorted(cached)
    assert cached[0] == 0
    assert all(before["input"] - 2 * STEP <= line["cached"] for before, line in pairwise(lines))
    assert all(as_predicted(line) for line in lines[1:]), [(line["predicted"], line["cached"]) for line in lines[1:]]
    assert [line.get("broken_at") for line in lines] == [None] * 7
    assert first["usage"]["cache_read_input_tokens"] == sum(cached[:6])
    assert len({request.body["prompt_cache_key"] for request in asked_of(stack)}) == 1
    assert stack.simulator.violations == []
    check_commands(stack, lines)


def check_commands(stack: Stack, lines: list[dict[str, Any]]) -> None:
    """`self cache` sums up what the log says, and nothing was lost on the way."""
    report = json.loads(stack.claudex("self", "cache", "--json").stdout)["sessions"]
    (session,) = [row for row in report if row["session"] == lines[0]["session"]]
    assert session["requests"] == 7
    assert session["input"] == sum(line["input"] for line in lines)
    assert session["cached"] == sum(line["cached"] for line in lines)
    assert session["hit_ratio"] > 0.8
    shown = stack.claudex("self", "cache", "--session", lines[0]["session"]).stdout
    assert "gpt-6.1-sol" in shown
    losses = json.loads(stack.claudex("self", "losses", "--json").stdout)
    assert losses["total"] == sum(sum(line.get("losses", {}).values()) for line in messages(stack))


def test_an_edited_history_is_named_by_the_ledger(client: Client, stack: Stack) -> None:
    stack.simulator.play(work(1), agent("Counted."))
    client.answer("count the small numbers")
    (transcript,) = stack.user.glob(".claude/projects/*/*.jsonl")
    edit(transcript, "count the small numbers", "count the large numbers")
    stack.simulator.play(agent("Again."))
    client.answer("once more", "-c")
    last = conversation(stack)[-1]
    assert str(last["broken_at"]).startswith("user #"), last
    assert as_predicted(last), last
    assert last["broken_at"] in stack.claudex("self", "cache").stdout
    assert last["broken_at"] in " ".join(stack.claudex("self", "logs", last["id"]).stdout.split())


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def is_subtask(request: Recorded) -> bool:
    return b"the small subtask" in request.data and b"Start the helper" not in request.data


def test_a_subagent_leaves_the_sessions_cache_alone(client: Client, stack: Stack) -> None:
    task = {"description": "small task", "prompt": "the small subtask", "subagent_type": "general-purpose"}
    stack.simulator.play(
        turn(Call("Bash", {"command": "echo sub", "description": "Say sub"}), when=is_subtask),
        turn("The subtask is done.", when=is_subtask),
        agent(turn(Text("Start the helper."), Call("Agent", {**task, "run_in_background": False}))),
        agent("The helper is done."),
    )
    asked = client.answer("Start the helper please", "--allowedTools", "Agent")
    assert asked["result"] == "The helper is done."
    stack.simulator.play(agent("Still here."))
    client.answer("Start the helper never again", "-c")
    subs = [request for request in asked_of(stack) if is_subtask(request)]
    mains = [request for request in asked_of(stack) if not is_subtask(request)]
    assert len(subs) == 2
    assert {request.body["prompt_cache_key"] for request in subs}.isdisjoint(
        request.body["prompt_cache_key"] for request in mains
    )
    lines = conversation(stack)
    assert len(lines) == 3
    assert all(as_predicted(line) and not line.get("broken_at") for line in lines[1:]), lines
    helpers = [line for line in messages(stack) if line.get("agent")]
    assert helpers[1]["cached"] > 0
    assert stack.simulator.violations == []
