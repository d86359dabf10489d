"""The small endpoints, and the one boundary around all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from aiohttp import web

from . import decode, identity, limits, refusal
from .accounts import CLIENT_ID, Account
from .recorded import Recorded
from .respond import Dropped, drop, refused, respond

if TYPE_CHECKING:
    from .simulator import Simulator

Serve = Callable[["Simulator", web.Request, Recorded], Awaitable[web.StreamResponse]]
LABEL = "claudex-simulator"
REASONS = ("proactive_expiry", "unauthorized_recovery", "scheduled", "forced")


def application(sim: Simulator) -> web.Application:
    app = web.Application(client_max_size=decode.SIZE_LIMIT)
    app.on_response_prepare.append(_dress)
    table: list[tuple[str, str, Serve]] = [
        ("POST", "/backend-api/codex/responses", respond),
        ("GET", "/backend-api/codex/responses", _upgrade),
        ("GET", "/backend-api/codex/models", _models),
        ("GET", "/backend-api/wham/usage", _usage),
        ("GET", "/backend-api/wham/accounts/check", _accounts),
        ("POST", "/oauth/token", _token),
        ("POST", "/api/accounts/deviceauth/usercode", _usercode),
        ("POST", "/api/accounts/deviceauth/token", _device_token),
        ("GET", "/simulator", _state),
        ("*", "/{rest:.*}", _not_found),
    ]
    for method, path, serve in table:
        app.router.add_route(method, path, _bounded(sim, serve))
    return app


async def _dress(request: web.Request, response: web.StreamResponse) -> None:
    """Label every answer; and streams have no Content-Type, as seen on the real backend (2026-09-22)."""
    response.headers["Server"] = LABEL
    if not isinstance(response, web.Response):
        response.headers.popall("Content-Type", None)


def _bounded(sim: Simulator, serve: Serve) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(http: web.Request) -> web.StreamResponse:
        request = Recorded(http.method, http.path, dict(http.query), http.headers.copy())
        sim.record(request)
        try:
            request.raw = await http.read()
            response = await serve(sim, http, request)
            if isinstance(response, web.Response) and not isinstance(response, Dropped):
                request.status = response.status
            return response
        except refusal.Refusal as refused_why:
            if refused_why.why:
                sim.blame(refused_why.why, request)
            return refused(refused_why, request)
        except (asyncio.CancelledError, ConnectionError):
            request.cancelled = True
            raise
        finally:
            request.closed.set()
            sim.log(request)

    return handle


def _account(sim: Simulator, request: Recorded) -> Account:
    account = sim.accounts_book.by_bearer(request.headers.get("authorization"))
    identity.check_account(request.headers, account)
    request.account = account
    return account


async def _upgrade(sim: Simulator, http: web.Request, request: Recorded) -> web.Response:
    """426 makes the official client fall back to HTTP for the session."""
    if request.headers.get("upgrade", "").lower() == "websocket":
        return web.json_response({"detail": "Upgrade Required"}, status=426)
    return web.json_response({"detail": "Method Not Allowed"}, status=405)


async def _models(sim: Simulator, http: web.Request, request: Recorded) -> web.Response:
    _account(sim, request)
    version = request.query.get("client_version")
    if not version:
        raise refusal.detail("client_version is required", "`client_version` is missing from the models request")
    ours = identity.parse_version(version)
    shown = [raw for raw in sim.catalog if identity.parse_version(str(raw["minimal_client_version"])) <= ours]
    return web.json_response({"models": shown}, headers={"ETag": sim.etag})


async def _usage(sim: Simulator, http: web.Request, request: Recorded) -> web.Response:
    return web.json_response(limits.document(_account(sim, request), sim.clock()))


async def _accounts(sim: Simulator, http: web.Request, request: Recorded) -> web.Response:
    account = _account(sim, request)
    entry = {
        "id": account.account_id,
        "account_id": account.account_id,
        "plan_type": account.plan,
        "name": None,
        "structure": "personal",
        "workspace_backend_origin": "NO_CONSTRAINT",
        "account_routing_override": "NO_CONSTRAINT",
    }
    order = [account.account_id]
    return web.json_response({"accounts": [entry], "account_ordering": order, "default_account_id": order[0]})


async def _token(sim: Simulator, http: web.Request, request: Recorded) -> web.Response:
    sim.refresh_attempts += 1
    if fault := sim.next_token_fault():
        await asyncio.sleep(fault.delay)
        if not fault.status:
            return drop(http)
        return web.json_response(fault.body, status=fault.status)
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    account = _redeem_code(sim, request) if form else _redeem_token(sim, request)
    tokens = {name: getattr(account, name) for name in ("id_token", "access_token", "refresh_token")}
    return web.json_response({**tokens, "token_type": "Bearer", "expires_in": int(sim.accounts_book.token_lifetime)})


def _redeem_token(sim: Simulator, request: Recorded) -> Account:
    request.body = decode.parse(request.raw)
    body = request.body
    if unknown := set(body) - {"client_id", "grant_type", "refresh_reason", "refresh_token", "scope"}:
        raise refusal.invalid(f"Unknown parameter: '{sorted(unknown)[0]}'.")
    if body.get("client_id") != CLIENT_ID or body.get("grant_type") != "refresh_token":
        raise refusal.invalid("client_id or grant_type is wrong in the refresh request.")
    if body.get("refresh_reason", "forced") not in REASONS:
        raise refusal.invalid(f"refresh_reason {body['refresh_reason']!r} is unknown.")
    account = sim.accounts_book.refresh(str(body.get("refresh_token")))
    sim.refreshes += 1
    return account


def _redeem_code(sim: Simulator, request: Recorded) -> Account:
    form = {key: values[0] for key, values in parse_qs(request.raw.decode()).items()}
    request.body = dict(form)
    wanted = {"grant_type": "authorization_code", "client_id": CLIENT_ID, "code": "ac_sim", "code_verifier": "cv_sim"}
    for key, value in wanted.items():
        if form.get(key) != value:
            raise refusal.invalid(f"{key} is {form.get(key)!r} in the code exchange.")
    return sim.new_login()


async def _usercode(sim: Simulator, http: web.Request, request: Recorded) -> web.Response:
    request.body = decode.parse(request.raw)
    if request.body.get("client_id") != CLIENT_ID:
        raise refusal.invalid("client_id is wrong in the device code request.")
    codes = {"device_auth_id": "deviceauth_sim", "user_code": "SIMU-LATED", "interval": "1"}
    return web.json_response({**codes, "expires_at": "2099-01-01T00:00:00Z"})


async def _device_token(sim: Simulator, http: web.Request, request: Recorded) -> web.Response:
    """Pending on the first poll, granted on the second: nobody has to type the code anywhere."""
    request.body = decode.parse(request.raw)
    sim.device_polls += 1
    if sim.device_polls % 2:
        return web.json_response({"error": {"code": "deviceauth_authorization_pending"}}, status=403)
    return web.json_response({"authorization_code": "ac_sim", "code_challenge": "cc_sim", "code_verifier": "cv_sim"})


async def _state(sim: Simulator, http: web.Request, request: Recorded) -> web.Response:
    sim.traffic.remove(request)
    counts = {"requests": len(sim.requests), "refreshes": sim.refreshes, "queued_turns": len(sim.turns)}
    return web.json_response({"simulator": True, **counts, "violations": sim.violations})


async def _not_found(sim: Simulator, http: web.Request, request: Recorded) -> web.Response:
    return web.json_response({"detail": "Not Found"}, status=404)
