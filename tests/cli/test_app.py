"""What holds for every command: exit codes, one line on stderr, one document on stdout."""

import json
from pathlib import Path

import pytest

from claudex.cli import render
from claudex.cli.app import main
from claudex.errors import ClaudexError

from .conftest import Claudex

SIX = ("status", "start", "stop", "restart", "sync-auth", "probe")
OWN = (
    *SIX,
    "env",
    "models",
    "logs",
    "serve",
    "token",
    "version",
    "completions",
    "cache",
    "losses",
    "uninstall",
    "simulator",
)


def test_help_lists_the_six_and_self(claudex: Claudex) -> None:
    listed = claudex("--help").out
    assert all(f"\n  {name}" in listed for name in (*SIX, "self"))


def test_self_lists_every_word(claudex: Claudex) -> None:
    listed = claudex("self").out
    assert all(f"\n  {name}" in listed for name in OWN)


@pytest.mark.parametrize("name", [name for name in OWN if name != "simulator"])
def test_each_command_has_a_complete_help(claudex: Claudex, name: str) -> None:
    result = claudex("self", name, "--help")
    assert result.code == 0
    assert "--json" in result.out


def test_no_summary_is_cut_short(claudex: Claudex) -> None:
    for words in (["--help"], ["self", "--help"]):
        assert "..." not in claudex(*words).out.split("Commands:")[1]


@pytest.mark.parametrize(
    "argv", [["nonsense"], ["status", "--nonsense"], ["self", "logs", "-n", "many"], ["self", "models", "set"]]
)
def test_wrong_usage_is_2_and_one_line(claudex: Claudex, argv: list[str]) -> None:
    result = claudex(*argv)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("claudex: ")
    assert result.err.count("\n") == 1


def test_an_error_with_json_is_a_document_and_keeps_its_code(claudex: Claudex) -> None:
    result = claudex("self", "token", "--json")
    assert result.code == 1
    assert result.document["error"]["exit_code"] == 1
    assert "does not exist" in result.document["error"]["message"]


def test_ctrl_c_is_130(claudex: Claudex, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("claudex.cli.app.locate", interrupted)
    assert claudex("status").code == 130


def test_a_mistake_of_ours_is_one_line_too(claudex: Claudex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("claudex.cli.app.locate", lambda: 1 // 0)
    result = claudex("status")
    assert result.code == 1
    assert "ZeroDivisionError" in result.err
    assert result.err.count("\n") == 1


def test_a_damaged_config_is_one_sentence(claudex: Claudex, place: Path) -> None:
    place.mkdir()
    (place / "config.toml").write_text("[proxy]\nprot = 1\n")
    for command in SIX:
        result = claudex(command)
        assert result.code == 1
        assert "config.toml" in result.err
        assert "prot" in result.err


def test_a_port_that_is_none_is_one_sentence(claudex: Claudex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDEX_PORT", "eighty")
    result = claudex("status")
    assert result.code == 1
    assert "CLAUDEX_PORT" in result.err


def test_a_home_that_cannot_be_made_is_one_sentence(
    claudex: Claudex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CLAUDEX_GATEWAY_HOME", str(tmp_path / "file" / "home"))
    result = claudex("start")
    assert result.code == 1
    assert "Not a directory" in result.err


def test_no_colours_when_stdout_is_no_terminal(claudex: Claudex) -> None:
    assert "\x1b" not in claudex("status").out


def test_main_takes_no_words_as_a_call_for_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "Usage" in capsys.readouterr().out


def test_progress_speaks_only_after_a_second(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with render.progress("waiting"):
        pass
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(render, "PROGRESS_AFTER_S", 0.0)
    with render.progress("waiting"):
        pass
    assert capsys.readouterr().err in ("", "claudex: waiting …\n")


def test_the_reason_is_one_line_whatever_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert render.fail(ClaudexError("two\nlines"), as_json=False) == 1
    assert capsys.readouterr().err == "claudex: two lines\n"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (3600, "1 h"), (7260, "2 h 1 min"), (90000, "1 d 1 h")],
)
def test_durations_read_well(seconds: float, words: str) -> None:
    assert render.duration(seconds) == words


def test_version_names_the_package(claudex: Claudex) -> None:
    document = json.loads(claudex("self", "version", "--json").out)
    assert document["version"] == "0.1.0"
    assert Path(document["package"]).name == "claudex"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completions_are_printed_as_they_are(claudex: Claudex, shell: str) -> None:
    script = claudex("self", "completions", shell)
    assert script.code == 0
    assert "claudex" in script.out
    assert claudex("self", "completions", shell, "--json").document == {"shell": shell, "script": script.out}


def test_completions_for_an_unknown_shell_are_wrong_usage(claudex: Claudex) -> None:
    assert claudex("self", "completions", "tcsh").code == 2


def test_the_simulator_gets_its_words_as_they_are(claudex: Claudex) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["self", "simulator", "--help"])
    assert ended.value.code == 0
