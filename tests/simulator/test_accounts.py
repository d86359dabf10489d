"""Logins, expiry, rotation and usage windows."""

import json
import stat
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from claudex.simulator import Simulator
from claudex.simulator.accounts import CLIENT_ID

from .codex import Answered, Codex, full_body


async def refresh(sim: Simulator, token: str, **more: Any) -> Answered:
    body = {"client_id": CLIENT_ID, "grant_type": "refresh_token", "refresh_reason": "forced", "refresh_token": token}
    async with aiohttp.ClientSession() as session, session.post(sim.token_url, json={**body, **more}) as answer:
        return Answered(answer.status, answer.headers, await answer.read())


async def test_login_writes_what_the_official_client_writes(sim: Simulator, tmp_path: Path) -> None:
    account = sim.login(tmp_path / "home", email="a@example.test", plan="pro", account_id="acct-1")
    path = tmp_path / "home" / "auth.json"
    document = json.loads(path.read_bytes())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(document) == {"auth_mode", "OPENAI_API_KEY", "tokens", "last_refresh"}
    assert document["tokens"]["account_id"] == "acct-1"
    assert document["tokens"]["refresh_token"] == account.refresh_token
    assert sim.environ(tmp_path)["CLAUDEX_UPSTREAM"] == sim.url


async def test_an_expired_token_is_nobodys_violation(sim: Simulator, codex: Codex, tmp_path: Path) -> None:
    late = Codex(sim, tmp_path / "late", account_id="acct-late", expires_in=-1)
    answer = await late.send(full_body("hi"))
    assert (answer.status, answer.json["error"]["code"]) == (401, "token_expired")
    sim.expire(codex.account.account_id)
    assert (await codex.send(full_body("hi"))).status == 401
    assert sim.violations == []


async def test_a_refresh_token_is_good_for_one_use(sim: Simulator, codex: Codex) -> None:
    old = codex.account.refresh_token
    first = await refresh(sim, old)
    assert first.status == 200
    assert first.json["refresh_token"] != old
    again = await refresh(sim, old)
    assert (again.status, again.json["error"]["code"]) == (401, "refresh_token_reused")
    assert (sim.refreshes, sim.refresh_attempts, sim.reuses, sim.violations) == (1, 2, 1, [])


async def test_grace_honours_an_old_token_for_a_while(tmp_path: Path) -> None:
    now = 1_795_000_000.0
    async with Simulator(grace=60, clock=lambda: now) as sim:
        old = sim.login(tmp_path).refresh_token
        assert [(await refresh(sim, old)).status for _ in range(2)] == [200, 200]
        now += 61
        assert (await refresh(sim, old)).status == 401


async def test_a_refreshed_token_works_after_expire(sim: Simulator, codex: Codex) -> None:
    sim.expire()
    await refresh(sim, codex.account.refresh_token)
    assert (await codex.send(full_body("hi"))).status == 200


async def test_revoked_faulty_and_foreign_refreshes(sim: Simulator, codex: Codex) -> None:
    token = codex.account.refresh_token
    sim.token_fault(0)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await refresh(sim, token)
    sim.token_fault(503, times=2)
    assert [(await refresh(sim, token)).status for _ in range(2)] == [503, 503]
    sim.revoke()
    revoked = await refresh(sim, token)
    assert (revoked.status, revoked.json["error"]["code"]) == (401, "refresh_token_invalidated")
    assert sim.violations == []
    foreign = await refresh(sim, "rt_made_up")
    assert (foreign.status, foreign.json) == (400, {"error": "invalid_grant"})
    assert (await refresh(sim, token, scope="openid", audience="x")).status == 400
    assert len(sim.violations) == 2


async def test_a_restarted_simulator_knows_its_tokens(tmp_path: Path) -> None:
    async with Simulator() as first:
        account = first.login(tmp_path, account_id="acct-9")
    async with Simulator() as second:
        codex = Codex.__new__(Codex)
        codex.sim, codex.account = second, account
        assert (await codex.send(full_body("hi"))).status == 200
        assert (await refresh(second, account.refresh_token)).status == 200
        assert second.violations == []


