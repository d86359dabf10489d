"""A model that says nothing for long: the real claude waits, and neither gives up nor asks twice."""

import pytest

from claudex.simulator import Pause, Reasoning, Text, turn

from .conftest import Stack
from .faults import Client, agent, asked_of, messages

LONG_S = 340.0
# The limits of claude itself, as the env file lifts them: without these the test would show claudex's defaults only.
CLAUDES_OWN = {
    "API_FORCE_IDLE_TIMEOUT": "1",
    "CLAUDE_STREAM_IDLE_TIMEOUT_MS": "300000",
}


def settings(stack: Stack, **values: float) -> None:
    """A config.toml with these in [proxy]."""
    assert stack.claudex("start").returncode == 0
    rows = "".join(f"{name} = {value}\n" for name, value in values.items())
    (stack.home / "config.toml").write_text(f"[proxy]\n{rows}")


def test_silence_is_filled_and_the_answer_is_whole(client: Client, stack: Stack) -> None:
    settings(stack, commit_wait_s=0.2, keepalive_s=0.3)
    quiet = turn(Reasoning(["**Thinking**"]), Pause(2.0), Text("first "), Pause(2.0), Text("then the rest."))
    stack.simulator.play(agent(quiet))
    asked = client.ask("think", "--output-format", "stream-json", "--verbose", "--include-partial-messages")
    assert asked.code == 0, asked
    assert "then the rest." in asked.said
    assert asked.said.count("content_block_delta") > 10, "the silence was not filled"
    assert len(asked_of(stack)) == 1


def test_silence_before_the_headers_is_filled_too(client: Client, stack: Stack) -> None:
    settings(stack, commit_wait_s=0.2, keepalive_s=0.3)
    stack.simulator.play(agent(turn("Late, but here.", delay=3.0)))
    asked = client.ask("think", "--output-format", "stream-json", "--verbose", "--include-partial-messages")
    assert asked.code == 0, asked
    assert "Late, but here." in asked.said
    assert asked.said.count("content_block_delta") > 5, "the silence was not filled"
    assert len(asked_of(stack)) == 1


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("where", ["before the headers", "inside the stream"])
def test_nearly_six_minutes_of_silence_are_survived(client: Client, stack: Stack, where: str) -> None:
    """With claude's own limits in force: 300 s without an event, 300 or 360 s without headers."""
    inside = where == "inside the stream"
    before, within = (0.0, LONG_S) if inside else (LONG_S, 0.0)
    quiet = turn(Reasoning(["**Thinking**"]), Pause(within), Text("Still here."), delay=before)
    stack.simulator.play(agent(quiet))
    asked = client.ask("think long", timeout=LONG_S + 120, **CLAUDES_OWN)
    assert (asked.code, asked.said) == (0, "Still here."), asked
    assert asked.seconds > LONG_S
    assert len(asked_of(stack)) == 1
    assert [line["status"] for line in messages(stack) if line.get("stream")][-1] == 200
