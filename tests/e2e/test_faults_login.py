"""Logins that are missing, expired, refused or damaged, as a user of the real claude meets them."""

import json
from pathlib import Path

from claudex.simulator import turn

from .conftest import Stack
from .faults import Client, agent, asked_of, explained

NO_LOGIN = "claudex: there is no Codex login: run `codex login`"


def test_no_login_is_said_before_and_instead_of_an_answer(client: Client, stack: Stack) -> None:
    """One line from the wrapper, then the refusal of the first request: at once, and with the same advice."""
    (stack.codex_home / "auth.json").unlink()
    asked = client.ask("go on", CLAUDE_CODE_MAX_RETRIES="10")
    assert asked.code == 1, asked
    assert asked.stderr.splitlines()[0] == NO_LOGIN
    assert asked.stderr.count("codex login") == 1
    assert "403" in asked.said
    assert "codex login" in asked.said
    assert stack.simulator.requests == []
    assert asked.seconds < 10
    assert "codex login" in explained(stack, asked.said)


def test_a_login_made_meanwhile_is_used_at_once(client: Client, stack: Stack) -> None:
    path = stack.codex_home / "auth.json"
    document = path.read_text()
    path.unlink()
    assert client.ask("one").code == 1
    path.write_text(document)
    stack.simulator.play(agent("Now it works."))
    asked = client.ask("two")
    assert (asked.code, asked.said) == (0, "Now it works."), asked
    assert "login" not in asked.stderr


def test_an_expired_login_is_refreshed_once(client: Client, stack: Stack) -> None:
    stack.simulator.login(stack.codex_home, expires_in=-60)
    stack.simulator.play(agent("Refreshed."))
    asked = client.ask("go on")
    assert (asked.code, asked.said) == (0, "Refreshed."), asked
    assert stack.simulator.refreshes == 1
    assert (stack.codex_home / "auth.json").stat().st_mode & 0o777 == 0o600


def test_a_login_that_is_refused_in_mid_session_is_refreshed_once(client: Client, stack: Stack) -> None:
    stack.simulator.play(agent("One."))
    assert client.ask("one").said == "One."
    stack.simulator.expire()
    stack.simulator.play(agent("Two."))
    asked = client.ask("two", "-c", CLAUDE_CODE_MAX_RETRIES="0")
    assert (asked.code, asked.said) == (0, "Two."), asked
    assert stack.simulator.refreshes == 1
    assert stack.simulator.violations == []


def test_a_refused_refresh_says_what_to_do_at_once(client: Client, stack: Stack) -> None:
    stack.simulator.login(stack.codex_home, expires_in=-60)
    stack.simulator.revoke()
    asked = client.ask("go on", CLAUDE_CODE_MAX_RETRIES="10")
    assert asked.code == 1, asked
    assert "codex login" in asked.said
    assert "/login" not in asked.said
    assert stack.simulator.refresh_attempts == 1
    assert asked.seconds < 10
    again = client.ask("go on", CLAUDE_CODE_MAX_RETRIES="10")
    assert "codex login" in again.said
    assert stack.simulator.refresh_attempts == 1, "a refusal for good was asked for again"
    stack.simulator.login(stack.codex_home)
    stack.simulator.play(agent(turn("Logged in.")))
    assert client.ask("go on").said == "Logged in."


DAMAGED = {
    "not JSON": "{ nothing",
    "empty": "",
    "an API key only": json.dumps({"OPENAI_API_KEY": "sk-not-for-us"}),
}


def test_a_damaged_login_is_one_sentence_and_stays_as_it_is(older: Client, stack: Stack) -> None:
    """Claude shows the proxy's sentence; `claudex status` and `sync-auth` say the same with their exit codes."""
    path: Path = stack.codex_home / "auth.json"
    for what, text in DAMAGED.items():
        path.write_text(text)
        asked = older.ask("go on", CLAUDE_CODE_MAX_RETRIES="10")
        assert asked.code == 1, f"{what}: {asked}"
        assert "403" in asked.said, f"{what}: {asked}"
        assert "codex login" in asked.said, f"{what}: {asked}"
        assert "sk-not-for-us" not in asked.said + asked.stderr + stack.log()
        synced = stack.claudex("sync-auth")
        assert synced.returncode == 5, f"{what}: {synced}"
        assert len(synced.stderr.strip().splitlines()) == 1, f"{what}: {synced.stderr}"
        assert path.read_text() == text, what
    assert asked_of(stack) == []


def test_a_token_endpoint_that_stumbles_is_tried_again(older: Client, stack: Stack) -> None:
    stack.simulator.login(stack.codex_home, expires_in=-60)
    stack.simulator.token_fault(503, times=2)
    stack.simulator.play(agent("Refreshed."))
    asked = older.ask("go on", CLAUDE_CODE_MAX_RETRIES="10")
    assert (asked.code, asked.said) == (0, "Refreshed."), asked
    assert stack.simulator.refreshes == 1
