"""Which program claude is, and which of its words need no proxy."""

import os
from pathlib import Path

import pytest

from claudex.errors import ClaudeNotFound
from claudex.wrapper import claude

from .conftest import SCRIPT, STUB, executable


@pytest.mark.parametrize(
    ("argv", "needed"),
    [
        ([], True),
        (["-p", "hello"], True),
        (["--version"], False),
        (["-h"], False),
        (["-p", "--help"], True),
        (["update"], False),
        (["mcp", "list"], False),
        (["mcp", "serve"], True),
        (["auto-mode", "config"], False),
        (["auto-mode", "critique"], True),
        (["agents"], True),
        (["remote-control"], True),
        (["ultrareview"], True),
        (["--", "update"], True),
        ([""], True),
    ],
)
def test_words_that_need_the_proxy(argv: list[str], needed: bool) -> None:
    assert claude.needs_proxy(argv) is needed


def test_first_on_path_that_is_a_program(tmp_path: Path) -> None:
    (tmp_path / "a/claude").mkdir(parents=True)
    executable(tmp_path / "b/claude", STUB).chmod(0o644)
    wanted = executable(tmp_path / "c/claude", STUB)
    executable(tmp_path / "d/claude", STUB)
    assert claude.find({"PATH": ":".join(str(tmp_path / name) for name in "abcd")}) == str(wanted)


WAYS = ["symlink", "chain", "hard link", "copy", "calls us", "calls us with more", "our wrapper by another name"]


@pytest.mark.parametrize("way", WAYS)
def test_what_leads_back_to_us_is_passed_over(tmp_path: Path, way: str) -> None:
    ours = executable(tmp_path / "x/claudex", SCRIPT.format(python="/usr/bin/python3", source="/x"))
    bait = tmp_path / "a/claude"
    bait.parent.mkdir()
    if way == "symlink":
        bait.symlink_to(ours)
    elif way == "chain":
        (tmp_path / "a/between").symlink_to(ours)
        bait.symlink_to("between")
    elif way == "hard link":
        os.link(ours, bait)
    elif way == "copy":
        executable(bait, ours.read_text())
    elif way == "calls us":
        executable(bait, '#!/bin/sh\nexec claudex "$@"\n')
    elif way == "calls us with more":
        executable(bait, '#!/bin/sh\nexec "$HOME/.local/bin/claudex" --model opus "$@"\n')
    else:
        bait.symlink_to(executable(tmp_path / "y/claudex", "another build of us"))
    wanted = executable(tmp_path / "b/claude", STUB)
    assert claude.find({"PATH": f"{tmp_path}/a:{tmp_path}/b"}) == str(wanted)
    with pytest.raises(ClaudeNotFound, match="no `claude` on PATH"):
        claude.find({"PATH": f"{tmp_path}/a"})
    with pytest.raises(ClaudeNotFound, match="is claudex itself"):
        claude.find({"CLAUDE_BIN": str(bait)})


def test_a_script_that_only_mentions_us_is_claude(tmp_path: Path) -> None:
    script = executable(tmp_path / "a/claude", '#!/bin/sh\n# not claudex: that would loop\nexec /opt/claude "$@"\n')
    assert claude.find({"PATH": str(tmp_path / "a")}) == str(script)


def test_claude_bin_wins(tmp_path: Path) -> None:
    wanted = executable(tmp_path / "special", STUB)
    executable(tmp_path / "a/claude", STUB)
    assert claude.find({"CLAUDE_BIN": str(wanted), "PATH": f"{tmp_path}/a"}) == str(wanted)


def test_claude_bin_may_be_a_name_on_path(tmp_path: Path) -> None:
    wanted = executable(tmp_path / "a/claude-next", STUB)
    assert claude.find({"CLAUDE_BIN": "claude-next", "PATH": f"{tmp_path}/a"}) == str(wanted)


def test_a_wrong_claude_bin_is_said_and_not_replaced(tmp_path: Path) -> None:
    executable(tmp_path / "a/claude", STUB)
    environ = {"PATH": f"{tmp_path}/a"}
    (tmp_path / "data").write_text("")
    with pytest.raises(ClaudeNotFound, match="does not exist"):
        claude.find(environ | {"CLAUDE_BIN": str(tmp_path / "nowhere")})
    with pytest.raises(ClaudeNotFound, match="not an executable file"):
        claude.find(environ | {"CLAUDE_BIN": str(tmp_path / "data")})
    with pytest.raises(ClaudeNotFound, match="not an executable file"):
        claude.find(environ | {"CLAUDE_BIN": str(tmp_path)})


def test_an_empty_directory_on_path_is_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(tmp_path / "claude", STUB)
    monkeypatch.chdir(tmp_path)
    assert claude.find({"PATH": "/nowhere::/bin"}) == "./claude"
