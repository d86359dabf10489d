"""status, start, stop, restart and sync-auth against a real proxy."""

import json
import os
import shutil
import socket
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from claudex import paths
from claudex.cli import control, gateway
from claudex.cli.settings_json import conflicts
from claudex.simulator import Pause, Simulator, Text, turn

from .conftest import Claudex, wait_until_gone

PROMISED = {
    "running", "pid", "instance_id", "version", "base_url", "port", "uptime_s", "home", "env_file", "models", "auth",
    "upstream", "limits",
}  # fmt: skip


# ---- status


def test_status_before_the_first_run_is_3_and_complete(claudex: Claudex, place: Path, port: int) -> None:
    result = claudex("status", "--json")
    document = result.document
    assert result.code == 3
    assert set(document) >= PROMISED
    assert document["running"] is False
    assert document["base_url"] == f"http://127.0.0.1:{port}"
    assert document["auth"]["state"] == "missing"
    assert not place.exists()


def test_status_of_a_running_proxy(proxy: Path, claudex: Claudex, port: int) -> None:
    result = claudex("status", "--json")
    document = result.document
    assert result.code == 0
    assert set(document) >= PROMISED
    assert document["running"] is True
    assert document["pid"] == json.loads(Path(paths.proxy_state(str(proxy))).read_text())["pid"]
    assert document["port"] == port
    assert document["uptime_s"] >= 0
    assert document["models"]["opus"] == {"model": "gpt-6.1-sol", "effort": "xhigh", "window": 272_000}
    assert set(document["auth"]) >= {"state", "account_id", "plan", "expires_at", "source"}
    assert document["upstream"] == os.environ["CLAUDEX_UPSTREAM"]
    assert "running" in claudex("status").out


def test_status_names_the_stranger_on_the_port(claudex: Claudex, stranger: int) -> None:
    result = claudex("status", "--json")
    assert result.code == 4
    assert result.document["running"] is False
    assert str(os.getpid()) in result.document["port_held_by"]


def test_a_program_that_says_nothing_is_a_stranger_too(
    claudex: Claudex, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "ANSWER_WITHIN_S", 0.2)
    with socket.create_server(("127.0.0.1", port)):
        assert claudex("status").code == 4


def test_status_check_says_when_nothing_answers(proxy: Path, claudex: Claudex) -> None:
    result = claudex("status", "--check", "--json")
    assert result.code == 6
    assert result.document["check"]["ok"] is False


def test_status_check_takes_any_answer_of_the_backend(
    proxy: Path, claudex: Claudex, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Simulator.threaded() as simulator:
        monkeypatch.setenv("CLAUDEX_UPSTREAM", simulator.url)
        result = claudex("status", "--check", "--json")
    assert result.code == 0
    assert result.document["check"]["ok"] is True


def test_status_names_the_keys_that_defeat_the_wrapper(proxy: Path, claudex: Claudex, scratch_home: Path) -> None:
    settings = scratch_home / ".claude" / "settings.json"
    settings.parent.mkdir()
    block = {"ANTHROPIC_BASE_URL": "https://elsewhere.example", "ANTHROPIC_MODEL": "opus", "EDITOR": "vi"}
    settings.write_text(json.dumps({"env": block}))
    assert claudex("status", "--json").document["settings_conflicts"] == [
        {"file": str(settings), "keys": ["ANTHROPIC_BASE_URL"], "problem": ""}
    ]
    assert "ANTHROPIC_BASE_URL" in claudex("status").out


@pytest.mark.parametrize("text", ["{", "[]", '{"env": 3}', "", "\x00", "[" * 100_000])
def test_odd_settings_files_stop_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "settings.json").write_text(text)
    found = conflicts({"CLAUDE_CONFIG_DIR": str(tmp_path)}, {}, str(tmp_path))
    assert all(conflict.problem and not conflict.keys for conflict in found)


def test_an_unset_key_in_the_block_is_a_conflict(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"env": {"ANTHROPIC_API_KEY": "k", "CLAUDE_CODE_USE_BEDROCK": "1"}}')
    found = conflicts({"CLAUDE_CONFIG_DIR": str(tmp_path)}, {"ANTHROPIC_API_KEY": None}, str(tmp_path))
    assert found[0].keys == ("ANTHROPIC_API_KEY", "CLAUDE_CODE_USE_BEDROCK")


def test_a_damaged_env_file_is_a_problem_of_the_status(proxy: Path, claudex: Claudex) -> None:
    (proxy / "claude-code.env").write_text("echo hello\n")
    result = claudex("status", "--json")
    assert result.code == 0
    assert any("claude-code.env:1" in problem for problem in result.document["problems"])


# ---- start, stop, restart


def test_start_twice_is_one_proxy(proxy: Path, claudex: Claudex) -> None:
    first = control.running(str(proxy))
    again = claudex("start", "--json")
    assert again.code == 0
    assert again.document["started"] is False
    assert control.running(str(proxy)) == first


