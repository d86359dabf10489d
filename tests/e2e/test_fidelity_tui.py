"""Sessions in a real terminal: what /context counts, /compact, a switched model, and auto mode's questions."""

import re
import shutil
import time
from collections.abc import Callable

import pytest

from claudex.simulator import Call, Reasoning, Recorded, Text, turn

from .conftest import CLAUDEX
from .conversation import BETAS, Talk, effort, outputs, spoken, text, tools_of
from .tui import Tui, skip_first_run_dialogs

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
PROMPT = r"❯"
SUMMARY = "<analysis>Short.</analysis><summary>They asked two things.</summary>"
ASKS_FOR_SUMMARY = "CRITICAL: Respond with TEXT ONLY"


def opened(talk: Talk, *words: str) -> Tui:
    skip_first_run_dialogs(talk.stack.user, talk.cwd)
    environ = {**talk.stack.environ, "CLAUDE_BIN": talk.program, **talk.environ}
    return Tui([CLAUDEX, *words], cwd=talk.cwd, environ=environ, socket=talk.stack.user.parent / "tmux")


def says(words: str) -> Callable[[Recorded], bool]:
    return lambda request: words in request.user and "Bash" in tools_of(request)


def answer(screen: Tui, *keys: str) -> None:
    """Dialogs that appear by themselves ignore keys for their first moment, lest someone typing answers them."""
    time.sleep(1.5)
    screen.press(*keys)


def tokens(screen: str, what: str) -> float:
    """A count as /context shows it, in thousands."""
    found = re.search(what, screen)
    assert found, f"{what} in\n{screen}"
    return float(found[1]) if found[2] == "k" else float(found[1]) / 1000


def test_context_counts_a_model_is_switched_and_compaction_goes_on(talk: Talk) -> None:
    talk.play(
        turn(Reasoning(["**One**"]), Text("The first answer."), when=says("first question")),
        turn("The second answer.", when=says("second question")),
        turn(SUMMARY, when=lambda request: ASKS_FOR_SUMMARY in request.user),
        turn("The third answer.", when=says("third question")),
    )
    with opened(talk, "--permission-mode", "default") as screen:
        screen.wait_for(PROMPT)
        screen.say("first question")
        screen.wait_for(r"The first answer\.")
        screen.say("/context")
        shown = screen.wait_for(r"Autocompact buffer")
        screen.say("/model sonnet")
        screen.wait_for(r"Yes, switch to")
        screen.press("Enter")
        screen.wait_for(r"Set model to")
        screen.say("second question")
        screen.wait_for(r"The second answer\.")
        screen.say("/compact")
        screen.wait_for(r"Compacted")
        screen.say("third question")
        screen.wait_for(r"The third answer\.")

    total = tokens(shown, r"([\d.]+)(k?)/272k tokens")
    parts = [
        tokens(shown, rf"{name}: ([\d.]+)(k?) tokens") for name in ("prompt", "System tools", "Skills", "Messages")
    ]
    assert sum(parts) == pytest.approx(total, abs=0.6)
    first, second, compaction, third = talk.requests
    counted = next(line["input"] for line in talk.lines() if line["slot"] == "opus") / 1000
    assert total == pytest.approx(counted, rel=0.1)

    assert [effort(request) for request in talk.requests] == ["xhigh", "medium", "medium", "medium"]
    assert not any(item["type"] == "reasoning" for item in second.input)
    assert spoken(second, "assistant") == ["The first answer."]
    # 2.1.197 keeps the last turn as it is instead of having it summarised.
    assert {*spoken(compaction, "assistant"), *spoken(third, "assistant")} == {
        "The first answer.",
        "The second answer.",
    }
    assert "They asked two things." in "\n".join(spoken(third, "user"))
    assert list(tools_of(first)) == list(tools_of(third))
    assert first.body["prompt_cache_key"] == third.body["prompt_cache_key"]


def test_auto_mode_asks_the_user_where_no_verdict_is_given(talk: Talk) -> None:
    if not talk.newer:
        pytest.skip("2.1.197 asks a classifier, in the terminal as elsewhere")
    talk.environ = BETAS
    marked = talk.cwd / "marked.txt"
    given = {"command": f"touch {marked} && chmod 777 {marked}", "description": "Mark"}
    talk.play(turn(Call("Bash", given, call_id="call_mark"), when=says("mark it")))
    talk.play(turn("That was it.", when=lambda request: "call_mark" in outputs(request)))
    with opened(talk) as screen:
        screen.wait_for(r"auto mode on")
        screen.say("mark it")
        screen.wait_for(r"Enter to stay in auto mode")
        assert not marked.exists()
        answer(screen, "Enter")
        screen.wait_for(r"so this one needs your approval")
        assert not marked.exists()
        answer(screen, "Down", "Enter")
        screen.wait_for(r"That was it\.")
    assert marked.exists()
    assert not text(outputs(talk.last)["call_mark"]).startswith("[tool error]")
