"""Requests in a few words, their translation, and the strict simulator's judgement of it."""

import gzip
import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from claudex.simulator import sealed
from claudex.simulator.items import Context
from claudex.simulator.validate import check_body, check_model
from claudex.translate import models
from claudex.translate.messages import thinking
from claudex.translate.messages.request import Upstream, decode, translate
from claudex.translate.messages.thinking import Meta
from claudex.wire.catalog import CatalogDocument, ModelInfo

ROOT = Path(__file__).parents[3]
DATA = ROOT / "tests" / "data"
ACCOUNT = "account-1"
TAG = "tagtagta"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PDF = "JVBERi0xLjQK"

Json = dict[str, Any]

_document = msgspec.json.decode((ROOT / "claudex/codex/models.json").read_bytes(), type=CatalogDocument)
CATALOG: dict[str, ModelInfo] = {info.slug: info for info in _document.models}
MAP: models.ModelMap = {
    "opus": models.Choice("gpt-6.1-sol", "xhigh"),
    "sonnet": models.Choice("gpt-5.5"),
    "haiku": models.Choice("gpt-6-luna", "low"),
}


def text(words: str) -> Json:
    return {"type": "text", "text": words}


def user(*blocks: Json | str) -> Json:
    return {"role": "user", "content": [text(block) if isinstance(block, str) else block for block in blocks]}


def assistant(*blocks: Json | str) -> Json:
    return {**user(*blocks), "role": "assistant"}


def call(call_id: str, name: str = "Bash", **given: Any) -> Json:
    return {"type": "tool_use", "id": call_id, "name": name, "input": given}


def result(call_id: str, content: Any = "done", **more: Any) -> Json:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}


def thought(words: str = "", *, sealed_as: str = "", tag: str = TAG, **meta: Any) -> Json:
    """A thinking block of ours; `sealed_as` is its encrypted content (empty: a carrier)."""
    return {"type": "thinking", "thinking": words, "signature": thinking.encode(tag, sealed_as, Meta(**meta))}


@cache
def seal(seed: int = 0) -> str:
    """Encrypted content that the simulator knows as its own."""
    return sealed.issue(ACCOUNT, "reasoning", random.Random(seed))


def image(data: str = PNG, media_type: str = "image/png") -> Json:
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}


def pdf(**more: Any) -> Json:
    return {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}, **more}


def tool(name: str, **more: Any) -> Json:
    return {"name": name, "description": "d", "input_schema": {"type": "object", "properties": {}}, **more}


def request(*messages: Json, **fields: Any) -> Json:
    return {"model": "opus", "max_tokens": 32000, "messages": list(messages) or [user("hi")], **fields}


def encoded(body: Json) -> bytes:
    """As a JavaScript client writes it."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def translated(body: Json | bytes, **options: Any) -> Upstream:
    """The translation, accepted by the strict simulator."""
    asked = decode(body if isinstance(body, bytes) else encoded(body))
    target = options.pop("target", None) or models.resolve(asked.model, asked.effort, MAP, CATALOG)
    up = translate(asked, target=target, account_tag=TAG, catalog=CATALOG, **options)
    judge(up)
    return up


def judge(up: Upstream) -> None:
    """Raises the simulator's refusal. A model that is in no catalog is judged as the default one."""
    body = json.loads(up.body)
    known = up.info.slug in CATALOG
    model = check_model(body, CATALOG, "pro") if known else CATALOG["gpt-6.1-sol"]
    check_body(body, model, Context(ACCOUNT, up.lane))


def upstream(body: Json | bytes, **options: Any) -> Json:
    """The upstream body, decoded."""
    decoded: Json = json.loads(translated(body, **options).body)
    return decoded


def items(body: Json | bytes, **options: Any) -> list[Json]:
    """The input items without the Lite lane's tools."""
    return [item for item in upstream(body, **options)["input"] if item["type"] != "additional_tools"]


def captured(folder: str, name: str) -> Json:
    """One recorded request of Claude Code: name, method, path, headers, body."""
    document: Json = json.loads(gzip.decompress((DATA / folder / f"{name}.json.gz").read_bytes()))
    return document


def names_of(folder: str) -> list[str]:
    return sorted(path.name.removesuffix(".json.gz") for path in (DATA / folder).glob("*.json.gz"))