async def test_windows_are_told_three_ways(sim: Simulator, codex: Codex) -> None:
    sim.set_usage(primary=42.5, secondary=None, primary_minutes=10080, primary_resets_in=100)
    answer = await codex.send(full_body("hi"))
    assert answer.headers["x-codex-primary-used-percent"] == "42.5"
    assert answer.headers["x-codex-primary-window-minutes"] == "10080"
    assert "x-codex-secondary-used-percent" not in answer.headers
    limits = next(event for event in answer.events if event["type"] == "codex.rate_limits")["rate_limits"]
    assert (limits["primary"]["used_percent"], limits["secondary"]) == (42.5, None)
    usage = (await codex.get("wham/usage")).json
    assert usage["rate_limit"]["primary_window"]["limit_window_seconds"] == 604800
    assert usage["rate_limit"]["secondary_window"] is None


async def test_a_used_up_window_refuses(sim: Simulator, codex: Codex) -> None:
    sim.set_usage(primary=100, primary_resets_in=600)
    answer = await codex.send(full_body("hi"))
    error = answer.json["error"]
    assert (answer.status, error["type"], error["plan_type"]) == (429, "usage_limit_reached", "plus")
    assert 590 <= error["resets_in_seconds"] <= 600
    assert answer.headers["x-codex-primary-used-percent"] == "100"
    assert sim.violations == []


async def test_models_newer_than_the_client_are_hidden(sim: Simulator, codex: Codex) -> None:
    new = await codex.get("codex/models?client_version=0.169.0")
    old = await codex.get("codex/models?client_version=0.144.0")
    slugs = {model["slug"] for model in old.json["models"]}
    assert len(new.json["models"]) == 12
    assert "gpt-5.6-sol" in slugs
    assert "gpt-6-sol" not in slugs
    assert new.headers["etag"] == (await codex.send(full_body("hi"))).headers["x-models-etag"]
    assert (await codex.get("codex/models")).status == 400


async def test_small_endpoints(sim: Simulator, codex: Codex) -> None:
    accounts = (await codex.get("wham/accounts/check")).json
    assert [account["id"] for account in accounts["accounts"]] == ["acct-simulator"]
    assert (await codex.get("codex/responses", upgrade="websocket", connection="upgrade")).status == 426
    assert (await codex.get("codex/responses")).status == 405
    assert (await codex.get("ps/plugins/installed")).status == 404
    assert sim.violations == []


async def test_a_device_code_login(sim: Simulator) -> None:
    origin = f"{sim.origin}/api/accounts/deviceauth"
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{origin}/usercode", json={"client_id": CLIENT_ID}) as answer:
            codes = await answer.json()
        poll = {"device_auth_id": codes["device_auth_id"], "user_code": codes["user_code"]}
        statuses = []
        for _ in range(2):
            async with session.post(f"{origin}/token", json=poll) as answer:
                statuses.append(answer.status)
                granted = await answer.json()
        form = {"grant_type": "authorization_code", "client_id": CLIENT_ID, "code": granted["authorization_code"]}
        form |= {
            "code_verifier": granted["code_verifier"],
            "redirect_uri": "https://auth.openai.com/deviceauth/callback",
        }
        async with session.post(sim.token_url, data=form) as answer:
            tokens = await answer.json()
    assert statuses == [403, 200]
    assert {"id_token", "access_token", "refresh_token"} <= set(tokens)
    assert sim.violations == []


@pytest.mark.parametrize("field", ["client_id", "grant_type", "refresh_reason"])
async def test_a_malformed_refresh_is_a_violation(sim: Simulator, codex: Codex, field: str) -> None:
    assert (await refresh(sim, codex.account.refresh_token, **{field: "wrong"})).status == 400
    assert len(sim.violations) == 1
