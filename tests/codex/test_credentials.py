import asyncio
import json
import os
import time
from pathlib import Path

import msgspec
import pytest

from claudex import errors
from claudex.codex import authfile, locks
from claudex.codex.credentials import Credentials, describe, read_login
from claudex.codex.http import Transport
from claudex.codex.login import Login
from claudex.codex.refresh import CLIENT_ID
from claudex.settings import Settings
from claudex.simulator import Simulator

from .conftest import auth_document, until
from .tokens import document, jwt, write_auth


def stored_token(codex_home: Path) -> str:
    tokens = auth_document(codex_home)["tokens"]
    assert isinstance(tokens, dict)
    return str(tokens["access_token"])


async def test_a_good_token_is_used_and_not_renewed(
    sim: Simulator, credentials: Credentials, codex_home: Path, home: Path
) -> None:
    account = sim.login(codex_home, expires_in=3600)
    assert (await credentials.current()).access_token == account.access_token
    assert sim.refresh_attempts == 0
    assert account.access_token in (home / "auth" / "codex-current.json").read_text()


async def test_fifty_requests_with_an_expired_token_cause_one_refresh(
    sim: Simulator, credentials: Credentials, codex_home: Path, home: Path
) -> None:
    sim.login(codex_home, expires_in=-10)
    logins = await asyncio.gather(*(credentials.current() for _ in range(50)))
    assert sim.refresh_attempts == 1
    assert {login.access_token for login in logins} == {stored_token(codex_home)}
    assert stored_token(codex_home) in (home / "auth" / "codex-current.json").read_text()
    assert sim.violations == []


async def test_a_token_is_renewed_five_minutes_early(
    sim: Simulator, credentials: Credentials, codex_home: Path
) -> None:
    sim.login(codex_home, expires_in=299)
    await credentials.current()
    assert sim.refreshes == 1
    sim.login(codex_home, expires_in=400)
    await credentials.current()
    assert sim.refreshes == 1


async def test_the_refresh_call_is_the_official_one(sim: Simulator, credentials: Credentials, codex_home: Path) -> None:
    account = sim.login(codex_home, expires_in=-1)
    old = account.refresh_token
    await credentials.current()
    request = next(seen for seen in sim.traffic if seen.path == "/oauth/token")
    assert request.body == {
        "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
        "grant_type": "refresh_token",
        "refresh_reason": "proactive_expiry",
        "refresh_token": old,
    }
    assert request.headers["content-type"] == "application/json"
    assert request.headers["originator"] == "codex_cli_rs"
    assert request.headers["user-agent"].startswith("codex_cli_rs/")


async def test_a_new_login_of_the_user_is_seen_without_a_restart(
    sim: Simulator, credentials: Credentials, codex_home: Path
) -> None:
    sim.login(codex_home, account_id="acct-one")
    assert (await credentials.current()).account_id == "acct-one"
    sim.login(codex_home, account_id="acct-two")
    assert (await credentials.current()).account_id == "acct-two"
    (codex_home / "auth.json").unlink()
    with pytest.raises(errors.LoginMissing):
        await credentials.current()


async def test_after_a_401_the_file_is_read_first(sim: Simulator, credentials: Credentials, codex_home: Path) -> None:
    sim.login(codex_home)
    old = await credentials.current()
    sim.login(codex_home)
    new = await credentials.rejected(old)
    assert new.access_token == stored_token(codex_home) != old.access_token
    assert sim.refresh_attempts == 0


async def test_then_it_is_renewed_once_and_then_given_up(
    sim: Simulator, credentials: Credentials, codex_home: Path
) -> None:
    sim.login(codex_home)
    renewed = await credentials.rejected(await credentials.current())
    request = next(seen for seen in sim.traffic if seen.path == "/oauth/token")
    assert request.body["refresh_reason"] == "unauthorized_recovery"
    with pytest.raises(errors.LoginRequired, match="codex login"):
        await credentials.rejected(renewed)
    assert sim.refresh_attempts == 1


async def test_a_permanent_refusal_is_remembered_until_the_file_changes(
    sim: Simulator, credentials: Credentials, codex_home: Path
) -> None:
    sim.login(codex_home, expires_in=-1)
    sim.revoke()
    credentials._refresher.watch_s = 0.0
    for _ in range(3):
        with pytest.raises(errors.LoginRequired, match="codex login"):
            await credentials.current()
    assert sim.refresh_attempts == 1
    assert credentials.status().state == "login_required"
    sim.login(codex_home, account_id="acct-new")
    assert (await credentials.current()).account_id == "acct-new"
    assert credentials.status().state == "ok"


