"""The login in use: read when the file changes, renewed before it expires, refused only when nothing else helps."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from .. import errors
from ..settings import Settings
from . import authfile, login, sync
from .authfile import AuthFile, Stamp
from .http import Transport
from .login import AuthStatus, Login
from .refresh import Reason, Refresher

UNDATED_LIFE_S = 8 * 86_400.0  # a token that does not tell its end: codex CLI 0.169.0 renews it after eight days
PATIENCE_S = 2.0  # how long a request with a token that is still good waits for the renewed one
BACKOFF_S = (1.0, 60.0)  # first and longest pause after a transient failure
RECENT_S = 600.0  # a token that was renewed this recently and is refused will not get better by renewing


def read_login(codex_home: str | Path) -> Login:
    """Raises LoginMissing, LoginDamaged, LoginUnusable."""
    file = authfile.load(codex_home)
    return login.from_document(file.document, str(file.path))


def describe(codex_home: str | Path, now: float) -> AuthStatus:
    """The login for `status`: no network, no exception. `now` is unix seconds."""
    source = str(authfile.path(codex_home))
    try:
        file = authfile.load(codex_home)
        found = login.from_document(file.document, source)
    except errors.LoginMissing as error:
        return AuthStatus("missing", None, None, None, source, None, str(error))
    except errors.LoginError as error:
        return AuthStatus("login_required", None, None, None, source, None, str(error))
    known = AuthStatus("ok", found.account_id, found.plan, found.expires_at, source, found.email)
    if not found.expires_within(0, now):
        return known
    if not file.token("refresh_token"):
        gone = "The Codex login has expired, and it has no refresh token. Run `codex login`."
        return replace(known, state="login_required", detail=gone)
    return replace(known, state="expired", detail="The access token has expired; the next request renews it.")


@dataclass(frozen=True)
class _Verdict:
    """A refusal for good: it holds for as long as the file stays as it was."""

    stamp: Stamp | None
    error: errors.LoginError


class Credentials:
    """One login, shared by all requests. `clock` gives unix seconds."""

    def __init__(
        self,
        settings: Settings,
        codex_home: str | Path,
        home: str | Path,
        http: Transport,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.codex_home = codex_home
        self._home = home
        self._clock = clock
        self._refresher = Refresher(settings, codex_home, http, clock)
        self._file: AuthFile | None = None
        self._login: Login | None = None
        self._synced = ""
        self._renewal: asyncio.Task[Login] | None = None
        self._verdict: _Verdict | None = None
        self._failure: errors.ClaudexError | None = None
        self._failures = 0
        self._not_before = 0.0
        self._recovered = ("", 0.0)

    @property
    def settings(self) -> Settings:
        return self._refresher.settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self._refresher.settings = settings

    async def current(self) -> Login:
        """The login to send now. A token that is still good is used for as long as renewing it fails."""
        file, found = await self._read()
        if not self._due(file, found):
            return found
        still_good = not found.expires_within(0, self._clock())
        try:
            renewed = await self._renewed(found, "proactive_expiry", PATIENCE_S if still_good else None)
        except errors.ClaudexError:
            if still_good:
                return found
            raise
        return renewed or found

    async def rejected(self, refused: Login) -> Login:
        """After a 401 to `refused`: what the file holds by now, else a renewed login, else LoginRequired."""
        self._file = None
        _, found = await self._read()
        if found.access_token != refused.access_token:
            return found
        token, when = self._recovered
        if token == refused.access_token and self._clock() - when < RECENT_S:
            raise errors.LoginRequired("ChatGPT refuses the Codex login even though it has just been renewed.")
        renewed = await self._renewed(found, "unauthorized_recovery", None)
        assert renewed is not None  # without a limit to its patience it has either waited or raised
        self._recovered = (renewed.access_token, self._clock())
        return renewed

    def status(self) -> AuthStatus:
        known = describe(self.codex_home, self._clock())
        verdict = self._standing_verdict()
        if verdict and known.state in ("ok", "expired"):
            return replace(known, state="login_required", detail=str(verdict.error))
        return known

    async def close(self) -> None:
        """Let a renewal that has begun store what it gets: an answer that is thrown away costs the login."""
        if self._renewal:
            await asyncio.wait({self._renewal})

    async def _read(self) -> tuple[AuthFile, Login]:
        stamp = authfile.stamp(self.codex_home)
        if self._file is None or self._login is None or stamp is None or stamp != self._file.stamp:
            self._file = authfile.load(self.codex_home)
            self._login = login.from_document(self._file.document, str(self._file.path))
        if self._synced != self._login.access_token:
            self._synced = self._login.access_token
            await asyncio.to_thread(self._sync, self._login)
        return self._file, self._login

    def _sync(self, found: Login) -> None:
        with suppress(OSError):  # the copy is for other programs' eyes: a full disk must not stop this request
            sync.write_current(found, self._home)

    def _due(self, file: AuthFile, found: Login) -> bool:
        if found.expires_at is not None:
            return found.expires_within(self.settings.auth.refresh_early_s, self._clock())
        last = authfile.last_refresh(file)
        return last is not None and last + UNDATED_LIFE_S < self._clock()

    async def _renewed(self, old: Login, reason: Reason, patience_s: float | None) -> Login | None:
        """None when `patience_s` ran out first; the renewal goes on without us, also when we are cancelled."""
        if self._renewal is None:
            self._refuse_early()
            self._renewal = asyncio.create_task(self._renew(old, reason))
            self._renewal.add_done_callback(_look)
        renewal = self._renewal
        done, _ = await asyncio.wait({renewal}, timeout=patience_s)
        if not done:
            return None
        if error := renewal.exception():
            raise error.with_traceback(None)  # shared by all who waited: no one's trace belongs to it
        return renewal.result()

    async def _renew(self, old: Login, reason: Reason) -> Login:
        stamp = authfile.stamp(self.codex_home)
        try:
            renewed = await self._refresher.renew(old.access_token, reason)
        except errors.LoginRequired as error:
            self._verdict = _Verdict(stamp, error)
            raise
        except (errors.UpstreamError, errors.LoginBusy) as error:
            self._back_off(error)
            raise
        else:
            self._failures, self._failure, self._verdict = 0, None, None
            await self._read()
            return renewed
        finally:
            self._renewal = None

    def _refuse_early(self) -> None:
        if verdict := self._standing_verdict():
            raise verdict.error.with_traceback(None)
        if self._failure and self._clock() < self._not_before:
            raise self._failure.with_traceback(None)

    def _standing_verdict(self) -> _Verdict | None:
        verdict = self._verdict
        return verdict if verdict and verdict.stamp == authfile.stamp(self.codex_home) else None

    def _back_off(self, error: errors.ClaudexError) -> None:
        first, longest = BACKOFF_S
        self._failure = error
        self._not_before = self._clock() + min(first * 2**self._failures, longest)
        self._failures += 1


def _look(renewal: "asyncio.Task[Login]") -> None:
    """Nobody may be waiting any more: a failure is remembered where it was raised."""
    if not renewal.cancelled():
        renewal.exception()
