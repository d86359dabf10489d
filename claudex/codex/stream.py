"""An answer on its way: what has been read of it, and the rest."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
from aiohttp import ClientResponse

from .. import errors
from ..wire.catalog import Lane
from .http import Headers, host_of
from .login import Login

DRAIN_S = 0.5
DRAIN_BYTES = 64 * 1024


@dataclass
class Stream:
    """`head` is everything read so far, from the first byte of the body, unchanged. Times are seconds since `open`."""

    head: bytes
    headers: Headers
    login: Login
    lane: Lane
    attempts: int
    stripped: bool
    url: str
    upstream_id: str | None
    opened_s: float
    first_content_s: float
    response: ClientResponse = field(repr=False)

    async def chunks(self) -> AsyncIterator[bytes]:
        """What follows `head`, as it comes, to the end of the body. Raises UpstreamTimeout, StreamTruncated."""
        content = self.response.content
        try:
            while chunk := await content.readany():
                yield chunk
        except (aiohttp.ClientError, OSError) as error:
            raise broken(error, self.url, self.upstream_id) from error

    def abort(self) -> None:
        """Close the connection now: the backend stops generating."""
        self.response.close()

    async def drain(self) -> None:
        """Read the little that follows the terminal event, so that the connection can serve the next request."""
        try:
            async with asyncio.timeout(DRAIN_S):
                left = DRAIN_BYTES
                while left > 0 and (chunk := await self.response.content.readany()):
                    left -= len(chunk)
        except (aiohttp.ClientError, OSError):
            pass  # nobody waits for these bytes
        finally:
            self.response.close()  # gives the connection back if the body has ended


def broken(error: BaseException, url: str, upstream_id: str | None) -> errors.UpstreamError:
    """What a body that stopped in the middle means. TimeoutError is an OSError."""
    host = host_of(url)
    if isinstance(error, aiohttp.SocketTimeoutError):
        return errors.UpstreamTimeout(
            f"{host} fell silent in the middle of the answer.", url=url, upstream_id=upstream_id
        )
    if isinstance(error, TimeoutError):
        return errors.UpstreamTimeout(f"{host} did not finish its answer in time.", url=url, upstream_id=upstream_id)
    return errors.StreamTruncated(
        f"{host} closed the connection in the middle of the answer.", url=url, upstream_id=upstream_id
    )
