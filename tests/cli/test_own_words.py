"""logs, cache, losses, token, serve and uninstall."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from claudex import home, paths
from claudex.cli import logs
from claudex.cli.place import locate

from .conftest import Claudex

REQUEST = {
    "time": "2026-11-21T12:00:00Z", "level": "info", "event": "request", "id": "req_1", "slot": "opus",
    "requested": "gpt-6.1-sol(xhigh)", "model": "gpt-6.1-sol", "effort": "xhigh", "lane": "lite", "status": 200,
    "input": 900, "cached": 800, "output": 12, "first_event_ms": 310, "total_ms": 12500, "attempts": 2, "losses": {},
}  # fmt: skip


@pytest.fixture
def made(claudex: Claudex, place: Path) -> Path:
    home.prepare(str(place), {}, 8327)
    return place


def write_log(place: Path, *entries: dict[str, Any] | str, name: str = "proxy.log") -> Path:
    path = place / "logs" / name
    path.write_text("".join(f"{entry if isinstance(entry, str) else json.dumps(entry)}\n" for entry in entries))
    return path


# ---- logs


def test_logs_show_one_line_per_request(made: Path, claudex: Claudex) -> None:
    write_log(made, REQUEST, {"time": "2026-11-21T12:00:01Z", "level": "info", "event": "stop", "drained": 0})
    out = claudex("self", "logs").out
    assert "opus → gpt-6.1-sol(xhigh) lite" in out
    assert "in 900 cached 800 out 12" in out
    assert "stop drained=0" in out


def test_a_line_that_is_not_json_is_shown_as_it_is(made: Path, claudex: Claudex) -> None:
    write_log(made, "Fatal Python error: [x]", REQUEST)
    assert "Fatal Python error: [x]" in claudex("self", "logs").out
    assert claudex("self", "logs", "--json").document["entries"][0] == {"text": "Fatal Python error: [x]"}


def test_n_lines_reach_into_rotated_files(made: Path, claudex: Claudex) -> None:
    write_log(made, *({**REQUEST, "id": f"req_{number}"} for number in (3, 4)))
    write_log(made, *({**REQUEST, "id": f"req_{number}"} for number in (1, 2)), name="proxy.log.1")
    found = claudex("self", "logs", "-n", "3", "--json").document["entries"]
    assert [entry["id"] for entry in found] == ["req_2", "req_3", "req_4"]
    assert claudex("self", "logs", "-n", "0", "--json").document["entries"] == []


def test_an_id_is_explained(made: Path, claudex: Claudex) -> None:
    error = {"who": "ChatGPT", "type": "rate_limit_error", "message": "the weekly limit is used up", "hint": "Wait."}
    write_log(made, {**REQUEST, "id": "req_9", "status": 429, "error": error}, REQUEST)
    result = claudex("self", "logs", "req_9")
    assert "Refused by ChatGPT: the weekly limit is used up Wait." in result.out
    assert "2 attempts" in result.out
    assert claudex("self", "logs", "req_9", "--json").document["request"]["status"] == 429


def test_an_unknown_id_is_one_sentence(made: Path, claudex: Claudex) -> None:
    result = claudex("self", "logs", "req_nowhere")
    assert result.code == 1
    assert "req_nowhere" in result.err


def test_logs_before_the_first_run(claudex: Claudex) -> None:
    assert claudex("self", "logs").code == 0


def test_following_goes_on_across_a_rotation(made: Path) -> None:
    log = write_log(made, "old")
    lines = logs._new_lines(Path(paths.log(str(made))))
    logs.POLL_S, before = 0.0, logs.POLL_S
    try:
        with log.open("a") as file:
            file.write("")
        step = _Step(lines, log)
        assert step.after("one\n") == "one"
        log.rename(log.with_suffix(".log.1"))
        log.write_text("")
        assert step.after("two\n") == "two"
    finally:
        logs.POLL_S = before
        lines.close()  # type: ignore[attr-defined]


class _Step:
    """Writes on the generator's first idle look, so that the test needs no thread and no sleep."""

    def __init__(self, lines: Any, log: Path) -> None:
        self.lines, self.log = lines, log

    def after(self, text: str) -> str:
        def write(_: float) -> None:
            if text:
                with self.log.open("a") as file:
                    file.write(text)
                logs.time.sleep = real

        real, logs.time.sleep = logs.time.sleep, write
        try:
            return next(self.lines)  # type: ignore[no-any-return]
        finally:
            logs.time.sleep = real


def test_following_and_json_do_not_go_together(claudex: Claudex) -> None:
    assert claudex("self", "logs", "-f", "--json").code == 2


# ---- token, cache, losses


def test_the_token_is_the_files(made: Path, claudex: Claudex) -> None:
    assert claudex("self", "token").out == (made / "auth" / "proxy-token").read_text()


