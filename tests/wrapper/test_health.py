"""Only who has the token is ours; nobody else ever sees it, and nobody keeps us waiting."""

import time
from collections.abc import Callable

import pytest

from claudex.wrapper import health

from ..ports import free_port
from . import fakes
from .fakes import Listener

TOKEN = "the-token-that-nobody-else-may-see"


def test_the_proof_makes_it_ours() -> None:
    with Listener(fakes.proxy(TOKEN, version="9.8.7", pid=4711)) as listener:
        found = health.check(listener.port, TOKEN)
    assert (found.state, found.version, found.instance_id, found.pid) == ("ours", "9.8.7", "abc123", 4711)
    assert TOKEN.encode() not in listener.everything


def test_an_answer_in_single_bytes_is_read() -> None:
    answer: list[bytes] = []

    def dribble(request: bytes) -> bytes:
        answer.append(fakes.proxy(TOKEN)(request))
        return answer[0]

    with Listener(dribble) as listener:
        assert health.check(listener.port, TOKEN).state == "ours"


def test_nothing_listens() -> None:
    assert health.check(free_port(), TOKEN).state == "none"


@pytest.mark.parametrize(
    ("reply", "detail"),
    [
        (fakes.ssh, "does not speak HTTP"),
        (fakes.web, "cannot prove"),
        (fakes.not_found, "cannot prove"),
        (fakes.other_claudex, "another token"),
        (lambda request: request, "does not speak HTTP"),
        (lambda request: b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000, "cannot prove"),
        (lambda request: fakes.http('{"proof":""}'), "cannot prove"),
    ],
)
def test_strangers(reply: Callable[[bytes], bytes], detail: str) -> None:
    with Listener(reply) as listener:
        found = health.check(listener.port, TOKEN)
    if found.state != "none":  # an echo looks like a port that was connected to itself
        assert found.state == "stranger"
        assert detail in found.detail
    assert TOKEN.encode() not in listener.everything


def test_an_old_proof_is_worth_nothing() -> None:
    recorded: list[bytes] = []

    def replay(request: bytes) -> bytes:
        recorded.append(fakes.proxy(TOKEN)(request))
        return recorded[0]

    with Listener(replay) as listener:
        assert health.check(listener.port, TOKEN).state == "ours"
        assert health.check(listener.port, TOKEN).state == "stranger"


@pytest.mark.parametrize("reply", [fakes.silent, fakes.nothing])
def test_silence_may_be_a_proxy_that_starts(reply: Callable[[bytes], bytes | None]) -> None:
    began = time.monotonic()
    with Listener(reply) as listener:
        assert health.check(listener.port, TOKEN, 0.2).state == "starting"
    assert time.monotonic() - began < 2


def test_half_an_answer_is_no_proxy() -> None:
    with Listener(lambda request: b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{") as listener:
        assert health.check(listener.port, TOKEN, 0.3).state == "stranger"


def test_request_carries_the_token() -> None:
    with Listener(lambda request: fakes.http("{}", "202 Accepted")) as listener:
        assert health.request(listener.port, TOKEN, "POST", "/api/x") == (202, b"{}")
    assert f"Authorization: Bearer {TOKEN}\r\n".encode() in listener.everything


def test_request_to_a_stranger_is_an_os_error() -> None:
    with Listener(fakes.ssh) as listener, pytest.raises(OSError, match="not HTTP"):
        health.request(listener.port, TOKEN, "GET", "/")


def test_the_question_names_the_port_so_that_nobody_can_pass_it_on() -> None:
    with Listener(fakes.proxy(TOKEN)) as listener:
        assert health.check(listener.port, TOKEN).state == "ours"
    assert f"-{listener.port} HTTP/1.1\r\n".encode() in listener.everything
