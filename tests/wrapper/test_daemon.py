"""The real proxy, started by launches: one of them however many come, again after a kill, and never past a stranger."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import psutil
import pytest

from claudex import paths
from claudex.errors import PortHeld, ProxyUnavailable
from claudex.wrapper import daemon, health, owner, spawn

from ..ports import free_port
from . import fakes
from .conftest import Stage, argv_of, wait_until
from .fakes import Listener

# Python 3.12 warns of any fork beside threads, and pytest-xdist has some; the child only goes on to exec.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")

OTHER_PYTHON = shutil.which("python3", path="/usr/bin:/bin") or ""
SILENT = """\
import socket, sys
listener = socket.create_server((sys.argv[1], int(sys.argv[2])))
print(flush=True)
sys.stdin.read()
"""


def proxies(stage: Stage) -> list[int]:
    """Every process that serves, or wanted to serve, this home."""
    found = []
    for process in psutil.process_iter():
        try:
            ours = process.environ().get(paths.HOME_VARIABLE) == str(stage.home)
            if ours and "claudex.proxy" in process.cmdline():
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def ready(stage: Stage) -> health.Health:
    wait_until(lambda: Path(paths.proxy_state(str(stage.home))).exists())
    return health.check(stage.port, stage.token, 10)


def test_twenty_launches_on_a_fresh_machine_start_one_proxy(stage: Stage) -> None:
    launches = [stage.start("-p", str(number)) for number in range(20)]
    for number, launch in enumerate(launches):
        output, error = launch.communicate(timeout=60)
        assert (launch.returncode, error) == (0, b"")
        assert argv_of(output) == [b"-p", str(number).encode()]
    assert ready(stage).state == "ours"
    assert len(proxies(stage)) == 1
    assert Path(paths.log(str(stage.home))).read_text().count('"event":"start"') == 1


def test_the_daemon_is_nobodys_child_and_holds_nothing_of_the_shell(prepared: Stage, tmp_path: Path) -> None:
    with open(tmp_path / "of-the-shell", "w") as held:
        prepared.run(pass_fds=[held.fileno()], cwd=tmp_path)
    ready(prepared)
    process = psutil.Process(prepared.proxy_pid())
    assert os.getsid(process.pid) != os.getsid(0)
    assert os.getpgid(process.pid) != os.getpgid(0)
    assert process.terminal() is None
    assert process.cwd() == str(prepared.home)
    links = {os.readlink(f"/proc/{process.pid}/fd/{n}") for n in os.listdir(f"/proc/{process.pid}/fd")}
    assert str(tmp_path / "of-the-shell") not in links
    assert os.readlink(f"/proc/{process.pid}/fd/0") == "/dev/null"
    assert os.readlink(f"/proc/{process.pid}/fd/2") == paths.log(str(prepared.home))
    assert os.stat(paths.log(str(prepared.home))).st_mode & 0o777 == 0o600
    assert process.environ()["CLAUDEX_PORT"] == str(prepared.port)
    assert "ANTHROPIC_AUTH_TOKEN" not in process.environ()


def test_claude_has_no_child_it_does_not_know(prepared: Stage) -> None:
    """`read` is a builtin, so the stub itself starts nothing."""
    prepared.stub('#!/bin/sh\nread children < /proc/$$/task/$$/children\necho "[$children]"\n')
    assert prepared.run().stdout == b"[]\n"


def test_after_kill_9_the_next_launch_works(prepared: Stage) -> None:
    prepared.run()
    first = ready(prepared)
    prepared.kill_proxy()
    assert prepared.run("again").returncode == 0
    wait_until(lambda: health.check(prepared.port, prepared.token, 10).instance_id not in ("", first.instance_id))


def test_a_running_proxy_is_used(prepared: Stage) -> None:
    prepared.run()
    first = ready(prepared)
    prepared.run()
    assert ready(prepared).instance_id == first.instance_id


def test_the_start_is_told_on_a_terminal_only(prepared: Stage) -> None:
    prepared.stub("#!/bin/sh\nexit 0")
    child = pexpect.spawn(str(prepared.command), env=prepared.environ, timeout=20)
    child.expect(f"claudex: started the proxy on port {prepared.port}\r\n")
    child.expect(pexpect.EOF)


def test_connections_in_time_wait_do_not_hold_the_port(prepared: Stage) -> None:
    with Listener(fakes.web, prepared.port):
        health.check(prepared.port, prepared.token)  # the server closes first: its end stays in TIME_WAIT
    assert prepared.run().returncode == 0
    assert ready(prepared).state == "ours"


@pytest.mark.parametrize("reply", [fakes.web, fakes.ssh, fakes.silent, fakes.nothing])
def test_a_stranger_never_sees_the_token(prepared: Stage, reply: Callable[[bytes], bytes | None]) -> None:
    with Listener(reply, prepared.port) as listener:
        done = prepared.run("-p", "secret prompt")
    assert (done.returncode, done.stdout) == (4, b"")
    assert f"port {prepared.port} is held by " in done.stderr.decode()
    assert f"(pid {os.getpid()})" in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1
    assert prepared.token.encode() not in listener.everything
    assert not proxies(prepared)


def test_a_stranger_on_every_address_is_found_too(prepared: Stage) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SILENT, "", str(prepared.port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as stranger:
        assert stranger.stdout is not None
        stranger.stdout.readline()
        done = prepared.run()
        assert done.returncode == 4
        assert f"(pid {stranger.pid})" in done.stderr.decode()
        stranger.kill()


@pytest.mark.skipif(os.getuid() != 0 or not OTHER_PYTHON, reason="needs a second user and a Python that it may run")
def test_a_stranger_of_another_user(prepared: Stage) -> None:
    with subprocess.Popen(
        [OTHER_PYTHON, "-c", SILENT, "127.0.0.1", str(prepared.port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        user=65534,
    ) as stranger:
        assert stranger.stdout is not None
        stranger.stdout.readline()
        done = prepared.run()
        assert done.returncode == 4
        stranger.kill()


def test_an_older_proxy_is_told_to_make_way_and_used_meanwhile(prepared: Stage) -> None:
    with Listener(fakes.proxy(prepared.token, version="0.0.9"), prepared.port) as listener:
        assert prepared.run().returncode == 0
    assert b"POST /api/retire " in listener.everything
    successor = Path(paths.successor(str(prepared.home)))
    assert successor.read_text().splitlines() == [sys.executable, "-P", "-m", "claudex.proxy"]
    assert successor.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("version", ["99.0.0", "0.1.0"])
def test_a_proxy_that_is_not_older_stays(prepared: Stage, version: str) -> None:
    with Listener(fakes.proxy(prepared.token, version=version), prepared.port) as listener:
        assert prepared.run().returncode == 0
    assert b"retire" not in listener.everything


def test_the_real_proxy_retires_into_its_successor(prepared: Stage) -> None:
    prepared.run()
    first = ready(prepared)
    pid = prepared.proxy_pid()
    assert daemon.retire(str(prepared.home), prepared.port, prepared.token)
    wait_until(lambda: health.check(prepared.port, prepared.token, 10).instance_id not in ("", first.instance_id))
    assert prepared.proxy_pid() == pid


@pytest.mark.parametrize(
    ("version", "older"),
    [
        ("0.0.9", True),
        ("0.0.99.1", True),
        ("0.1.0", False),
        ("0.1.1", False),
        ("1", False),
        ("0.10.0", False),
        ("", True),
    ],
)
def test_versions_are_compared_as_numbers(version: str, older: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "__version__", "0.1.0")
    assert daemon.is_older(version) is older


def test_ensure_waits_for_the_answer_when_asked(prepared: Stage) -> None:
    done = daemon.ensure(str(prepared.home), prepared.port, prepared.token, wait=20, environ=prepared.environ)
    assert (done.started, done.health.state) == (True, "ours")
    again = daemon.ensure(str(prepared.home), prepared.port, prepared.token, environ=prepared.environ)
    assert (again.started, again.health.instance_id) == (False, done.health.instance_id)


def test_a_proxy_that_ends_at_its_start_is_said(prepared: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = [sys.executable, "-c", "raise SystemExit('claudex: the reason')"]
    monkeypatch.setattr(spawn, "command", lambda: broken)
    with pytest.raises(ProxyUnavailable, match="ended at its start: the reason"):
        daemon.ensure(str(prepared.home), prepared.port, prepared.token, wait=20, environ=prepared.environ)
    # Having failed once, the next launch stays to see although nobody asked it to wait.
    with pytest.raises(ProxyUnavailable, match="ended at its start: the reason"):
        daemon.ensure(str(prepared.home), prepared.port, prepared.token, environ=prepared.environ)


def test_a_program_that_cannot_be_executed_is_said_at_once(prepared: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spawn, "command", lambda: ["/nowhere/python"])
    with pytest.raises(ProxyUnavailable, match="cannot start the proxy: No such file"):
        daemon.ensure(str(prepared.home), prepared.port, prepared.token, environ=prepared.environ)
    assert health.check(prepared.port, prepared.token).state == "none"


def test_a_home_that_is_served_on_another_port_is_said(prepared: Stage) -> None:
    prepared.run()
    ready(prepared)
    other = free_port()
    done = prepared.run(env=prepared.environ | {"CLAUDEX_PORT": str(other)})
    assert done.returncode == 1
    assert f"on port {prepared.port}" in done.stderr.decode()


def test_a_log_that_cannot_be_written_is_said(prepared: Stage) -> None:
    log = Path(paths.log(str(prepared.home)))
    log.mkdir(parents=True)
    done = prepared.run()
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"claudex: cannot start the proxy: Is a directory" in done.stderr


def test_a_launch_waits_for_the_proxy_that_another_has_just_spawned(prepared: Stage) -> None:
    """It is stopped, so it listens and does not answer; then it goes on."""
    prepared.run()
    ready(prepared)
    pid = prepared.proxy_pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        launch = prepared.start("patient")
        with pytest.raises(subprocess.TimeoutExpired):
            launch.wait(1.5)
    finally:
        os.kill(pid, signal.SIGCONT)
    output, error = launch.communicate(timeout=20)
    assert (argv_of(output), error) == ([b"patient"], b"")


def test_owner_of_port(prepared: Stage) -> None:
    assert daemon.owner_of_port(free_port()) is None
    with Listener(fakes.silent, prepared.port):
        found = daemon.owner_of_port(prepared.port)
        assert found is not None
        assert found[0] == os.getpid()
        with pytest.raises(PortHeld):
            daemon.ensure(str(prepared.home), prepared.port, prepared.token, environ=prepared.environ)


def test_command_of_a_process_that_is_gone() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    assert owner.command_of(process.pid) == ""
    assert "python" in owner.command_of(os.getpid())


def test_proxy_json_names_the_daemon(prepared: Stage) -> None:
    prepared.run()
    ready(prepared)
    facts = json.loads(Path(paths.proxy_state(str(prepared.home))).read_text())
    assert (facts["pid"], facts["port"]) == (prepared.proxy_pid(), prepared.port)
