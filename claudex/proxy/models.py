"""`GET /v1/models`: the live catalog, in the shape of whoever asks."""

from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from ..errors import NotFound
from ..translate.models import parse_name
from ..wire.catalog import ModelInfo
from . import reply
from .exchange import Exchange
from .gateway import Gateway

# The backend names no creation dates; clients want one.
CREATED = 1_767_225_600


async def listing(gateway: Gateway, request: web.BaseRequest, exchange: Exchange, _: str) -> web.Response:
    infos = [info for info in gateway.catalog.models.values() if info.visibility == "list"]
    if not _anthropic(request):
        return reply.json({"object": "list", "data": [_openai_model(info) for info in infos]}, exchange.id)
    data = [_anthropic_model(info.slug, info) for info in infos]
    document = {"data": data, "has_more": False, "first_id": _slug(infos, 0), "last_id": _slug(infos, -1)}
    return reply.json(document, exchange.id)


async def one(gateway: Gateway, request: web.BaseRequest, exchange: Exchange, name: str) -> web.Response:
    catalog = gateway.catalog.models
    info = catalog.get(name) or catalog.get(parse_name(name, catalog).model)
    if info is None:
        raise NotFound(f"claudex: no model {name[:100]!r} in the catalog.", hint="`claudex self models` lists them.")
    return reply.json(_anthropic_model(name, info) if _anthropic(request) else _openai_model(info), exchange.id)


def _anthropic(request: web.BaseRequest) -> bool:
    return "anthropic-version" in request.headers


def _slug(infos: list[ModelInfo], at: int) -> str | None:
    return infos[at].slug if infos else None


def _anthropic_model(name: str, info: ModelInfo) -> dict[str, Any]:
    return {
        "type": "model",
        "id": name,
        "display_name": info.display_name or info.slug,
        "created_at": datetime.fromtimestamp(CREATED, UTC).isoformat().replace("+00:00", "Z"),
        "max_input_tokens": info.context_window,
    }


def _openai_model(info: ModelInfo) -> dict[str, Any]:
    return {
        "id": info.slug,
        "object": "model",
        "created": CREATED,
        "owned_by": "openai",
        "context_window": info.context_window,
    }
