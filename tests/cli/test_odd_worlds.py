"""Closed streams, letters that the locale lacks, full disks, lost directories: a sentence, never a traceback."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from ..wrapper.conftest import Stage

pytestmark = pytest.mark.e2e  # each of these starts the real command from a real shell


def in_shell(stage: Stage, line: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`claudex` is the command; what the locale cannot say comes back as it was written."""
    options = {"capture_output": True, "text": True, "errors": "backslashreplace", "timeout": 60}
    environ = stage.environ | variables
    return subprocess.run(["sh", "-c", line], env=environ, cwd=stage.folder, **options)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
def test_closed_streams_change_neither_code_nor_document(stage: Stage, closed: str) -> None:
    result = in_shell(stage, f"claudex status --json {closed}")
    assert result.returncode == 3
    assert "mistake" not in result.stderr
    if ">&-" not in closed.replace("2>&-", ""):
        assert json.loads(result.stdout)["running"] is False


def test_a_reason_never_ends_up_on_stdout(stage: Stage) -> None:
    result = in_shell(stage, "claudex status --nonsense --json 2>&-")
    assert result.returncode == 2
    assert json.loads(result.stdout)["error"]["message"] == "No such option: --nonsense."


def test_without_a_stdin_nothing_is_uninstalled(stage: Stage) -> None:
    result = in_shell(stage, "claudex self uninstall <&-")
    assert result.returncode == 1
    assert "no terminal to ask on" in result.stderr


def test_letters_that_the_locale_lacks_are_replaced(stage: Stage) -> None:
    result = in_shell(stage, "claudex status", PYTHONIOENCODING="ascii")
    assert result.returncode == 3
    assert "not running" in result.stdout
    assert result.stderr == ""


def test_a_document_is_utf_8_in_any_locale(stage: Stage) -> None:
    home = stage.folder / "hämatit"
    result = in_shell(stage, "claudex status --json", PYTHONIOENCODING="ascii", CLAUDEX_GATEWAY_HOME=str(home))
    assert json.loads(result.stdout)["home"] == str(home)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("option", ["", "--json"])
def test_a_full_disk_is_one_sentence(stage: Stage, option: str) -> None:
    result = in_shell(stage, f"claudex self models {option} >/dev/full")
    assert (result.returncode, result.stderr) == (1, "claudex: No space left on device\n")


def test_a_reader_that_leaves_is_no_error(stage: Stage) -> None:
    result = in_shell(stage, "{ claudex self completions bash; echo $? >&2; } | true")
    assert result.stderr in ("141\n", "0\n")


def test_a_directory_that_is_gone_stops_nothing(stage: Stage) -> None:
    result = in_shell(stage, 'mkdir gone && cd gone && rmdir "$PWD" && claudex status')
    assert result.returncode == 3
    assert "not running" in result.stdout


def test_relative_paths_mean_the_directory_of_the_launch(prepared: Stage) -> None:
    """The proxy works in another directory."""
    login = prepared.folder / "login"
    login.mkdir()
    result = in_shell(prepared, "claudex start && claudex status --json", CODEX_HOME="login", XDG_DATA_HOME="odd")
    document = json.loads(result.stdout[result.stdout.index("{") :])
    assert document["auth"]["source"] == str(login / "auth.json")
    assert not (prepared.folder / "odd").exists()


def test_a_proxy_of_another_port_is_named_and_moved(prepared: Stage) -> None:
    """The port of config.toml was changed while it ran."""
    del prepared.environ["CLAUDEX_PORT"]
    config = Path(prepared.home, "config.toml")
    was, now = prepared.port, prepared.port + 1 if prepared.port < 65535 else prepared.port - 1
    config.write_text(f"[proxy]\nport = {was}\n")
    assert in_shell(prepared, "claudex start").returncode == 0
    config.write_text(f"[proxy]\nport = {now}\n")
    assert f"still serves port {was}: `claudex restart` moves it" in in_shell(prepared, "claudex status").stdout
    assert "Run: claudex restart" in in_shell(prepared, "claudex hello").stderr
    try:
        restarted = in_shell(prepared, "claudex restart --json")
        assert json.loads(restarted.stdout)["stopped"]["was_running"] is True
        assert in_shell(prepared, "claudex status").returncode == 0
        assert in_shell(prepared, "claudex self env").stdout.count("--fix") == 1
    finally:
        prepared.port = now  # where the stage looks for what it ends


def test_restarts_at_the_same_moment_all_succeed(prepared: Stage) -> None:
    result = in_shell(prepared, "for n in 1 2 3; do { claudex restart >/dev/null || echo failed; } & done; wait")
    assert (result.stdout, result.stderr) == ("", "")
    assert in_shell(prepared, "claudex status").returncode == 0
