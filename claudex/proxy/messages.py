"""`POST /v1/messages`, streamed and not."""

import asyncio
import os
from contextlib import AsyncExitStack

from aiohttp import web

from ..codex.stream import Stream
from ..errors import ClaudexError, Stopping
from ..translate.messages.aggregate import Fold
from ..translate.messages.decode import decode
from ..translate.messages.events import MessageStream
from . import body, reply
from .answer import Answer
from .exchange import Exchange
from .gateway import Gateway
from .turn import SAMPLES, Turn

HEADER_LIMIT = 200


async def messages(gateway: Gateway, request: web.BaseRequest, exchange: Exchange, _: str) -> web.StreamResponse:
    decoded = decode(await body.read(request, gateway.settings.proxy.body_limit_mb))
    headers = {
        "session": _header(request, "X-Claude-Code-Session-Id"),
        "agent": _header(request, "x-claude-code-agent-id"),
        "client": _header(request, "User-Agent"),
    }
    exchange.facts["session"] = headers["session"] or decoded.session or None
    turn = Turn(gateway, exchange, decoded, headers)
    events = MessageStream(
        message_id="msg_" + os.urandom(12).hex(),
        model=decoded.model,
        request_id=exchange.id,
        classify=turn.classify,
        tell=turn.tell,
        samples=SAMPLES,
    )
    try:
        if decoded.stream:
            return await _streamed(request, turn, events)
        return await _whole(turn, events)
    finally:
        turn.finish(events)


def _header(request: web.BaseRequest, name: str) -> str:
    """Short, and free of the lone surrogates that bytes outside UTF-8 become."""
    return request.headers.get(name, "")[:HEADER_LIMIT].encode("utf-8", "replace").decode()


async def _streamed(request: web.BaseRequest, turn: Turn, events: MessageStream) -> web.StreamResponse:
    exchange = turn.exchange
    with Answer(request, exchange, events, turn.gateway.settings.proxy) as answer:
        try:
            await _relay(turn, events, answer)
        except ClaudexError as error:
            if not answer.committed:
                raise
            exchange.error = error
            await answer.fail(error)
        except asyncio.CancelledError:
            if not (exchange.cut and answer.committed):
                raise
            exchange.error = Stopping("claudex: the proxy is stopping and could wait no longer.")
            await answer.fail(exchange.error)
        return await answer.finish()


async def _whole(turn: Turn, events: MessageStream) -> web.StreamResponse:
    """The same events, folded into one message: what is not streamed equals what is."""
    whole = Whole()
    await _relay(turn, events, whole)
    return reply.body(whole.fold.body(), turn.exchange.id)


class Whole:
    """Nothing is promised to the client before everything is there."""

    committed = False

    def __init__(self) -> None:
        self.fold = Fold()

    async def write(self, data: bytes) -> None:
        self.fold.feed(data)


async def _relay(turn: Turn, events: MessageStream, answer: Answer | Whole) -> None:
    """Sample after sample, until the model has ended its turn. Raises what the stream says instead of an answer."""
    while not events.done:
        async with AsyncExitStack() as stack:
            await _sample(await turn.open(stack, events), events, answer)


async def _sample(stream: Stream, events: MessageStream, answer: Answer | Whole) -> None:
    """One write for each chunk that comes, until the sample is complete."""
    data = events.feed(stream.head)
    if events.error is not None and not answer.committed:
        raise events.error
    await answer.write(data)
    if not (events.done or events.again):
        async for chunk in stream.chunks():
            await answer.write(events.feed(chunk))
            if events.done or events.again:
                break
    if events.cancel_upstream:  # a local stop leaves an upstream that would go on generating
        stream.abort()
    await answer.write(events.close())
    if events.error is not None:
        raise events.error
