"""Limits of the plan and of the model: one sentence where nothing helps, else the session goes on."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from claudex.simulator import Call, Recorded, Simulator, failed, turn

from .conftest import Stack
from .faults import Client, agent, asked_of, explained, messages

SUMMARY = "<analysis>All of it.</analysis><summary>The user reads big files.</summary>"
LEFT_OUT = b"claudex left out this tool output"
ASKS_FOR_SUMMARY = b"CRITICAL: Respond with TEXT ONLY"


def is_summary(request: Recorded) -> bool:
    return ASKS_FOR_SUMMARY in request.data


def is_work(request: Recorded) -> bool:
    return b'"name":"Bash"' in request.data and not is_summary(request)


def read(name: str) -> Call:
    return Call("Read", {"file_path": name})


class TestPlan:
    def test_a_used_up_plan_is_said_once_and_at_once(self, client: Client, stack: Stack) -> None:
        assert stack.claudex("start").returncode == 0
        stack.simulator.set_usage(primary=100.0, primary_resets_in=3 * 3600)
        resets = time.strftime("%H:%M", time.localtime(time.time() + 3 * 3600))
        asked = client.ask("go on", CLAUDE_CODE_MAX_RETRIES="10")
        assert asked.code == 1, asked
        assert len(stack.simulator.requests) == 1
        assert asked.seconds < 5
        said = asked.said + asked.stderr
        assert said.count("The usage limit has been reached") == 1, said
        assert re.search(rf"resets (at|on \w+ at) ({resets}|\d\d:\d\d)", said), said
        assert "usage limit" in explained(stack, asked.said)

    def test_a_plan_used_up_in_mid_session_leaves_the_session_whole(self, client: Client, stack: Stack) -> None:
        stack.simulator.play(agent("First answer."))
        assert client.ask("one").said == "First answer."
        stack.simulator.set_usage(primary=100.0)
        assert client.ask("two", "-c").code == 1
        stack.simulator.set_usage(primary=3.0)
        stack.simulator.play(agent("Third answer."))
        again = client.ask("three", "-c")
        assert (again.code, again.said) == (0, "Third answer."), again
        assert b"First answer." in asked_of(stack)[-1].data
        assert stack.simulator.violations == []


class TestWindow:
    """A backend whose window is smaller than claude believes, so that it is the backend that refuses."""

    WINDOW = 45_000

    @pytest.fixture
    def simulator(self) -> Iterator[Simulator]:
        with Simulator.threaded(window=self.WINDOW) as running:
            yield running

    @pytest.fixture
    def files(self, client: Client) -> list[str]:
        """Each about 12,000 tokens when read."""
        row = "the quick brown fox jumps over the lazy dog 0123456789\n"
        found = []
        for number in range(4):
            path = client.cwd / f"big{number}.txt"
            path.write_text(row * 700)
            found.append(str(path))
        return found

    def test_an_overflow_in_mid_session_compacts_and_goes_on(
        self, client: Client, stack: Stack, files: list[str]
    ) -> None:
        reads = [turn(read(name), when=is_work) for name in files]
        stack.simulator.play(
            turn(SUMMARY, when=is_summary, repeat=0), *reads, turn("All is read.", when=is_work, repeat=0)
        )
        asked = client.ask("read the files")
        assert (asked.code, asked.said) == (0, "All is read."), f"{asked}\n{stack.log()}"
        refused = [line for line in messages(stack) if line["status"] == 400]
        assert refused, "nothing overflowed"
        assert refused[0]["error"]["type"] == "ContextOverflow"
        assert any(is_summary(request) for request in stack.simulator.requests)
        assert b"The user reads big files." in stack.simulator.requests[-1].data
        assert stack.simulator.violations == []

    def test_an_overflow_of_the_first_turn_says_so(self, client: Client, stack: Stack) -> None:
        asked = client.ask("read: " + "fox " * 30_000)
        assert asked.code == 1, asked
        assert "prompt is too long" in asked.said.lower()
        assert len(asked_of(stack)) <= 2


def test_a_summary_that_is_too_long_itself_sheds_outputs_until_it_fits(client: Client, stack: Stack) -> None:
    """Refused until two old outputs are gone."""
    too_long = failed("context_length_exceeded", "Your input exceeds the context window of this model.")
    names = [f"file{number}.txt" for number in range(5)]
    for name in names:
        (client.cwd / name).write_text(f"content of {name}\n" * 50)
    stack.simulator.play(
        replace(too_long, repeat=0, when=lambda asked: is_summary(asked) and asked.data.count(LEFT_OUT) < 2),
        turn(SUMMARY, when=is_summary),
        *(turn(read(str(client.cwd / name)), when=is_work) for name in names),
        replace(too_long, when=is_work),
        turn("All is read.", when=is_work),
    )
    asked = client.ask("read the files")
    assert (asked.code, asked.said) == (0, "All is read."), f"{asked}\n{stack.log()}"
    shed = [line for line in messages(stack) if any("shed_level" in kind for kind in line.get("losses", {}))]
    assert [line["status"] for line in shed] == [200]
    assert "shed_level" in stack.claudex("self", "losses").stdout
    assert stack.simulator.violations == []


def test_claude_compacts_before_the_window_is_full(client: Client, stack: Stack) -> None:
    """CLAUDE_CODE_AUTO_COMPACT_WINDOW, measured by the usage that we report."""
    used = {"input_tokens": 90_000, "cached_tokens": 0, "output_tokens": 50}
    stack.simulator.play(
        turn(SUMMARY, when=is_summary),
        turn(Call("Bash", {"command": "echo hi", "description": "Say hi"}), when=is_work),
        turn("One.", usage=used, when=is_work),
        turn("Two.", when=is_work),
    )
    for prompt, words, said in (("one", (), "One."), ("two", ("-c",), "Two.")):
        asked = client.ask(prompt, *words, CLAUDE_CODE_AUTO_COMPACT_WINDOW="100000")
        assert (asked.code, asked.said) == (0, said), asked
    assert [is_summary(request) for request in asked_of(stack)] == [False, False, True, False]
    assert stack.simulator.violations == []
