"""The server as a process: start, signals, hand-over, lock."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from claudex.simulator import Pause, Simulator, Text, turn

from .harness import TOKEN, ask, events_of, make_home

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes and signals as POSIX has them")

MODULE = ("-m", "claudex.proxy")
WITHOUT_UVLOOP = "import sys; sys.modules['uvloop'] = None; from claudex.proxy.__main__ import main; main(sys.argv[1:])"


class Process:
    def __init__(
        self, home: Path, environ: dict[str, str], sock: socket.socket | None = None, program: tuple[str, ...] = MODULE
    ) -> None:
        self.home = home
        self.sock = sock or socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.environ = {**os.environ, **environ, "CLAUDEX_GATEWAY_HOME": str(home)}
        fd = self.sock.fileno()
        argv = [sys.executable, *program, "--fd", str(fd)]
        self.child = subprocess.Popen(argv, env=self.environ, pass_fds=[fd], stderr=subprocess.PIPE, text=True)

    def request(self, path: str, body: Any = None, method: str | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"x-api-key": TOKEN, "content-type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers, method=method)
        return urllib.request.urlopen(request, timeout=20)

    def json(self, path: str, body: Any = None, method: str | None = None) -> Any:
        with self.request(path, body, method) as response:
            return json.load(response)

    def end(self) -> str:
        self.sock.close()
        self.child.terminate()
        _, stderr = self.child.communicate(timeout=20)
        return stderr


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    (tmp_path / "codex").mkdir()
    with Simulator.threaded() as simulator:
        simulator.login(tmp_path / "codex")
        yield simulator


@pytest.fixture
def proxy(tmp_path: Path, simulator: Simulator) -> Iterator[Process]:
    home = make_home(tmp_path / "gateway", proxy={"drain_s": 1.0})
    process = Process(home, simulator.environ(tmp_path / "codex"))
    yield process
    process.end()


def test_it_answers_writes_its_state_and_stops(proxy: Process) -> None:
    assert proxy.json("/healthz")["pid"] == proxy.child.pid
    with proxy.request("/v1/messages", ask()) as response:
        assert events_of(response.read())[-1][0] == "message_stop"
    state = json.loads((proxy.home / "run" / "proxy.json").read_text())
    assert (state["pid"], state["port"]) == (proxy.child.pid, proxy.port)
    assert proxy.end() == ""
    assert proxy.child.returncode == 0
    assert not (proxy.home / "run" / "proxy.json").exists()
    stopped = json.loads((proxy.home / "run" / "stopped.json").read_text())
    assert (stopped["drained"], stopped["cut"]) == (0, 0)


def test_it_serves_without_uvloop(tmp_path: Path, simulator: Simulator) -> None:
    program = ("-c", WITHOUT_UVLOOP)
    process = Process(make_home(tmp_path / "gateway"), simulator.environ(tmp_path / "codex"), program=program)
    assert process.json("/api/status")["loop"] == "asyncio"
    with process.request("/v1/messages", ask()) as response:
        assert events_of(response.read())[-1][0] == "message_stop"
    assert process.end() == ""


def test_a_second_proxy_for_the_same_home_says_so_and_exits(proxy: Process) -> None:
    proxy.json("/api/status")
    second = Process(proxy.home, {})
    assert second.child.wait(timeout=20) == 1
    assert str(proxy.child.pid) in second.end()


def test_a_held_port_is_exit_code_4(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        argv = [sys.executable, "-m", "claudex.proxy", "--port", str(held.getsockname()[1])]
        environ = {**os.environ, "CLAUDEX_GATEWAY_HOME": str(make_home(tmp_path / "gateway"))}
        done = subprocess.run(argv, env=environ, capture_output=True, text=True, timeout=20)
    assert done.returncode == 4
    assert done.stderr.startswith("claudex: cannot listen")


@pytest.mark.parametrize("argv", [["--fd"], ["--fd", "x"], ["--nope", "1"], ["--port", "1", "2"]])
def test_wrong_usage_is_exit_code_2(argv: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "claudex.proxy", *argv], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2
    assert done.stderr.startswith("usage:")


def test_a_descriptor_that_is_no_socket_is_one_sentence(tmp_path: Path) -> None:
    environ = {**os.environ, "CLAUDEX_GATEWAY_HOME": str(make_home(tmp_path / "gateway"))}
    argv = [sys.executable, "-m", "claudex.proxy", "--fd", "77"]
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert done.stderr.startswith("claudex: --fd 77:")


def test_a_stream_is_drained_and_another_cut_with_a_sentence(proxy: Process, simulator: Simulator) -> None:
    simulator.play(
        turn(Text("short"), Pause(0.5), Text(" answer"), when="first"),
        turn(Text("long"), Pause(60.0), Text("never"), when="second"),
    )
    answers: dict[str, Any] = {}

    def call(name: str) -> None:
        with proxy.request("/v1/messages", ask(name)) as response:
            answers[name] = events_of(response.read())

    threads = [threading.Thread(target=call, args=(name,)) for name in ("first", "second")]
    for thread in threads:
        thread.start()
    _until(lambda: len(simulator.requests) == 2 and proxy.json("/healthz")["in_flight"] == 2)
    time.sleep(0.2)
    proxy.child.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join(20)
    assert proxy.child.wait(20) == 0
    assert answers["first"][-1][0] == "message_stop"
    assert answers["second"][-1][0] == "error"
    assert "stopping" in answers["second"][-1][1]["error"]["message"]
    stopped = json.loads((proxy.home / "run" / "stopped.json").read_text())
    assert (stopped["drained"], stopped["cut"]) == (1, 1)


def test_retiring_keeps_the_socket_and_the_pid(proxy: Process, simulator: Simulator) -> None:
    before = proxy.json("/healthz")
    argv = [sys.executable, "-P", "-m", "claudex.proxy"]
    (proxy.home / "run" / "successor").write_text("\n".join(argv) + "\n")
    simulator.play(turn(Text("slow"), Pause(0.7), Text(" end")))
    with proxy.request("/v1/messages", ask()) as response:
        assert proxy.json("/api/retire", {}, "POST") == {"retiring": True, "in_flight": 1}
        assert proxy.json("/healthz")["retiring"] is True
        assert events_of(response.read())[-1][0] == "message_stop"
    _until(lambda: proxy.json("/healthz")["instance_id"] != before["instance_id"])
    after = proxy.json("/healthz")
    assert (after["pid"], after["retiring"]) == (before["pid"], False)
    assert proxy.json("/api/status")["port"] == proxy.port


def test_a_hangup_is_ignored(proxy: Process) -> None:
    proxy.json("/api/status")
    proxy.child.send_signal(signal.SIGHUP)
    assert proxy.json("/healthz")["ok"] is True


def test_a_request_of_the_first_moment_waits_in_the_backlog(tmp_path: Path, simulator: Simulator) -> None:
    sock = socket.create_server(("127.0.0.1", 0))
    early = socket.create_connection(sock.getsockname())
    body = json.dumps(ask(stream=False)).encode()
    early.sendall(
        b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nx-api-key: %b\r\nConnection: close\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (sock.getsockname()[1], TOKEN.encode(), len(body), body)
    )
    process = Process(make_home(tmp_path / "gateway"), simulator.environ(tmp_path / "codex"), sock)
    try:
        early.settimeout(20)
        answer = b""
        while piece := early.recv(65_536):
            answer += piece
        assert answer.startswith(b"HTTP/1.1 200")
        assert b'"stop_reason":"end_turn"' in answer
    finally:
        early.close()
        process.end()


def _until(true: Any) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        try:
            if true():
                return
        except OSError:
            pass
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")