@pytest.mark.parametrize(
    "body",
    [
        {"error": "invalid_grant"},
        {"error": {"code": "refresh_token_expired"}},
        {"error": "refresh_token_invalidated"},
        {"code": "refresh_token_reused"},
    ],
)
async def test_each_form_of_a_permanent_refusal_is_known(
    sim: Simulator, credentials: Credentials, codex_home: Path, body: object
) -> None:
    sim.login(codex_home, expires_in=-1)
    sim.token_fault(400, body)
    credentials._refresher.watch_s = 0.0
    with pytest.raises(errors.LoginRequired):
        await credentials.current()


async def test_a_transient_failure_keeps_the_old_token_while_it_is_good_and_backs_off(
    sim: Simulator, credentials: Credentials, codex_home: Path
) -> None:
    account = sim.login(codex_home, expires_in=60)
    sim.token_fault(503, times=-1)
    for _ in range(20):
        assert (await credentials.current()).access_token == account.access_token
    assert sim.refresh_attempts == 1
    assert credentials.status().state == "ok"


async def test_a_transient_failure_with_an_expired_token_names_the_login_server(
    sim: Simulator, settings: Settings, codex_home: Path, home: Path, http: Transport
) -> None:
    now = time.time()
    credentials = Credentials(settings, codex_home, home, http, clock=lambda: now)
    sim.login(codex_home, expires_in=-10)
    sim.token_fault(503, times=-1)
    for _ in range(3):
        with pytest.raises(errors.UpstreamFailed, match="login server answered 503") as raised:
            await credentials.current()
    assert raised.value.url == sim.token_url
    assert sim.refresh_attempts == 1
    now += 1.1
    sim.token_faults.clear()
    assert (await credentials.current()).access_token == stored_token(codex_home)


async def test_a_stuck_login_server_does_not_hold_up_a_good_token(
    sim: Simulator, credentials: Credentials, codex_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claudex.codex.credentials.PATIENCE_S", 0.05)
    account = sim.login(codex_home, expires_in=60)
    sim.token_fault(503, delay=0.5)
    assert (await credentials.current()).access_token == account.access_token


async def test_the_locks_are_given_back_when_the_login_server_is_stuck(
    sim: Simulator, settings: Settings, codex_home: Path, home: Path, http: Transport
) -> None:
    quick = msgspec.structs.replace(settings, auth=msgspec.structs.replace(settings.auth, refresh_timeout_s=0.2))
    credentials = Credentials(quick, codex_home, home, http)
    sim.login(codex_home, expires_in=-10)
    sim.token_fault(503, delay=5)
    with pytest.raises(errors.UpstreamTimeout):
        await credentials.current()
    locks.acquire(codex_home, 0).release()


async def test_a_cancelled_request_does_not_stop_the_refresh_of_the_others(
    sim: Simulator, credentials: Credentials, codex_home: Path
) -> None:
    sim.login(codex_home, expires_in=-10)
    first = asyncio.create_task(credentials.current())
    second = asyncio.create_task(credentials.current())
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).access_token == stored_token(codex_home)
    with pytest.raises(asyncio.CancelledError):
        await first
    assert sim.refresh_attempts == 1


async def test_while_another_program_holds_the_lock_the_loop_goes_on(
    sim: Simulator, credentials: Credentials, codex_home: Path
) -> None:
    sim.login(codex_home, expires_in=-10)
    held = locks.acquire(codex_home, 1)
    waiting = asyncio.create_task(credentials.current())
    for _ in range(20):
        await asyncio.sleep(0.005)
    assert not waiting.done()
    assert sim.refresh_attempts == 0
    held.release()
    assert (await waiting).access_token == stored_token(codex_home)


async def test_a_lock_that_is_never_freed_is_said_to_be_held(
    sim: Simulator, credentials: Credentials, codex_home: Path
) -> None:
    sim.login(codex_home, expires_in=-10)
    credentials._refresher.lock_wait_s = 0.05
    held = locks.acquire(codex_home, 1)
    with pytest.raises(errors.LoginBusy, match=r"auth\.lock"):
        await credentials.current()
    held.release()


async def test_what_another_program_renewed_while_we_waited_is_adopted(
    sim: Simulator, credentials: Credentials, codex_home: Path
) -> None:
    sim.login(codex_home, expires_in=-10)
    held = locks.acquire(codex_home, 1)
    waiting = asyncio.create_task(credentials.current())
    await asyncio.sleep(0.05)
    renewed = sim.login(codex_home)
    held.release()
    assert (await waiting).access_token == renewed.access_token
    assert sim.refresh_attempts == 0


