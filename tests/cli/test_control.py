"""Stop: ours, completely, and never anybody else's."""

import os
import signal
from pathlib import Path

import pytest

from claudex import paths
from claudex.cli import control
from claudex.errors import PortHeld, ProxyUnavailable
from claudex.wrapper import daemon

from ..wrapper import fakes
from ..wrapper.conftest import Stage
from ..wrapper.fakes import Listener

# Python 3.12 warns of any fork beside threads, and pytest-xdist has some; the child only goes on to exec.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def started(stage: Stage) -> int:
    daemon.ensure(str(stage.home), stage.port, stage.token, wait=20, environ=stage.environ)
    return stage.proxy_pid()


def test_stop_ends_it_and_says_what_it_drained(prepared: Stage) -> None:
    pid = started(prepared)
    facts = control.running(str(prepared.home))
    assert facts is not None
    assert facts["pid"] == pid
    done = control.stop(str(prepared.home), prepared.port, prepared.token)
    assert done == control.Stopped(True, pid, 0, 0)
    assert control.running(str(prepared.home)) is None


def test_stopping_nothing_is_fine(prepared: Stage) -> None:
    assert control.stop(str(prepared.home), prepared.port, prepared.token) == control.Stopped(False)


def test_a_stranger_is_not_stopped(prepared: Stage) -> None:
    with Listener(fakes.web, prepared.port), pytest.raises(PortHeld):
        control.stop(str(prepared.home), prepared.port, prepared.token)


def test_a_pid_used_again_is_not_signalled(prepared: Stage) -> None:
    Path(paths.proxy_state(str(prepared.home))).write_text(f'{{"pid": {os.getppid()}, "port": {prepared.port}}}')
    assert control.stop(str(prepared.home), prepared.port, prepared.token) == control.Stopped(False)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}'])
def test_a_damaged_state_file_is_no_proxy(prepared: Stage, text: str) -> None:
    Path(paths.proxy_state(str(prepared.home))).write_text(text)
    assert control.running(str(prepared.home)) is None


def test_one_that_does_not_end_is_said(prepared: Stage) -> None:
    pid = started(prepared)
    os.kill(pid, signal.SIGSTOP)
    waited: list[float] = []
    try:
        with pytest.raises(ProxyUnavailable, match=f"kill -9 {pid}"):
            control.stop(str(prepared.home), prepared.port, prepared.token, timeout=0.2, on_wait=waited.append)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert waited
