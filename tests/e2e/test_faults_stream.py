"""The backend breaks, stumbles or is full: the real claude gets its answer, and no tool runs twice."""

from dataclasses import replace

import pytest

from claudex.simulator import Pause, Reasoning, Text, Turn, failed, fault, reset, turn

from .conftest import Stack
from .faults import Client, agent, asked_of, explained, mark, marks, messages

LONG = " ".join(f"word{number}" for number in range(200))
CAPACITY = failed("server_is_overloaded", "Our servers are currently overloaded.", error_event=True)
TOO_MANY = {"error": {"code": "rate_limit_exceeded", "message": "Rate limit reached. Please try again in 1s."}}

# What the backend does before any content, and how often: claude must not notice.
UNNOTICED = {
    "the connection drops unanswered": reset(),
    "the stream is cut before content": turn("never seen", cut_after=3),
    "it ends without an event": turn("never seen", cut_after=0),
    "overload inside a 200, after an error event": CAPACITY,
    "overload inside a 200": failed("server_is_overloaded", "busy"),
    "a failure inside a 200": failed("server_error", "An error occurred."),
    "429 with Retry-After": fault(429, TOO_MANY, headers={"retry-after": "1"}),
    "503": fault(503, {"error": {"code": "slow_down", "message": "Slow down."}}),
    "502 as a page": fault(502, "<html><body>Bad gateway</body></html>"),
}

# What goes wrong once a tool call is complete: claude has it already, so it must run once and be answered for.
SHOWN = Pause(0.3)  # so that what stands before it has gone out to claude
BEHIND_A_CALL = {
    "the end is missing": turn(Text("I run it."), *mark("early").items, SHOWN, terminal=False),
    "failed": turn(*mark("early").items, SHOWN, failed={"code": "server_error", "message": "It broke."}),
    "interrupted": turn(*mark("early").items, SHOWN, Text(LONG), incomplete="interrupted"),
}
IN_THE_TEXT = turn(Text(LONG), *mark("lost").items, cut_after=12, cut_inside=True)


def test_what_happens_before_content_is_retried_unseen(client: Client, stack: Stack) -> None:
    """All kinds share one proxy, so each is one prompt to it."""
    for what, broken in UNNOTICED.items():
        stack.simulator.clear()
        before = len(messages(stack))
        stack.simulator.play(agent(broken), agent(mark("once")), agent("Done after all."))
        asked = client.ask("go on", CLAUDE_CODE_MAX_RETRIES="0")
        assert (asked.code, asked.said) == (0, "Done after all."), f"{what}: {asked}"
        assert len(asked_of(stack)) == 3, what
        first, second = messages(stack)[before:]
        assert (first["attempts"], second["attempts"]) == (2, 1), what
        assert len(first["retries"]) == 1, what
        assert stack.simulator.violations == []
    assert len(marks(client.cwd)) == len(UNNOTICED)


def test_overload_three_times_in_a_row_is_retried_unseen(client: Client, stack: Stack) -> None:
    stack.simulator.play(agent(replace(CAPACITY, repeat=3)), agent("There is room now."))
    asked = client.ask("go on", CLAUDE_CODE_MAX_RETRIES="0")
    assert (asked.code, asked.said) == (0, "There is room now."), asked
    assert len(asked_of(stack)) == 4
    assert messages(stack)[-1]["attempts"] == 4


def test_a_call_before_the_break_runs_once(client: Client, stack: Stack) -> None:
    """Both versions keep a complete call of a broken answer, run it, and go on from its result."""
    for what, broken in BEHIND_A_CALL.items():
        stack.simulator.clear()
        (client.cwd / "ran.txt").unlink(missing_ok=True)
        stack.simulator.play(agent(broken), agent(mark("late")), agent("Done after all."))
        asked = client.ask("go on")
        assert (asked.code, asked.said) == (0, "Done after all."), f"{what}: {asked}"
        assert marks(client.cwd) == ["early", "late"], what
        *_, last = asked_of(stack)
        calls = [item["call_id"] for item in last.input if item["type"] == "function_call"]
        outputs = [item["call_id"] for item in last.input if item["type"] == "function_call_output"]
        assert len(set(calls)) == 2, what
        assert calls == outputs, what
        assert stack.simulator.violations == []


