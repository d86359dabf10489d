"""claude's words, read from help texts recorded with 2.1.197 and 2.1.329."""

from pathlib import Path

import pytest

from claudex.cli import claude_words

DATA = Path(__file__).parent / "data"
VERSIONS = ("2.1.197", "2.1.329")


def table(version: str) -> dict[str, tuple[str, str]]:
    lines = claude_words.parse((DATA / f"claude-{version}-help.txt").read_text("utf-8"))
    return {word: (takes, text) for _, word, takes, text in (line.split("|", 3) for line in lines)}


@pytest.mark.parametrize("version", VERSIONS)
def test_flags_with_all_their_spellings(version: str) -> None:
    words = table(version)
    assert {"-p", "--print", "-r", "--resume", "--allowedTools", "--allowed-tools", "--mcp-config"} <= words.keys()


@pytest.mark.parametrize("version", VERSIONS)
def test_subcommands_with_their_other_names(version: str) -> None:
    assert {"mcp", "doctor", "plugin", "plugins", "update", "upgrade"} <= table(version).keys()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_flag_says_what_it_takes(version: str) -> None:
    words = table(version)
    assert words["--print"][0] == ""
    assert words["--mcp-config"][0] == "?"
    assert words["--output-format"][0] == "text,json,stream-json"
    assert "bypassPermissions" in words["--permission-mode"][0].split(",")
    assert words["--effort"][0].split(",")[:3] == ["low", "medium", "high"]


@pytest.mark.parametrize("version", VERSIONS)
def test_texts_are_one_short_sentence(version: str) -> None:
    texts = [text for _, text in table(version).values()]
    assert all(text and len(text) <= claude_words.HELP_WIDTH and "(e.g" not in text[-5:] for text in texts)


def test_a_wrapped_description_is_joined() -> None:
    text = "Options:\n  --agent <agent>   Agent for the\n     session. Overrides\nCommands:\n  rm <id>   Remove\n"
    assert claude_words.parse(text) == ["|--agent|?|Agent for the session", "|rm||Remove"]


def test_a_description_on_the_next_line_belongs_to_its_flag() -> None:
    text = "Options:\n  --disallowedTools, --disallowed-tools <tools...>\n      Names to deny\n"
    assert claude_words.parse(text) == ["|--disallowedTools|?|Names to deny", "|--disallowed-tools|?|Names to deny"]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    stub = tmp_path / "claude"
    stub.write_text(f'#!/bin/sh\n[ "$1" = --help ] && exec cat "{DATA}/claude-2.1.329-help.txt"\nexit 1\n')
    stub.chmod(0o755)
    return {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "CLAUDE_BIN": str(stub)}


def test_the_help_is_read_once_for_a_claude(environ: dict[str, str], tmp_path: Path) -> None:
    assert claude_words.refresh(environ)
    assert not claude_words.refresh(environ)
    stub = tmp_path / "claude"
    stub.write_text(stub.read_text() + "# another version\n")
    assert claude_words.refresh(environ)


def test_a_word_that_is_ours_is_not_offered_as_claudes(environ: dict[str, str]) -> None:
    claude_words.refresh(environ)
    words = claude_words.cache_file(environ).read_text("utf-8").splitlines()
    assert not [word for word in words if word.startswith(("|stop|", "|status|"))]
    assert [word for word in words if word.startswith("|kill|")]


def test_a_claude_without_help_leaves_an_empty_table(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "claude").write_text("#!/bin/sh\nexit 3\n")
    claude_words.refresh(environ)
    assert len(claude_words.cache_file(environ).read_text("utf-8").splitlines()) == 1