@pytest.mark.parametrize("word", ["cache", "losses"])
def test_the_counts_need_a_running_proxy(made: Path, claudex: Claudex, word: str) -> None:
    result = claudex("self", word)
    assert result.code == 3
    assert "claudex start" in result.err


def test_the_counts_of_a_fresh_proxy_are_empty(proxy: Path, claudex: Claudex) -> None:
    assert claudex("self", "cache", "--json").document == {"sessions": []}
    assert claudex("self", "losses", "--json").document["total"] == 0
    assert claudex("self", "cache").code == claudex("self", "losses").code == 0


# ---- serve


def test_serve_runs_in_the_foreground_until_told(made: Path, claudex: Claudex, port: int) -> None:
    command = [sys.executable, "-c", "import sys; from claudex.cli.app import main; sys.exit(main(['self', 'serve']))"]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.getcwd()}, stderr=subprocess.PIPE)
    try:
        assert process.stderr is not None
        assert str(port).encode() in process.stderr.readline()
        assert running_pid(claudex) == process.pid
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(20)
        process.stderr.close()  # type: ignore[union-attr]
    assert code == 0


def running_pid(claudex: Claudex) -> int:
    """The pid of the proxy, once it answers."""
    deadline = time.monotonic() + 20
    while not (status := claudex("status", "--json").document)["running"]:
        assert time.monotonic() < deadline
    return int(status["pid"])


# ---- uninstall


@pytest.fixture
def installed(made: Path, tmp_path: Path) -> dict[str, Path]:
    """What bootstrap leaves: a wrapper that replaced another, an environment, and usage worth keeping."""
    found = {
        "wrapper": tmp_path / "bin" / "claudex",
        "backup": tmp_path / "bin" / "claudex.before",
        "venv": tmp_path / "venv",
    }
    found["wrapper"].parent.mkdir()
    found["wrapper"].write_text("ours")
    found["backup"].write_text("theirs")
    found["venv"].mkdir()
    (found["venv"] / "pyvenv.cfg").write_text("")
    (made / "usage.db").write_text("figures")
    (made / "notes.txt").write_text("the user's own")
    manifest = {
        "files": [str(found["wrapper"]), str(tmp_path)],
        "environment": str(found["venv"]),
        "npm_prefix": str(tmp_path),
        "backups": {str(found["wrapper"]): str(found["backup"])},
        "taken_over": [],
    }
    (made / "install.json").write_text(json.dumps(manifest))
    return found


def test_uninstall_first_only_shows(installed: dict[str, Path], claudex: Claudex, place: Path) -> None:
    shown = claudex("self", "uninstall", "--dry-run", "--json").document
    assert shown["done"] is False
    assert str(installed["wrapper"]) in shown["remove"]
    assert str(place / "usage.db") in shown["keep"]
    assert installed["wrapper"].exists()
    assert (place / "config.toml").exists()


def test_uninstall_without_a_terminal_needs_yes(
    installed: dict[str, Path], claudex: Claudex, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        result = claudex("self", "uninstall")
    assert result.code == 1
    assert "--yes" in result.err
    assert (place / "config.toml").exists()


def test_uninstall_takes_ours_and_leaves_the_rest(
    installed: dict[str, Path], claudex: Claudex, place: Path, scratch_home: Path
) -> None:
    for name in (".codex", ".claude"):
        (scratch_home / name).mkdir()
        (scratch_home / name / "file").write_text("")
    assert claudex("self", "uninstall", "--yes").code == 0
    assert not installed["venv"].exists()
    assert installed["wrapper"].read_text() == "theirs"
    assert sorted(path.name for path in place.iterdir()) == ["notes.txt", "usage.db"]
    assert (scratch_home / ".codex" / "file").exists()
    assert (scratch_home / ".claude" / "file").exists()


def test_uninstall_stops_the_proxy_and_removes_an_empty_home(proxy: Path, claudex: Claudex) -> None:
    assert claudex("self", "uninstall", "--yes").code == 0
    assert not proxy.exists()
    assert claudex("status").code == 3


def test_an_older_stacks_files_stay(claudex: Claudex, scratch_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLAUDEX_GATEWAY_HOME")
    old = scratch_home / ".local" / "share" / paths.LEGACY_HOME_NAME
    (old / "auth").mkdir(parents=True)
    (old / "auth" / "codex-current.json").write_text("{}")
    (old / paths.LEGACY_ENV_FILE_NAME).write_text("export A=1\n")
    assert locate().home == str(old)
    home.prepare(str(old), {}, 8327)
    assert claudex("self", "uninstall", "--yes").code == 0
    assert (old / "auth" / "codex-current.json").exists()
    assert (old / paths.LEGACY_ENV_FILE_NAME).exists()
    assert not (old / "config.toml").exists()


def test_a_damaged_manifest_removes_nothing(made: Path, claudex: Claudex) -> None:
    (made / "install.json").write_text("{")
    result = claudex("self", "uninstall", "--yes")
    assert result.code == 1
    assert "install.json" in result.err
    assert (made / "config.toml").exists()