def test_a_break_in_the_text_is_resumed_or_said(client: Client, stack: Stack) -> None:
    """2.1.329 keeps what it has and asks for the rest. 2.1.197 gives up once a block is complete: it must say why."""
    stack.simulator.play(agent(IN_THE_TEXT), agent(mark("late")), agent("Done after all."))
    asked = client.ask("go on")
    if asked.code:
        assert "2.1.197" in client.program, asked
        assert "in the middle of the answer" in asked.said
        assert "in the middle of the answer" in explained(stack, asked.said)
        asked = client.ask("go on", "-c")
    assert (asked.code, asked.said) == (0, "Done after all."), asked
    assert marks(client.cwd) == ["late"]
    assert stack.simulator.violations == []


def test_a_break_before_a_block_is_complete_is_recovered(client: Client, stack: Stack) -> None:
    """Nothing to keep: both versions ask once more."""
    broken = turn(Reasoning(["**Think** " + LONG]), Text("never seen"), cut_after=8)
    stack.simulator.play(agent(broken), agent(mark("late")), agent("Done after all."))
    asked = client.ask("go on")
    assert (asked.code, asked.said) == (0, "Done after all."), asked
    assert marks(client.cwd) == ["late"]
    assert len(asked_of(stack)) == 3


@pytest.mark.parametrize(
    ("broken", "says", "requests"),
    [
        (fault(500, {"error": {"message": "The server had an error."}}), "The server had an error.", 4),
        (fault(403, "<html>Sorry, you have been blocked</html>"), "Cloudflare blocked the request", 1),
        (fault(400, {"detail": "Unsupported parameter: colour"}), "Unsupported parameter: colour", 1),
        (fault(429, TOO_MANY, headers={"retry-after": "3600"}), "Rate limit reached", 1),
    ],
    ids=["500 for ever", "Cloudflare's page", "400", "429 for an hour"],
)
def test_what_cannot_be_mended_is_said_with_an_id(
    client: Client, stack: Stack, broken: Turn, says: str, requests: int
) -> None:
    stack.simulator.play(agent(replace(broken, repeat=0)))
    asked = client.ask("go on", CLAUDE_CODE_MAX_RETRIES="0")
    assert asked.code == 1, asked
    assert says in asked.said
    assert "ChatGPT" in asked.said or "Cloudflare" in asked.said
    assert len(asked_of(stack)) == requests
    assert says in explained(stack, asked.said)


def test_a_dead_upstream_is_named(client: Client, stack: Stack) -> None:
    asked = client.ask("go on", CLAUDE_CODE_MAX_RETRIES="0", CLAUDEX_UPSTREAM="http://127.0.0.1:9/backend-api")
    assert asked.code == 1, asked
    assert "cannot be reached" in asked.said
    assert "The network" in asked.said or "the network" in asked.said
    assert "127.0.0.1 cannot be reached" in explained(stack, asked.said)
    assert asked.seconds < 15


@pytest.mark.parametrize("kind", ["text", "silent"])
def test_an_interrupted_claude_cancels_the_upstream_call(client: Client, stack: Stack, kind: str) -> None:
    """SIGINT to `claudex -p`, which has become claude."""
    slow = turn(Text("I begin "), Pause(60.0), Text("and never end"))
    stack.simulator.play(agent(slow if kind == "text" else turn("late", delay=60.0)))
    gone = client.interrupt("take your time", after=lambda: bool(asked_of(stack)))
    assert asked_of(stack)[0].closed.wait(1), "the upstream call outlived claude"
    assert asked_of(stack)[0].cancelled
    assert gone < 5
