"""The completion files in the real shells: a person types, presses TAB, and reads the line."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

from claudex.cli import claude_words

pytestmark = pytest.mark.e2e

COMPLETIONS = Path(__file__).parents[2] / "completions"
HELP = Path(__file__).parent / "data" / "claude-2.1.329-help.txt"
PROMPT = "READY>"
DEADLINE_S = 15
CLEAR_LINE = "\x15"

Shell = Callable[[str], pexpect.spawn]


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A PATH with our real command and a claude that prints the recorded help of 2.1.329."""
    folder = tmp_path / "bin"
    folder.mkdir()
    stub = folder / "claude"
    stub.write_text(f'#!/bin/sh\n[ "$1" = --help ] && exec cat "{HELP}"\nexit 1\n')
    stub.chmod(0o755)
    (folder / "claudex").symlink_to(Path(sys.executable).with_name("claudex"))
    return folder


@pytest.fixture
def shell(programs: Path, scratch_home: Path) -> Iterator[Shell]:
    """Starts a shell with its completions loaded and claude's words already in the cache."""
    opened: list[pexpect.spawn] = []
    environ = {
        "HOME": str(scratch_home),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "TERM": "xterm",
        "LC_ALL": "C.UTF-8",
    }
    claude_words.refresh(environ)

    def start(name: str) -> pexpect.spawn:
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
        argv, setup = _recipes(scratch_home)[name]
        child = pexpect.spawn(
            argv[0], argv[1:], env=environ, encoding="utf-8", timeout=DEADLINE_S, dimensions=(50, 160)
        )
        opened.append(child)
        for line in setup:
            child.sendline(line)
        child.expect(f"loaded-{name}\r")
        child.expect(PROMPT)
        return child

    yield start
    for child in opened:
        child.close(force=True)


def _recipes(home: Path) -> dict[str, tuple[list[str], list[str]]]:
    ready = "echo load''ed-{}"
    fish_prompt = f"function fish_prompt; echo -n '{PROMPT} '; end"
    return {
        "bash": (
            ["bash", "--norc", "--noprofile", "-i"],
            [
                "bind 'set bell-style none'",
                f"PS1='{PROMPT} '",
                f"source {COMPLETIONS}/claudex.bash",
                ready.format("bash"),
            ],
        ),
        "zsh": (
            ["zsh", "-f", "-i"],
            [
                f"PS1='{PROMPT} '; PROMPT_EOL_MARK=",
                f"autoload -Uz compinit && compinit -u -d {home}/.zcompdump",
                f"source {COMPLETIONS}/_claudex",
                ready.format("zsh"),
            ],
        ),
        "fish": (
            ["fish", "--no-config", "--private"],
            [
                "set -g fish_autosuggestion_enabled 0",
                fish_prompt,
                f"source {COMPLETIONS}/claudex.fish",
                ready.format("fish"),
            ],
        ),
        "pwsh": (
            ["pwsh", "-NoProfile", "-NoLogo"],
            [f"function prompt {{ '{PROMPT} ' }}", f". {COMPLETIONS}/claudex.ps1", "'load' + 'ed-pwsh'"],
        ),
    }


COMPLETED = [
    ("claudex stat", "us"),  # our own service command
    ("claudex sync", "-auth"),
    ("claudex ultrar", "eview"),  # claude's own subcommand
    ("claudex --resu", "me"),  # claude's own flag
    ("claudex -p --dangerously", "-skip-permissions"),
    ("claudex --permission-mode bypass", "Permissions"),  # a flag's values
    ("claudex status --js", "on"),  # our option
    ("claudex self completions fi", "sh"),
    ("claudex self models set hai", "ku"),
]


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(("typed", "added"), COMPLETED)
def test_tab_finishes_the_word(shell: Shell, name: str, typed: str, added: str) -> None:
    child = shell(name)
    child.send(typed + "\t")
    child.expect_exact(added)
    child.send(CLEAR_LINE)


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_a_bare_tab_lists_our_words_and_the_words_of_claude(shell: Shell, name: str) -> None:
    child = shell(name)
    child.send("claudex \t\t")
    seen = _read_until(child, ("probe", "sync-auth", "mcp", "doctor"))
    assert {"probe", "sync-auth", "mcp", "doctor"} <= seen


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_a_path_is_completed_where_a_value_is_wanted(shell: Shell, name: str, tmp_path: Path) -> None:
    (tmp_path / "notes-of-today.json").touch()
    child = shell(name)
    child.send(f"claudex --mcp-config {tmp_path}/notes-o\t")
    child.expect_exact("f-today.json")


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_first_tab_fills_the_cache_in_the_background(shell: Shell, name: str, scratch_home: Path) -> None:
    cache = scratch_home / ".cache" / "claudex" / "claude-words"
    child = shell(name)
    cache.unlink()
    child.send("claudex stat\t")
    child.expect_exact("us")
    deadline = time.monotonic() + DEADLINE_S
    while not (cache.exists() and cache.read_text().startswith("#/")):
        assert time.monotonic() < deadline, "the cache was not written"
        time.sleep(0.05)
    assert "|--resume|?|" in cache.read_text()


def test_powershell_finishes_the_word(shell: Shell) -> None:
    if shutil.which("pwsh") is None:
        pytest.skip("pwsh is not installed (it is in no Debian archive)")
    child = shell("pwsh")
    child.send("claudex stat\t")
    child.expect_exact("us")


def _read_until(child: pexpect.spawn, words: tuple[str, ...]) -> set[str]:
    """The words that have appeared, once all have or the time is up."""
    seen: set[str] = set()
    while seen != set(words):
        index = child.expect([*words, pexpect.TIMEOUT], timeout=5)
        if index == len(words):
            break
        seen.add(words[index])
    return seen
