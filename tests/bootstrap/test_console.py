"""What the set-up says, and when it asks."""

import io
import sys

import pytest

from bootstrap.steps.console import Console, StepFailed, done


@pytest.fixture
def console() -> Console:
    return Console(out=io.StringIO())


def said(console: Console) -> str:
    assert isinstance(console.out, io.StringIO)
    return console.out.getvalue()


def test_a_step_is_one_line_with_what_it_came_to(console: Console) -> None:
    console.step("home", lambda: done("made"))
    assert said(console) == "  home           done: made\n"


def test_a_failed_program_is_named_with_its_last_words(console: Console) -> None:
    with pytest.raises(StepFailed) as failure:
        console.run([sys.executable, "-c", "print('what went wrong'); raise SystemExit(7)"], "trying")
    assert "ended with 7" in failure.value.message
    assert failure.value.hint == "what went wrong"


def test_a_missing_program_is_a_sentence(console: Console) -> None:
    with pytest.raises(StepFailed, match="cannot run /nowhere/program: No such file"):
        console.run(["/nowhere/program"], "trying")


def test_nobody_to_ask_means_no(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert not console.ask("Really?")


def test_yes_answers_every_question() -> None:
    assert Console(yes=True, out=io.StringIO()).ask("Really?")


def test_paths_are_said_as_people_write_them(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    console.step("home", lambda: done("/home/someone/.local and /home/someone-else"))
    assert said(console) == "  home           done: ~/.local and /home/someone-else\n"
