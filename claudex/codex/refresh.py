"""Redeeming the refresh token, once, for everybody.

A refresh token is single-use: whoever redeems it second loses the login. So the whole of read, redeem and write
happens under the official CLI's own locks (which are held for no longer than the call may take), and a token that
somebody else has renewed meanwhile is adopted. The official CLI (0.169.0) redeems without a lock and locks only to
write; when it was first, our answer is `refresh_token_reused`, and then the locks must be free for it to store what
it got.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from .. import errors
from ..settings import Settings
from . import authfile, classify, identity, login, refusal
from .authfile import AuthFile
from .http import Transport
from .locks import Locks, acquire
from .login import Login

CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann"  # the official CLI's OAuth client
LOCK_WAIT_S = 30.0
WATCH_S = 5.0
WATCH_POLL_S = 0.05
TOKENS = ("id_token", "access_token", "refresh_token")
PERMANENT = ("refresh_token_expired", "refresh_token_reused", "refresh_token_invalidated", "invalid_grant")

Reason = Literal["proactive_expiry", "unauthorized_recovery"]


class Refused(errors.LoginRequired):
    """The token endpoint refused this refresh token for good."""


class Refresher:
    """`clock` gives unix seconds. `renew` is not single-flight: Credentials is."""

    def __init__(
        self, settings: Settings, codex_home: str | Path, http: Transport, clock: Callable[[], float] = time.time
    ) -> None:
        self.settings = settings
        self.watch_s = WATCH_S
        self.lock_wait_s = LOCK_WAIT_S
        self._codex_home = codex_home
        self._http = http
        self._clock = clock

    async def renew(self, old_access_token: str, reason: Reason) -> Login:
        """A login whose access token is not `old_access_token` and is not about to expire.

        Raises LoginError (LoginRequired when only a new login helps), or UpstreamError when the endpoint cannot be had.
        """
        try:
            return await self._renew_locked(old_access_token, reason)
        except Refused:
            if adopted := await self._appearing(old_access_token):
                return adopted
            raise

    async def _renew_locked(self, old_access_token: str, reason: Reason) -> Login:
        locks = await self._acquire()
        try:
            file = await asyncio.to_thread(self._read_locked)
            found = login.from_document(file.document, str(file.path))
            if found.access_token != old_access_token and not self._due(found):
                return found
            tokens = await self._redeem(file, reason)
            await asyncio.to_thread(authfile.replace_tokens, file, tokens)
            return self._read()
        except OSError as error:
            raise errors.LoginDamaged(
                f"The renewed login cannot be written to {authfile.path(self._codex_home)} ({error.strerror}).",
                hint="Make it writable, then run `codex login`.",
            ) from error
        finally:
            locks.release()

    async def _acquire(self) -> Locks:
        """A cancelled wait frees the locks as soon as its thread gets them."""
        waiting = asyncio.ensure_future(asyncio.to_thread(acquire, self._codex_home, self.lock_wait_s))
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            waiting.add_done_callback(_release_unwanted)
            raise

    def _read_locked(self) -> AuthFile:
        """The file as it is now, once it is sure that its successor can be stored."""
        authfile.sweep(self._codex_home)
        file = authfile.load(self._codex_home)
        authfile.rehearse(file)
        return file

    def _read(self) -> Login:
        file = authfile.load(self._codex_home)
        return login.from_document(file.document, str(file.path))

    def _due(self, found: Login) -> bool:
        return found.expires_within(self.settings.auth.refresh_early_s, self._clock())

    async def _redeem(self, file: AuthFile, reason: Reason) -> dict[str, str]:
        """The new tokens; the ones the answer leaves out stay as they are."""
        refresh_token = file.token("refresh_token")
        if not refresh_token:
            raise errors.LoginRequired("The Codex login has expired, and it has no refresh token.")
        version = identity.client_version(self.settings, self._codex_home)
        headers = {"content-type": "application/json", **identity.product_headers(self.settings, version)}
        body = {
            "client_id": CLIENT_ID,
            "grant_type": "refresh_token",
            "refresh_reason": reason,
            "refresh_token": refresh_token,
        }
        auth = self.settings.auth
        status, got, data = await self._http.answer(
            "POST", auth.token_url, headers, msgspec.json.encode(body), within_s=auth.refresh_timeout_s
        )
        if status != 200:
            raise _refusal(status, refusal.from_body(status, got, data), auth.token_url, self._clock())
        return _tokens(data, auth.token_url)

    async def _appearing(self, old_access_token: str) -> Login | None:
        """Somebody else redeemed the token first and may be about to write: watch the file for a while."""
        deadline = time.monotonic() + self.watch_s
        seen: object = ()
        while True:
            stamp = authfile.stamp(self._codex_home)
            if stamp != seen:
                seen = stamp
                if (found := self._glance()) and found.access_token != old_access_token and not self._due(found):
                    return found
            if time.monotonic() >= deadline:
                return None
            await asyncio.sleep(WATCH_POLL_S)

    def _glance(self) -> Login | None:
        try:
            return self._read()
        except errors.LoginError:
            return None  # half-written by somebody else, or gone: the next look tells


def _refusal(status: int, found: refusal.Refusal, url: str, now: float) -> errors.ClaudexError:
    if status == 401 or found.has(*PERMANENT):
        why = f" ({found.code})" if found.code else ""
        return Refused(f"ChatGPT no longer accepts the Codex login{why}.")
    facts = classify.Facts(
        upstream_status=status, code=found.code or None, upstream_id=found.upstream_id, url=url, retry_after=None
    )
    return errors.UpstreamFailed(f"ChatGPT's login server answered {status}: the login could not be renewed.", **facts)


def _tokens(data: bytes, url: str) -> dict[str, str]:
    try:
        document = msgspec.json.decode(data, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError):
        document = {}
    tokens = {name: value for name in TOKENS if isinstance(value := document.get(name), str) and value}
    if "access_token" not in tokens:
        raise errors.UpstreamFailed("ChatGPT's login server answered without a token.", upstream_status=200, url=url)
    return tokens


def _release_unwanted(waiting: "asyncio.Future[Locks]") -> None:
    if not waiting.cancelled() and waiting.exception() is None:
        waiting.result().release()
