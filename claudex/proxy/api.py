"""The proxy about itself: health, status, losses, cache, recent requests, and making way for a successor."""

import asyncio
import os
import sys
import time
from dataclasses import asdict
from typing import Any

from aiohttp import web

from .. import __version__, paths
from ..errors import Conflict, NotFound
from . import health, reply
from .exchange import Exchange
from .gateway import Gateway

LISTED_REQUESTS = 100


async def root(gateway: Gateway, request: web.BaseRequest, exchange: Exchange, _: str) -> web.Response:
    """Claude Code 2.1.197 warms its connection with `HEAD /`; any status does."""
    return reply.body(b"", exchange.id)


async def healthz(gateway: Gateway, request: web.BaseRequest, exchange: Exchange, _: str) -> web.Response:
    nonce = request.query.get("nonce", "")
    document = health.document(gateway.instance, nonce, gateway.live.token, len(gateway.in_flight), gateway.retiring)
    return reply.json(document, exchange.id)


async def retire(gateway: Gateway, request: web.BaseRequest, exchange: Exchange, _: str) -> web.Response:
    """Once no request is in flight, this process becomes what run/successor names, on the same listening socket."""
    if successor(gateway.home) is None:
        raise Conflict("claudex: run/successor names no program to make way for.")
    gateway.retiring = True
    if not gateway.in_flight:
        for tell in gateway.on_idle:
            asyncio.get_running_loop().call_soon(tell)
    return reply.json({"retiring": True, "in_flight": len(gateway.in_flight)}, exchange.id, 202)


def successor(home: str) -> list[str] | None:
    """The argv in run/successor, if it can be executed."""
    try:
        with open(paths.successor(home), encoding="utf-8", errors="surrogateescape") as file:
            argv = file.read().splitlines()
    except OSError:
        return None
    return argv if argv and os.path.isabs(argv[0]) and os.access(argv[0], os.X_OK) else None


async def status(gateway: Gateway, request: web.BaseRequest, exchange: Exchange, _: str) -> web.Response:
    instance, memory = gateway.instance, gateway.memory
    loop = asyncio.get_running_loop()
    document = {
        "instance_id": instance.id,
        "version": __version__,
        "pid": instance.pid,
        "port": instance.port,
        "base_url": f"http://127.0.0.1:{instance.port}",
        "home": gateway.home,
        "env_file": paths.env_file(gateway.home),
        "started_at": instance.started_at,
        "uptime_s": round(time.time() - instance.started_at, 1),
        "python": sys.executable,
        "loop": type(loop).__module__.partition(".")[0],
        "in_flight": len(gateway.in_flight),
        "retiring": gateway.retiring,
        "requests": dict(memory.totals),
        "upstream": gateway.settings.upstream.url,
        "auth": asdict(gateway.credentials.status()),
        "models": _models(gateway),
        "catalog": {"source": gateway.catalog.source, "count": len(gateway.catalog.models)},
        "limits": asdict(gateway.client.limits) if gateway.client.limits is not None else None,
        "losses": dict(memory.losses),
        "calibration": {model: round(ratio, 4) for model, ratio in memory.calibration.ratios.items()},
        "sessions": list(reversed(memory.sessions.values())),
        "problems": gateway.live.problems,
    }
    return reply.json(document, exchange.id)


async def losses(gateway: Gateway, request: web.BaseRequest, exchange: Exchange, _: str) -> web.Response:
    kinds = dict(gateway.memory.losses.most_common())
    return reply.json({"total": sum(kinds.values()), "kinds": kinds, "since": gateway.memory.since}, exchange.id)


async def cache(gateway: Gateway, request: web.BaseRequest, exchange: Exchange, _: str) -> web.Response:
    return reply.json({"sessions": gateway.cache.report(request.query.get("session"))}, exchange.id)


async def requests(gateway: Gateway, request: web.BaseRequest, exchange: Exchange, _: str) -> web.Response:
    newest = list(reversed(gateway.memory.requests))[:LISTED_REQUESTS]
    return reply.json({"requests": newest}, exchange.id)


async def request(gateway: Gateway, request: web.BaseRequest, exchange: Exchange, wanted: str) -> web.Response:
    line = gateway.memory.find(wanted)
    if line is None:
        raise NotFound(
            f"claudex: request {wanted[:60]!r} is not among the last ones; look in {paths.log(gateway.home)}."
        )
    return reply.json(line, exchange.id)


def _models(gateway: Gateway) -> dict[str, dict[str, Any]]:
    catalog = gateway.catalog.models
    return {
        slot: {
            "model": choice.model,
            "effort": choice.effort,
            "window": info.context_window if (info := catalog.get(choice.model)) else None,
        }
        for slot, choice in gateway.live.models.items()
    }
