"""Reading a request body: bounded in size and in time."""

import asyncio

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_exceptions import HTTPException

from ..errors import BadRequest, BodyTimeout, BodyTooLarge, UnsupportedEncoding

# On loopback a body arrives in milliseconds; a minute without a byte is a caller that hangs.
SILENCE_S = 60.0
ENCODINGS = ("", "identity", "gzip", "deflate")
MEBIBYTE = 1 << 20


async def read(request: web.BaseRequest, limit_mb: int) -> bytes:
    """Raises UnsupportedEncoding, BodyTooLarge, BodyTimeout, BadRequest. The limit is on the decompressed bytes."""
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ENCODINGS:
        raise UnsupportedEncoding(
            f"claudex: Content-Encoding {encoding[:30]!r} is not supported; send gzip, deflate or none."
        )
    limit = limit_mb * MEBIBYTE
    if (request.content_length or 0) > limit:
        raise _too_large(limit_mb)
    try:
        return await _read(request, limit, limit_mb)
    except TimeoutError:
        raise BodyTimeout(f"claudex: the request body stopped arriving for {SILENCE_S:.0f} s.") from None
    except (HttpProcessingError, HTTPException, web.RequestPayloadError) as error:
        raise BadRequest(f"claudex: the request body is damaged ({type(error).__name__}).") from None


async def _read(request: web.BaseRequest, limit: int, limit_mb: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    content = request.content
    while True:
        async with asyncio.timeout(SILENCE_S):
            piece = await content.readany()
        if not piece:
            return b"".join(pieces)
        size += len(piece)
        if size > limit:
            raise _too_large(limit_mb)
        pieces.append(piece)


def _too_large(limit_mb: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"claudex: the request body is larger than {limit_mb} MB (body_limit_mb in config.toml).",
        hint="Use /compact, or leave large attachments out.",
    )