def test_stop_and_stop_again(proxy: Path, claudex: Claudex) -> None:
    stopped = claudex("stop", "--json").document
    assert (stopped["was_running"], stopped["cut"]) == (True, 0)
    wait_until_gone(proxy)
    assert claudex("status").code == 3
    again = claudex("stop", "--json")
    assert (again.code, again.document["was_running"]) == (0, False)


def test_stop_says_what_it_cut(claudex: Claudex, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place.mkdir()
    (place / "config.toml").write_text("[proxy]\ndrain_s = 0.3\n")
    with Simulator.threaded() as simulator:
        simulator.login(tmp_path)
        for name, value in simulator.environ(tmp_path).items():
            monkeypatch.setenv(name, str(value))
        simulator.play(turn(Text("a"), Pause(60.0), Text("b")))
        started = claudex("start", "--json").document
        token = (place / "auth" / "proxy-token").read_text().strip()
        speaking = threading.Event()
        client = threading.Thread(target=_ask, args=(started["base_url"], token, speaking))
        client.start()
        assert speaking.wait(20)
        result = claudex("stop")
        client.join(20)
    assert result.code == 0
    assert "1 request cut off" in result.out


def _ask(base_url: str, token: str, speaking: threading.Event) -> None:
    body = {"model": "opus", "max_tokens": 99, "stream": True, "messages": [{"role": "user", "content": "speak"}]}
    headers = {"authorization": f"Bearer {token}"}
    with (
        httpx.Client(trust_env=False, timeout=30, headers=headers) as client,
        client.stream("POST", f"{base_url}/v1/messages", json=body) as response,
    ):
        for line in response.iter_lines():
            if "text_delta" in line:
                speaking.set()


def test_restart_changes_the_process(proxy: Path, claudex: Claudex) -> None:
    before = claudex("status", "--json").document
    document = claudex("restart", "--json").document
    assert document["stopped"]["pid"] == before["pid"]
    after = claudex("status", "--json").document
    assert after["running"]
    assert after["instance_id"] == document["started"]["instance_id"] != before["instance_id"]


def test_restart_of_nothing_is_a_start(claudex: Claudex, place: Path) -> None:
    document = claudex("restart", "--json").document
    assert document["stopped"]["was_running"] is False
    assert document["started"]["started"] is True
    claudex("stop")
    wait_until_gone(place)


def test_stop_before_the_first_run_makes_nothing(claudex: Claudex, place: Path) -> None:
    assert claudex("stop").code == 0
    assert not place.exists()


@pytest.mark.parametrize("command", ["start", "stop", "restart", "probe"])
def test_a_stranger_is_never_touched(claudex: Claudex, stranger: int, command: str) -> None:
    result = claudex(command)
    assert result.code == 4
    assert str(stranger) in result.err + result.out


def test_start_says_that_a_login_is_missing(claudex: Claudex, place: Path) -> None:
    result = claudex("start")
    assert result.code == 0
    assert "codex login" in result.out
    claudex("stop")
    wait_until_gone(place)


# ---- sync-auth


@pytest.fixture
def login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A simulated login in a CODEX_HOME of its own."""
    codex_home = tmp_path / "codex"
    codex_home.mkdir()
    with Simulator.threaded() as simulator:
        account = simulator.login(codex_home)
    monkeypatch.setenv("CODEX_HOME", str(codex_home))
    return {"file": codex_home / "auth.json", "account": account}


def test_sync_auth_writes_no_refresh_token(login: dict[str, Any], claudex: Claudex, place: Path) -> None:
    result = claudex("sync-auth", "--json")
    assert result.code == 0
    assert result.document["state"] == "ok"
    assert result.document["expires_at"] > time.time()
    current = Path(paths.auth_current(str(place)))
    assert current.stat().st_mode & 0o777 == 0o600
    assert login["account"].refresh_token not in current.read_text()
    assert login["account"].access_token not in result.out


def test_sync_auth_without_a_login_is_5(claudex: Claudex) -> None:
    result = claudex("sync-auth")
    assert result.code == 5
    assert "codex login" in result.err


@pytest.mark.parametrize("text", ["", "{", "[]", '{"OPENAI_API_KEY": "sk-x"}', '{"tokens": {"access_token": 3}}'])
def test_a_login_that_cannot_be_used_is_one_sentence(claudex: Claudex, scratch_home: Path, text: str) -> None:
    (scratch_home / ".codex").mkdir()
    (scratch_home / ".codex" / "auth.json").write_text(text)
    result = claudex("sync-auth")
    assert result.code == 5
    assert result.err.count("\n") == 1
    assert "auth.json" in result.err
    assert (scratch_home / ".codex" / "auth.json").read_text() == text


def test_a_lost_home_is_made_again(proxy: Path, claudex: Claudex) -> None:
    claudex("stop")
    wait_until_gone(proxy)
    shutil.rmtree(proxy)
    assert claudex("start").code == 0
    assert (proxy / "claude-code.env").exists()
