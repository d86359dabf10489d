"""The proxy dies, restarts, or is not ours; files are broken: the next `claudex` works or says one sentence."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from claudex.simulator import Pause, Text, turn

from .conftest import Stack, _gone
from .faults import Client, agent, asked_of, explained, lines, messages

LAUNCHES = 20


def test_a_killed_proxy_is_replaced_by_the_next_launch(client: Client, stack: Stack) -> None:
    stack.simulator.play(agent("One."))
    assert client.ask("one").said == "One."
    killed = stack.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    assert _gone(killed, 5)
    stack.simulator.play(agent("Two."))
    asked = client.ask("two", "-c")
    assert (asked.code, asked.said) == (0, "Two."), asked
    assert stack.pid != killed
    assert b"One." in asked_of(stack)[-1].data


def test_a_restart_between_turns_keeps_the_session_and_its_cache(client: Client, stack: Stack) -> None:
    stack.simulator.play(agent("One."))
    assert client.ask("one").said == "One."
    assert stack.claudex("restart").returncode == 0
    stack.simulator.play(agent("Two."))
    asked = client.ask("two", "-c")
    assert (asked.code, asked.said) == (0, "Two."), asked
    first, second = asked_of(stack)
    assert first.body["prompt_cache_key"] == second.body["prompt_cache_key"]
    assert messages(stack)[-1]["cached"] > 10_000
    assert stack.simulator.violations == []


def test_a_proxy_killed_in_the_middle_of_an_answer_is_survived(client: Client, stack: Stack) -> None:
    """claude asks again, and there is nobody; the next launch goes on with the session."""
    stack.simulator.play(agent("One."))
    assert client.ask("one").said == "One."
    stack.simulator.play(agent(turn(Text("I begin "), Pause(60.0), Text("and never end"))))
    killed = stack.pid
    assert killed is not None
    done: list[int] = []
    talking = threading.Thread(target=lambda: done.append(client.ask("two", "-c", CLAUDE_CODE_MAX_RETRIES="1").code))
    talking.start()
    client.wait(lambda: len(asked_of(stack)) == 2)
    os.kill(killed, signal.SIGKILL)
    talking.join(60)
    assert done == [1]
    stack.simulator.play(agent("Three."))
    asked = client.ask("three", "-c")
    assert (asked.code, asked.said) == (0, "Three."), asked
    assert stack.simulator.violations == []


def test_twenty_launches_at_once_make_one_proxy(older: Client, stack: Stack) -> None:
    stack.simulator.play(agent(turn("Here.", repeat=0)))
    with ThreadPoolExecutor(LAUNCHES) as pool:
        answers = list(pool.map(lambda number: older.ask(f"number {number}", timeout=110), range(LAUNCHES)))
    assert [asked.said for asked in answers] == ["Here."] * LAUNCHES, [str(asked) for asked in answers if asked.code]
    assert len(lines(stack, "start")) == 1
    assert len(asked_of(stack)) == LAUNCHES
    assert stack.simulator.violations == []


@contextmanager
def stranger(port: int, heard: list[bytes]) -> Iterator[None]:
    """Another program on our port: it answers every request with 200 and keeps what it is told."""
    listener = socket.create_server(("127.0.0.1", port))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                heard.append(connection.recv(65536))
                connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"ok":true}')

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def test_a_stranger_on_the_port_is_named_and_learns_nothing(older: Client, stack: Stack) -> None:
    assert stack.claudex("start").returncode == 0
    assert stack.claudex("stop").returncode == 0
    token = (stack.home / "auth" / "proxy-token").read_text().strip()
    heard: list[bytes] = []
    with stranger(stack.port, heard):
        asked = older.ask("go on")
        assert asked.code == 4, asked
        assert asked.said == ""
        assert len(asked.stderr.splitlines()) == 1, asked
        assert str(os.getpid()) in asked.stderr, asked
        for words in (["status"], ["start"], ["probe"], ["self", "cache"]):
            done = stack.claudex(*words)
            assert done.returncode == 4, f"{words}: {done.stdout}{done.stderr}"
    assert heard
    assert token.encode() not in b"".join(heard)
    assert stack.simulator.requests == []


def test_a_wrong_token_in_the_env_file_is_told_fast(client: Client, stack: Stack) -> None:
    assert stack.claudex("start").returncode == 0
    env_file = stack.home / "claude-code.env"
    token = (stack.home / "auth" / "proxy-token").read_text().strip()
    env_file.write_text(env_file.read_text().replace(token, "wrong-" + "x" * 40))
    asked = client.ask("go on", CLAUDE_CODE_MAX_RETRIES="10")
    assert asked.code == 1, asked
    assert asked.seconds < 10
    assert "proxy token" in asked.said, asked
    assert "proxy token" in explained(stack, asked.said)
    assert stack.simulator.requests == []


BAD_ENV_LINES = [
    "export ANTHROPIC_MODEL=$(id)",
    "if true; then echo; fi",
    "export A='never closed",
    "export 1A=x",
    "source other.env",
    "export A=${B:=x}",
]


def test_a_bad_line_in_the_env_file_is_named_and_nothing_is_changed(older: Client, stack: Stack) -> None:
    assert stack.claudex("start").returncode == 0
    env_file = stack.home / "claude-code.env"
    good = env_file.read_text()
    for line in BAD_ENV_LINES:
        text = f"{good}\n{line}\n"
        env_file.write_text(text)
        asked = older.ask("go on")
        assert asked.code == 1, f"{line}: {asked}"
        assert asked.said == ""
        assert len(asked.stderr.splitlines()) == 1, f"{line}: {asked}"
        assert f"{env_file}:{len(good.splitlines()) + 2}:" in asked.stderr, f"{line}: {asked}"
        assert env_file.read_text() == text
    assert stack.simulator.requests == []


BAD_CONFIGS = ["[proxy]\nport = 'x'\n", "[proxy\n", "[upstream]\nretries = 99\n"]


def test_a_bad_config_is_named_and_the_proxy_goes_on_with_what_is_good(older: Client, stack: Stack) -> None:
    assert stack.claudex("start").returncode == 0
    config = stack.home / "config.toml"
    for text in BAD_CONFIGS:
        config.write_text(text)
        stack.simulator.play(agent("Still here."))
        asked = older.ask("go on")
        assert (asked.code, asked.said) == (0, "Still here."), f"{text!r}: {asked}"
        status = stack.claudex("status")
        assert (status.returncode, status.stdout) == (1, ""), f"{text!r}: {status}"
        assert len(status.stderr.splitlines()) == 1, f"{text!r}: {status}"
        assert str(config) in status.stderr, f"{text!r}: {status}"
        assert "Traceback" not in stack.log()
        assert config.read_text() == text


@pytest.mark.parametrize("missing", ["auth/proxy-token", "claude-code.env", "config.toml", "run", "logs"])
def test_what_is_missing_is_made_again(older: Client, stack: Stack, missing: str) -> None:
    assert stack.claudex("start").returncode == 0
    assert stack.claudex("stop").returncode == 0
    path: Path = stack.home / missing
    subprocess.run(["rm", "-r", str(path)], check=True)
    stack.simulator.play(agent("Here."))
    asked = older.ask("go on")
    assert (asked.code, asked.said) == (0, "Here."), asked
    assert psutil.pid_exists(stack.pid or 0)
