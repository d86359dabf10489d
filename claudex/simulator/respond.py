"""`POST codex/responses`: check, choose a turn, play it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from aiohttp import web

from . import decode, echoes, identity, limits, sealed, tokens
from .items import Context
from .recorded import Recorded
from .refusal import Refusal
from .script import Pause, Turn
from .stream import Answer, events
from .validate import check_body, check_model

if TYPE_CHECKING:
    from .accounts import Account
    from .simulator import Simulator

KEEPALIVE_S = 0.1
LONGEST_WRITE = 1500


class Dropped(web.Response):
    """Nobody will read it: the connection is gone."""


async def respond(sim: Simulator, http: web.Request, request: Recorded) -> web.StreamResponse:
    account = await _checked(sim, request)
    turn = sim.next_turn(request)
    if turn.delay:
        await asyncio.sleep(turn.delay)
    if turn.reset:
        return drop(http)
    if turn.status != 200:
        return _fault(sim, turn, request, account)
    answer = _answer(sim, request, account)
    if answer.input_tokens > sim.window(request.body["model"]):
        turn = Turn(failed=CONTEXT_OVERFLOW)
    return await _play(sim, http, request, turn, answer)


CONTEXT_OVERFLOW = {
    "code": "context_length_exceeded",
    "message": "Your input exceeds the context window of this model. Please adjust your input and try again.",
}


async def _checked(sim: Simulator, request: Recorded) -> Account:
    account = sim.accounts_book.by_bearer(request.headers.get("authorization"))
    request.account = account
    identity.check_account(request.headers, account)
    request.data = decode.decompress(request.raw, request.headers.get("content-encoding", ""))
    request.body = decode.parse(request.data)
    identity.check_call(request.headers)
    model = check_model(request.body, sim.models, account.plan)
    identity.check_gate(request.headers, model, need_version=sim.strict_identity)
    check_body(request.body, model, Context(account.account_id, request.lane, sim.foreign_reasoning))
    limits.check(account, sim.clock())
    for why in echoes.faults(request, account.account_id, sim.turn_states):
        sim.blame(why, request)
    return account


def _answer(sim: Simulator, request: Recorded, account: Account) -> Answer:
    body = request.body
    rng = sim.rng_for(request.data)
    prompt = tokens.prompt(body)
    key = str(body.get("prompt_cache_key", ""))
    echoed = request.headers.get(echoes.STATE_HEADER)
    return Answer(
        account_id=account.account_id,
        body=body,
        created_at=int(sim.clock()),
        rng=rng,
        input_tokens=tokens.count(prompt),
        cached_tokens=sim.cache.hit(account.account_id, body["model"], key, prompt),
        turn_state=echoed or sealed.issue(account.account_id, "turn", rng, 40),
        etag=sim.etag,
        rate_limits=limits.event(account, sim.clock()),
    )


def drop(http: web.Request) -> web.Response:
    if http.transport is not None:
        http.transport.abort()
    return Dropped()


def _fault(sim: Simulator, turn: Turn, request: Recorded, account: Account) -> web.Response:
    request.status = turn.status
    headers = {**limits.headers(account, sim.clock()), **_correlation(request), **turn.headers}
    if isinstance(turn.body, str):
        return web.Response(status=turn.status, text=turn.body, content_type="text/html", headers=headers)
    return web.json_response(turn.body, status=turn.status, headers=headers)


async def _play(sim: Simulator, http: web.Request, request: Recorded, turn: Turn, answer: Answer) -> web.StreamResponse:
    response = web.StreamResponse(headers=_headers(sim, request, turn, answer))
    response.set_cookie(echoes.CLOUDFLARE_COOKIE, answer.rng.randbytes(16).hex(), httponly=True)
    response.set_cookie(echoes.OTHER_COOKIE, "not-for-echo")
    request.status = 200
    await response.prepare(http)
    wire = Wire(response, answer.rng if sim.split else None)
    for event in _events(turn, answer):
        if isinstance(event, Pause):
            await _silence(wire, event)
            continue
        if turn.cut_after == request.events:
            await wire.write(event[: len(event) // 2] if turn.cut_inside else b"", flush=True)
            return _cut(http, response)
        await wire.write(event)
        request.events += 1
    await wire.write(b"", flush=True)
    if turn.sse is None and turn.failed is None and turn.terminal and not answer.called and turn.end_turn is not False:
        sim.turn_states.end(answer.turn_state, request)
    await response.write_eof()
    return response


class Wire:
    """Writes that end anywhere: within an event, a UTF-8 sequence, or several events later."""

    def __init__(self, response: web.StreamResponse, rng: random.Random | None) -> None:
        self._response = response
        self._rng = rng
        self._waiting = b""
        self._size = self._next_size()

    async def write(self, data: bytes, *, flush: bool = False) -> None:
        self._waiting += data
        while len(self._waiting) >= self._size:
            piece, self._waiting = self._waiting[: self._size], self._waiting[self._size :]
            self._size = self._next_size()
            await self._response.write(piece)
        if self._waiting and (flush or self._rng is None):
            piece, self._waiting = self._waiting, b""
            await self._response.write(piece)

    def _next_size(self) -> int:
        return self._rng.randrange(1, LONGEST_WRITE) if self._rng else sys.maxsize


def _events(turn: Turn, answer: Answer) -> Iterator[bytes | Pause]:
    if turn.sse is not None:
        yield from _recorded(turn.sse)
        return
    for event in events(turn, answer):
        yield event if isinstance(event, Pause) else frame(event)


def _recorded(stream: bytes) -> Iterator[bytes]:
    """A verbatim stream, cut after blank lines so that its events can be counted; nothing is changed."""
    gap = b"\r\n\r\n" if b"\r\n\r\n" in stream else b"\n\n"
    *whole, rest = stream.split(gap)
    yield from (event + gap for event in whole)
    if rest:
        yield rest


def frame(event: dict[str, Any]) -> bytes:
    data = json.dumps(event, separators=(",", ":"), ensure_ascii=False)
    return f"event: {event['type']}\ndata: {data}\n\n".encode()


async def _silence(wire: Wire, pause: Pause) -> None:
    await wire.write(b"", flush=True)
    if not pause.keepalive:
        await asyncio.sleep(pause.seconds)
        return
    for _ in range(max(1, round(pause.seconds / KEEPALIVE_S))):
        await asyncio.sleep(KEEPALIVE_S)
        await wire.write(frame({"type": "keepalive"}), flush=True)


def _cut(http: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Close the connection without the end of the chunked body; what was written before still arrives."""
    if http.transport is not None:
        http.transport.close()
    return response


def _headers(sim: Simulator, request: Recorded, turn: Turn, answer: Answer) -> dict[str, str]:
    assert request.account is not None
    return {
        **limits.headers(request.account, sim.clock()),
        **_correlation(request),
        echoes.STATE_HEADER: answer.turn_state,
        "x-models-etag": answer.etag,
        "x-reasoning-included": "true",
        "openai-model": request.body["model"],
        "cache-control": "no-cache",
        **turn.headers,
    }


def _correlation(request: Recorded) -> dict[str, str]:
    digest = hashlib.blake2b(request.raw, digest_size=8).hexdigest()
    return {"x-request-id": f"req_sim_{digest}", "x-oai-request-id": f"req_sim_{digest}", "cf-ray": f"{digest}-SIM"}


def refused(refusal: Refusal, request: Recorded) -> web.Response:
    request.status = refusal.status
    headers = {**_correlation(request), **refusal.headers}
    return web.json_response(refusal.body, status=refusal.status, headers=headers)
