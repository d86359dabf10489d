"""What claude is told about tokens before the backend has counted: /context, and the estimate of each answer."""

import json
import re
from itertools import pairwise

from claudex.simulator import turn

from .conftest import Stack
from .faults import Client, agent, lines, mark, messages

ROW = re.compile(r"^\| ([A-Z][\w ]+?) \| ([\d.]+)(k?) \| [\d.]+% \|$", re.M)
TOTAL = re.compile(r"\*\*Tokens:\*\* ([\d.]+)k / 272k")
NOT_USED = ("Free space", "Autocompact buffer")


def parts_of(context: str) -> dict[str, float]:
    """The categories of /context, in tokens."""
    return {name: float(number) * (1000 if kilo else 1) for name, number, kilo in ROW.findall(context)}


def test_context_sums_to_what_the_backend_counts(client: Client, stack: Stack) -> None:
    """The parts come from count_tokens, the real sum from the last answer's usage."""
    stack.simulator.play(agent(mark("once")), agent("Done."))
    assert client.ask("count").code == 0
    real = messages(stack)[-1]["input"]
    asked = client.ask("/context", "-c")
    assert asked.code == 0, asked
    total = TOTAL.search(asked.said)
    assert total, asked
    parts = parts_of(asked.said)
    assert {"System prompt", "System tools", "Messages"} <= parts.keys(), asked
    used = sum(tokens for name, tokens in parts.items() if name not in NOT_USED)
    assert abs(used - real) < 0.1 * real, f"{parts} is not {real}"
    assert abs(float(total[1]) * 1000 - real) < 0.1 * real
    assert 270_000 < sum(parts.values()) < 274_000
    assert len(messages(stack)) == 2, "tokens were counted by asking the backend"
    counted = [line for line in lines(stack) if line["route"] == "count_tokens"]
    assert len(counted) > 5
    assert {line["status"] for line in counted} == {200}


def estimate(client: Client, prompt: str, *words: str) -> tuple[int, int]:
    """(what the answer's first event said, what the backend counted in the end)."""
    asked = client.ask(prompt, *words, "--output-format", "stream-json", "--verbose", "--include-partial-messages")
    assert asked.code == 0, asked
    found = [json.loads(line) for line in asked.said.splitlines()]
    events = [entry["event"] for entry in found if entry["type"] == "stream_event"]
    first = next(event["message"]["usage"] for event in events if event["type"] == "message_start")
    last = next(event["usage"] for event in reversed(events) if event["type"] == "message_delta")
    return first["input_tokens"], last["input_tokens"] + last["cache_read_input_tokens"]


def test_estimates_follow_what_the_backend_counts_and_outlive_a_restart(older: Client, stack: Stack) -> None:
    """A backend that counts 1.6 times what the simulator does."""
    guessed, counted = estimate(older, "one")
    factor = 1.6
    stack.simulator.play(*(agent(turn("Yes.", usage={"input_tokens": int(counted * factor)})) for _ in range(8)))
    errors = [abs(guessed - counted) / counted]
    for _ in range(7):
        guessed, real = estimate(older, "one")
        errors.append(abs(guessed - real) / real)
    assert errors[1] > 0.2, "the counts did not change"
    assert errors[-1] < 0.13, errors
    assert all(after <= before for before, after in pairwise(errors[1:])), errors
    assert stack.claudex("restart").returncode == 0
    guessed, real = estimate(older, "one")
    assert abs(guessed - real) / real <= errors[-1]
