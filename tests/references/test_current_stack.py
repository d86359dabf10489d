"""references/current-stack.md names what exists, all of it, and nothing else."""

import re
from pathlib import Path

import pytest

from . import facts

PAGE = (facts.ROOT / "references" / "current-stack.md").read_text("utf-8")
SPAN = re.compile(r"`([^`\n]+)`")


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    assert found, f"there is no section {title!r}"
    return found[1]


def spans(text: str) -> list[str]:
    return SPAN.findall(text)


def first_column(text: str) -> list[str]:
    """The code spans in the first column of a section's tables."""
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("|") and not line.startswith("|--")]
    return [span for row in rows for span in spans(row)]


def test_commands() -> None:
    named = {
        " ".join(word for word in span.split()[1:] if word.islower()) for span in first_column(section("Commands"))
    }
    six = {"status", "start", "stop", "restart", "sync-auth", "probe"}
    assert named | {"", "self"} | {f"self {word}" for word in six} == set(facts.commands())


def test_options_of_each_command() -> None:
    text = section("Commands")
    for row in [line for line in text.splitlines() if line.startswith("| `claudex")]:
        words = " ".join(word for word in spans(row)[0].split()[1:] if word.islower())
        named = {span for span in spans(row)[1:] if span.startswith("-")}
        assert named | {"--json", "--help"} == facts.commands()[words] | {"--json"}, words


def test_exit_codes() -> None:
    named = {int(code) for code in re.findall(r"^\| (\d+) \|", section("Exit codes"), re.M)}
    assert named == facts.exit_codes()


def test_variables(tmp_path: Path) -> None:
    assert set(first_column(section("Environment variables"))) == facts.variables(tmp_path)


def test_routes() -> None:
    assert set(first_column(section("Routes"))) == facts.routes()


def test_settings() -> None:
    rows = [spans(line) for line in section("Settings").splitlines() if line.startswith("| `")]
    assert {row[0]: set(row[1:]) for row in rows} == facts.settings()


def test_files() -> None:
    assert set(first_column(section("File layout"))) == facts.files()


@pytest.mark.parametrize("title", ["Background", "Data path", "Model map", "Troubleshooting by symptom"])
def test_the_other_sections_are_there(title: str) -> None:
    assert len(section(title)) > 300


def test_it_says_why_litellm_fails() -> None:
    assert "LiteLLM" in section("Why LiteLLM fails on this backend while this path works")[:2000] or "gateway" in PAGE
