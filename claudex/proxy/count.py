"""`POST /v1/messages/count_tokens`, answered here: `/context` asks 25 times at once, and the backend cannot count."""

import hashlib
import os
import tempfile
import threading
from importlib.util import find_spec

from aiohttp import web

from ..translate import tokens
from ..translate.messages.decode import decode
from ..translate.messages.request import Upstream, translate
from . import body, choice, reply
from .exchange import Exchange
from .gateway import Gateway

# Where tiktoken 0.9 keeps a vocabulary that it has downloaded: a file named by the SHA-1 of its address.
VOCABULARY = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"
VOCABULARY_SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"

# The real vocabulary's count of a text, once it is loaded.
_exact: tokens.Exact | None = None


async def count_tokens(gateway: Gateway, request: web.BaseRequest, exchange: Exchange, _: str) -> web.Response:
    decoded = decode(await body.read(request, gateway.settings.proxy.body_limit_mb))
    target = choice.target(gateway, decoded)
    upstream = translate(
        decoded,
        target=target,
        account_tag=gateway.tag,
        options=choice.options(gateway.settings),
        catalog=gateway.catalog.models,
    )
    estimated = estimate(upstream)
    count = gateway.memory.calibration.apply(upstream.info.slug, estimated)
    exchange.facts.update(requested=decoded.model[:100], model=upstream.info.slug, input=count)
    return reply.json({"input_tokens": count}, exchange.id)


def estimate(upstream: Upstream) -> float:
    """Tokens of the tools and the conversation, uncalibrated: what stands around them in the body is no prompt."""
    body = upstream.body
    start = min(at for key in (b',"tools":[', b',"input":[') if (at := body.find(key)) >= 0)
    return tokens.estimate(body[start : upstream.marks[-1][0]], _exact)


def load_vocabulary() -> None:
    """Begins loading in a thread of its own, if tiktoken is installed and holds the vocabulary. Never downloads."""
    if find_spec("tiktoken") is not None:
        threading.Thread(target=_load, name="vocabulary", daemon=True).start()


def _load() -> None:
    global _exact
    if not vocabulary_is_cached():
        return
    import tiktoken  # type: ignore[import-not-found,unused-ignore]

    encoding = tiktoken.get_encoding("o200k_base")
    _exact = lambda text: len(encoding.encode_ordinary(text))  # noqa: E731


def vocabulary_is_cached(environ: "os._Environ[str] | dict[str, str]" = os.environ) -> bool:
    """A damaged file counts as none: tiktoken would fetch a new one."""
    folder = environ.get("TIKTOKEN_CACHE_DIR") or environ.get("DATA_GYM_CACHE_DIR")
    folder = folder or os.path.join(tempfile.gettempdir(), "data-gym-cache")
    name = hashlib.sha1(VOCABULARY.encode(), usedforsecurity=False).hexdigest()
    try:
        with open(os.path.join(folder, name), "rb") as file:
            return hashlib.sha256(file.read()).hexdigest() == VOCABULARY_SHA256
    except OSError:
        return False
