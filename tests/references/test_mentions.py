"""Whatever page mentions a command, an option or a variable of ours: it exists."""

import re
import shlex
from pathlib import Path

import pytest

from claudex.wrapper import OWN_WORDS

from . import facts

PAGES = [
    facts.ROOT / name
    for name in ("README.md", "CONTRIBUTING.md", "references/current-stack.md", "references/skill/SKILL.md")
]
CODE = re.compile(r"`([^`\n]+)`|^    (\S.*)$", re.M)
VARIABLE = re.compile(r"\b(?:CLAUDEX|CLAUDE_CODE|ANTHROPIC)_[A-Z_]+\b")
TEST_VARIABLES = {"CLAUDEX_TEST_CLIENTS", "CLAUDEX_TEST_CACHE"}


def commands_in(page: Path) -> list[list[str]]:
    """The words of every `claudex ...` in code that is one of our own commands."""
    found = []
    for span, block in CODE.findall(page.read_text("utf-8")):
        code = re.split(r" {2,}| #|[$] (?=claudex)", span or block)
        for text in code:
            if match := re.match(r"claudex ((?:[a-z-]+)\b.*)", text):
                words = shlex.split(match[1], posix=True)
                if words[0] in OWN_WORDS:
                    found.append(words)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_their_options_exist(page: Path) -> None:
    known = facts.commands()
    for words in commands_in(page):
        path = ""
        for word in words:
            if f"{path} {word}".strip() not in known:
                break
            path = f"{path} {word}".strip()
        options = {word.split("=")[0] for word in words if word.startswith("-")}
        passed_on = {"--port", "--script", "--home", "--log"} if path == "self simulator" else set()
        assert path, words
        assert options <= known[path] | passed_on, words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_variables_exist(page: Path, tmp_path: Path) -> None:
    named = set(VARIABLE.findall(page.read_text("utf-8")))
    assert named <= facts.variables(tmp_path) | TEST_VARIABLES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = [target for target in re.findall(r"\]\(([^)#]+)", page.read_text("utf-8")) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_skill_has_what_agents_need_to_find_it() -> None:
    text = (facts.ROOT / "references" / "skill" / "SKILL.md").read_text("utf-8")
    front = re.match(r"---\nname: ([a-z-]+)\ndescription: (.+)\n---\n", text)
    assert front
    assert front[1] == "claudex"
    assert len(front[2]) <= 1024
