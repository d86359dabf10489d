"""Reading a request body: bounded in size and in time."""

import asyncio
import zlib
from collections.abc import Callable

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from ..errors import BadRequest, BodyTimeout, BodyTooLarge, UnsupportedEncoding

# On loopback a body arrives in milliseconds; a minute without a byte is a caller that hangs.
SILENCE_S = 60.0
MEBIBYTE = 1 << 20
PLAIN = ("", "identity")
DEFLATED = ("gzip", "deflate")
GZIP_OR_ZLIB = zlib.MAX_WBITS | 32

Decode = Callable[[bytes, int], bytes]


async def read(request: web.BaseRequest, limit_mb: int) -> bytes:
    """Raises UnsupportedEncoding, BodyTooLarge, BodyTimeout, BadRequest. The limit is on the decompressed bytes."""
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in (*PLAIN, *DEFLATED):
        raise UnsupportedEncoding(
            f"claudex: Content-Encoding {encoding[:30]!r} is not supported; send gzip, deflate or none."
        )
    limit = limit_mb * MEBIBYTE
    if (request.content_length or 0) > limit:
        raise _too_large(limit_mb)
    decode = zlib.decompressobj(GZIP_OR_ZLIB).decompress if encoding in DEFLATED else _as_it_is
    try:
        return await _read(request, decode, limit)
    except TimeoutError:
        raise BodyTimeout(f"claudex: the request body stopped arriving for {SILENCE_S:.0f} s.") from None
    except OverflowError:
        raise _too_large(limit_mb) from None
    except (HttpProcessingError, web.RequestPayloadError, zlib.error) as error:
        raise BadRequest(f"claudex: the request body is damaged ({type(error).__name__}).") from None


async def _read(request: web.BaseRequest, decode: Decode, limit: int) -> bytes:
    """Raises OverflowError beyond `limit`."""
    pieces: list[bytes] = []
    size = 0
    content = request.content
    while True:
        async with asyncio.timeout(SILENCE_S):
            received = await content.readany()
        if not received:
            return b"".join(pieces)
        piece = decode(received, limit + 1)
        size += len(piece)
        if size > limit:
            raise OverflowError
        pieces.append(piece)


def _as_it_is(data: bytes, _: int) -> bytes:
    return data


def _too_large(limit_mb: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"claudex: the request body is larger than {limit_mb} MB (body_limit_mb in config.toml).",
        hint="Use /compact, or leave large attachments out.",
    )