async def test_a_token_that_another_program_has_just_redeemed_is_waited_for(
    sim: Simulator, credentials: Credentials, codex_home: Path, http: Transport
) -> None:
    """The official client redeems without a lock and takes the locks only to write."""
    sim.login(codex_home, expires_in=-10)
    file = authfile.load(codex_home)
    body = {
        "grant_type": "refresh_token",
        "refresh_token": file.token("refresh_token"),
        "client_id": CLIENT_ID,
        "refresh_reason": "proactive_expiry",
    }
    _, _, answer = await http.answer(
        "POST", sim.token_url, {"content-type": "application/json"}, json.dumps(body).encode(), within_s=5
    )
    ours = asyncio.create_task(credentials.current())
    await until(lambda: sim.refresh_attempts == 2)
    theirs = await asyncio.to_thread(locks.acquire, codex_home, 2.0)
    authfile.replace_tokens(authfile.load(codex_home), json.loads(answer))
    theirs.release()
    assert (await ours).access_token == json.loads(answer)["access_token"]
    assert credentials.status().state == "ok"


async def test_answers_that_leave_tokens_out_keep_the_old_ones(
    sim: Simulator, credentials: Credentials, codex_home: Path
) -> None:
    sim.login(codex_home, expires_in=-10)
    before = authfile.load(codex_home)
    sim.token_fault(200, {"access_token": jwt(exp=2_000_000_000)})
    await credentials.current()
    after = authfile.load(codex_home)
    assert after.token("access_token") != before.token("access_token")
    assert after.token("refresh_token") == before.token("refresh_token")
    assert after.token("id_token") == before.token("id_token")


@pytest.mark.parametrize("answer", [{}, {"access_token": 5}, [], "x", {"refresh_token": "only"}])
async def test_an_answer_without_a_token_is_no_success(
    sim: Simulator, credentials: Credentials, codex_home: Path, answer: object
) -> None:
    sim.login(codex_home, expires_in=-10)
    before = (codex_home / "auth.json").read_bytes()
    sim.token_fault(200, answer or "nothing")
    with pytest.raises(errors.UpstreamFailed, match="without a token"):
        await credentials.current()
    assert (codex_home / "auth.json").read_bytes() == before


async def test_an_expired_login_without_a_refresh_token_needs_a_new_one(
    credentials: Credentials, codex_home: Path
) -> None:
    found = document(expires_at=1000)
    found["tokens"] = {"access_token": jwt(exp=1000), "account_id": "a"}
    write_auth(codex_home, found)
    with pytest.raises(errors.LoginRequired, match="no refresh token"):
        await credentials.current()
    assert describe(codex_home, time.time()).state == "login_required"


async def test_an_undated_token_is_renewed_after_eight_days(
    sim: Simulator, credentials: Credentials, codex_home: Path
) -> None:
    sim.login(codex_home)
    file = auth_document(codex_home)
    tokens = file["tokens"]
    assert isinstance(tokens, dict)
    tokens["access_token"] = "opaque"
    write_auth(codex_home, {**file, "last_refresh": "2020-01-01T00:00:00Z"})
    assert (await credentials.current()).access_token != "opaque"
    assert sim.refreshes == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
async def test_before_the_token_is_spent_it_is_sure_that_the_new_one_can_be_stored(
    sim: Simulator, credentials: Credentials, codex_home: Path
) -> None:
    sim.login(codex_home, expires_in=-10)
    locks.acquire(codex_home, 1).release()
    await asyncio.to_thread(codex_home.chmod, 0o500)
    with pytest.raises(errors.LoginDamaged, match="cannot be written"):
        await credentials.current()
    assert sim.refresh_attempts == 0


async def test_no_error_and_no_repr_holds_a_token(sim: Simulator, credentials: Credentials, codex_home: Path) -> None:
    account = sim.login(codex_home, expires_in=-10)
    secrets = [account.access_token, account.refresh_token]
    sim.token_fault(500, {"error": {"message": f"bad token {'x' * 5}"}})
    with pytest.raises(errors.UpstreamError) as raised:
        await credentials.current()
    texts = [repr(raised.value), str(raised.value), repr(read_login(codex_home)), repr(describe(codex_home, 0))]
    assert not any(secret in text for secret in secrets for text in texts)


@pytest.mark.parametrize(
    ("text", "state"),
    [(None, "missing"), ("{", "login_required"), ('{"OPENAI_API_KEY": "sk"}', "login_required"), ("{}", "missing")],
)
def test_a_login_that_cannot_be_used_is_described_in_one_sentence(
    codex_home: Path, text: str | None, state: str
) -> None:
    if text is not None:
        write_auth(codex_home, text)
    status = describe(codex_home, time.time())
    assert status.state == state
    assert "codex login" in status.detail
    assert "\n" not in status.detail


def test_an_expired_but_renewable_login_is_described_as_expired(codex_home: Path) -> None:
    write_auth(codex_home, document(expires_at=1000))
    status = describe(codex_home, 2000)
    assert (status.state, status.account_id, status.plan, status.expires_at) == ("expired", "acct-1", "plus", 1000)
    assert describe(codex_home, 500).state == "ok"


def test_logins_are_told_apart_by_user_and_account() -> None:
    assert Login("t", "a", "u").tag != Login("t", "a", "v").tag
