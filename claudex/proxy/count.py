"""`POST /v1/messages/count_tokens`, answered here: `/context` asks 25 times at once, and the backend cannot count.

Two calibrations are kept for each model: of the heuristic, and of the real vocabulary if there is one. The vocabulary
costs milliseconds, so a message request, which wants its first event soon, is estimated by the heuristic.
"""

import asyncio

import msgspec
from aiohttp import web

from ..translate import tokens
from ..translate.messages.decode import decode
from ..translate.messages.request import Upstream, translate
from . import body, choice, reply, vocabulary
from .exchange import Exchange
from .gateway import Gateway


async def count_tokens(gateway: Gateway, request: web.BaseRequest, exchange: Exchange, _: str) -> web.Response:
    decoded = decode(await body.read(request, gateway.settings.proxy.body_limit_mb))
    options = msgspec.structs.replace(choice.options(gateway.settings), strict=False)  # counting loses nothing
    upstream = translate(
        decoded,
        target=choice.target(gateway, decoded),
        account_tag=gateway.tag,
        options=options,
        catalog=gateway.catalog.models,
    )
    exact = vocabulary.exact()
    slug = upstream.info.slug
    count = gateway.memory.calibration.apply(exactly(slug) if exact else slug, estimate(upstream, exact))
    exchange.facts.update(requested=decoded.model[:100], model=slug, input=count)
    return reply.json({"input_tokens": count}, exchange.id)


def expected(gateway: Gateway, upstream: Upstream) -> int:
    """Tokens, soon: a conversation that grew has what the backend counted last time, and only its new end is estimated.

    The first event waits for this; what is told with it is overwritten by the backend's own count at the end.
    """
    calibration, end = gateway.memory.calibration, upstream.marks[-1][0]
    known, start = gateway.cache.counted(upstream.cache_key)
    if not 0 < start <= end:
        return calibration.apply(upstream.info.slug, estimate(upstream))
    return known + calibration.apply(upstream.info.slug, tokens.estimate(upstream.body[start:end]))


def estimate(upstream: Upstream, exact: tokens.Exact | None = None) -> float:
    """Tokens of the tools and the conversation, uncalibrated: what stands around them in the body is no prompt."""
    body = upstream.body
    start = min(at for key in (b',"tools":[', b',"input":[') if (at := body.find(key)) >= 0)
    return tokens.estimate(body[start : upstream.marks[-1][0]], exact)


def exactly(slug: str) -> str:
    """The name of the other calibration."""
    return f"{slug}:o200k"


def learn(gateway: Gateway, upstream: Upstream, counted: int) -> None:
    """Both calibrations, from what the backend counted; the slow one in a thread."""
    slug = upstream.info.slug
    gateway.memory.counted(slug, estimate(upstream), counted)
    if (exact := vocabulary.exact()) is not None:
        work = asyncio.get_running_loop().run_in_executor(None, estimate, upstream, exact)
        work.add_done_callback(lambda done: gateway.memory.counted(exactly(slug), done.result(), counted))
