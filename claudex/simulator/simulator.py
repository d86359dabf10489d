"""The simulator as an object: start it, script it, look at what it saw."""

import asyncio
import hashlib
import json
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import msgspec
from aiohttp import web

from claudex.paths import TOKEN_URL_VARIABLE, UPSTREAM_VARIABLE
from claudex.wire.catalog import ModelInfo

from . import agent, catalog, tokens
from .accounts import TOKEN_LIFETIME_S, Account, Accounts, Usage, Window, write_login
from .echoes import TurnStates
from .recorded import Recorded
from .routes import application
from .script import Playable, Script, Turn, as_turn

START_TIMEOUT_S = 10.0


@dataclass
class TokenFault:
    status: int
    body: object
    times: int
    delay: float


class Simulator:
    """A strict, deterministic Codex backend on loopback.

    Use it as an async context manager, or `with Simulator.threaded() as sim` from synchronous code. Whatever a client
    does wrong is refused as the real backend refuses it and noted in `violations`.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        script: Script | None = None,
        seed: int = 0,
        window: int | None = None,
        strict_identity: bool = True,
        foreign_reasoning: bool = False,
        grace: float = 0.0,
        split: bool = True,
        models: Sequence[dict[str, Any]] | None = None,
        clock: Callable[[], float] = time.time,
        log: Callable[[str], None] | None = None,
    ) -> None:
        script = script or Script()
        self.clock = clock
        self.strict_identity = strict_identity
        self.foreign_reasoning = foreign_reasoning
        self.split = split
        self.catalog = list(models) if models is not None else catalog.embedded()
        self.models = {raw["slug"]: msgspec.convert(raw, ModelInfo) for raw in self.catalog}
        self.accounts_book = Accounts(clock, grace)
        self.cache = tokens.PromptCache()
        self.device_polls = 0
        self.token_faults: list[TokenFault] = []
        self._port = port
        self._seed = seed if script.seed is None else script.seed
        self._window = window if script.window is None else script.window
        self._log = log
        self._runner: web.AppRunner | None = None
        self.clear()
        self.play(*script.turns)

    def clear(self) -> None:
        """Forget what was seen and what was queued; logins and the prompt cache stay."""
        self.requests: list[Recorded] = []
        self.traffic: list[Recorded] = []
        self.violations: list[str] = []
        self.turns: list[Turn] = []
        self.turn_states = TurnStates()
        self.refreshes = 0
        self.refresh_attempts = 0
        self._seen_bodies: dict[bytes, int] = {}

    # Addresses

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """The backend's base, for CLAUDEX_UPSTREAM."""
        return f"{self.origin}/backend-api"

    @property
    def token_url(self) -> str:
        return f"{self.origin}/oauth/token"

    @property
    def port(self) -> int:
        return self._port

    def environ(self, codex_home: str | Path) -> dict[str, str]:
        return {UPSTREAM_VARIABLE: self.url, TOKEN_URL_VARIABLE: self.token_url, "CODEX_HOME": str(codex_home)}

    # Life

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    async def start(self) -> None:
        runner = web.AppRunner(
            application(self),
            handler_cancellation=True,  # a client that goes away is seen at once, also in a pause
            auto_decompress=False,  # aiohttp knows zstd only with a further package
            shutdown_timeout=0.1,
            access_log=None,
        )
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self._port)
        await site.start()
        self._runner = runner
        self._port = runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @classmethod
    @contextmanager
    def threaded(cls, port: int = 0, **facts: Any) -> Iterator[Self]:
        """The same, in a thread with its own event loop."""
        sim = cls(port, **facts)
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="claudex-simulator", daemon=True)
        thread.start()
        try:
            asyncio.run_coroutine_threadsafe(sim.start(), loop).result(START_TIMEOUT_S)
            yield sim
        finally:
            asyncio.run_coroutine_threadsafe(sim.stop(), loop).result(START_TIMEOUT_S)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(START_TIMEOUT_S)
            loop.close()

    # Scripting

    def play(self, *turns: Playable) -> None:
        """Queue turns; a string is a text turn, bytes or a path an SSE stream."""
        self.turns.extend(as_turn(played) for played in turns)

    def next_turn(self, request: Recorded) -> Turn:
        """The first queued turn that fits, else the default agent's answer."""
        for index, queued in enumerate(self.turns):
            if queued.fits(request):
                if queued.repeat == 1:
                    del self.turns[index]
                elif queued.repeat > 1:
                    self.turns[index] = replace(queued, repeat=queued.repeat - 1)
                return queued
        return agent.answer(request)

    def token_fault(self, status: int = 503, body: object = None, times: int = 1, delay: float = 0.0) -> None:
        """The token endpoint fails so for the next `times` calls (-1: until `token_faults` is cleared).

        Status 0 drops the connection.
        """
        self.token_faults.append(TokenFault(status, body or {"error": "temporarily_unavailable"}, times, delay))

    def next_token_fault(self) -> TokenFault | None:
        if not self.token_faults:
            return None
        fault = self.token_faults[0]
        fault.times -= 1
        if fault.times == 0:
            del self.token_faults[0]
        return fault

    # Accounts

    @property
    def accounts(self) -> dict[str, Account]:
        return self.accounts_book.known

    @property
    def reuses(self) -> int:
        """How often a refresh token was tried after its grace."""
        return self.accounts_book.reuses

    def login(
        self,
        codex_home: str | Path,
        *,
        account_id: str = "acct-simulator",
        email: str = "simulator@example.test",
        plan: str = "plus",
        expires_in: float = TOKEN_LIFETIME_S,
        fedramp: bool = False,
        user_id: str | None = None,
    ) -> Account:
        """Write a valid auth.json into `codex_home`. With a known account id: a new login of the same account."""
        account = Account(account_id, user_id or f"user-{account_id}", email, plan, fedramp)
        known = self.accounts_book.login(account, expires_in)
        write_login(Path(codex_home), known, self.clock())
        return known

    def new_login(self) -> Account:
        """The account that a device-code login ends in."""
        account = Account("acct-simulator", "user-acct-simulator", "simulator@example.test", "plus")
        return self.accounts_book.login(account, self.accounts_book.token_lifetime)

    def expire(self, account_id: str | None = None) -> None:
        """Access tokens issued so far are answered 401 from now on."""
        self.accounts_book.expire(account_id)

    def revoke(self, account_id: str | None = None) -> None:
        """Refresh tokens are refused for good until the next login."""
        self.accounts_book.revoke(account_id)

    def set_usage(
        self,
        account_id: str | None = None,
        *,
        primary: float | None = 42.0,
        secondary: float | None = 12.0,
        primary_minutes: int = 300,
        secondary_minutes: int = 10080,
        primary_resets_in: float = 7000.0,
        secondary_resets_in: float = 300_000.0,
        credits: dict[str, Any] | None = None,
    ) -> None:
        """Percent used of each window; None: the account has no such window. 100 or more: 429 usage_limit_reached."""
        now = self.clock()
        usage = Usage(credits=credits)
        if primary is not None:
            usage.primary = Window(primary, primary_minutes, int(now + primary_resets_in))
        if secondary is not None:
            usage.secondary = Window(secondary, secondary_minutes, int(now + secondary_resets_in))
        for account in self.accounts.values():
            if account_id in (None, account.account_id):
                account.usage = usage

    # What the routes need

    @property
    def etag(self) -> str:
        digest = hashlib.blake2b(json.dumps(self.catalog).encode(), digest_size=8).hexdigest()
        return f'W/"{digest}"'

    def window(self, slug: str) -> int:
        return self._window or self.models[slug].context_window

    def rng_for(self, data: bytes) -> random.Random:
        """Chance that depends on the seed, the request and how often it came: no order of arrival changes it."""
        digest = hashlib.blake2b(data, digest_size=16).digest()
        count = self._seen_bodies[digest] = self._seen_bodies.get(digest, 0) + 1
        return random.Random(f"{self._seed}:{count}:{digest.hex()}")

    def record(self, request: Recorded) -> None:
        self.traffic.append(request)
        if request.method == "POST" and request.path.endswith("/codex/responses"):
            self.requests.append(request)

    def blame(self, why: str, request: Recorded) -> None:
        self.violations.append(f"{request.method} {request.path}: {why}")

    def log(self, request: Recorded) -> None:
        if self._log is not None:
            model = request.body.get("model", "")
            self._log(f"{request.method} {request.path} {request.status} {model} {request.events or ''}".rstrip())


def stderr_log(line: str) -> None:
    print(f"simulator: {line}", file=sys.stderr, flush=True)
