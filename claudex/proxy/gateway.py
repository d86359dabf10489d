"""What all routes share, and how it is set up and taken down."""

import asyncio
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping
from typing import TypeVar

from .. import paths
from ..codex.catalog import Catalog
from ..codex.client import Client
from ..codex.credentials import Credentials
from ..codex.http import Transport
from ..errors import ClaudexError
from ..files import private_dir
from ..settings import Settings
from .cache_ledger import CacheLedger
from .exchange import Exchange
from .health import Instance
from .live import Live
from .log import Log
from .memory import Memory

# state.json is a convenience: losing a minute of it costs nothing.
SAVE_EVERY_S = 60.0
# Of so many conversations the proxy remembers what only makes them faster.
CONVERSATIONS = 256

V = TypeVar("V")


class Gateway:
    """One proxy's state. `in_flight` holds the exchanges that the proxy waits for before it stops."""

    def __init__(self, home: str, instance: Instance, environ: Mapping[str, str]) -> None:
        self.home = home
        self.instance = instance
        self.live = Live(home, environ)
        settings = self.live.settings
        private_dir(os.path.dirname(paths.log(home)))
        self.log = Log(paths.log(home), settings.log)
        self.memory = Memory(home)
        self.cache = CacheLedger()
        self.http = Transport(settings, environ)
        self.codex_home = paths.codex_home(environ)
        self.credentials = Credentials(settings, self.codex_home, home, self.http)
        self.catalog = Catalog.load(home)
        self.client = Client(settings, self.credentials, self.catalog, self.http, self.codex_home)
        self.in_flight: set[Exchange] = set()
        self.retiring = False
        self.tag = ""  # account of the newest answer: whose reasoning count_tokens may count
        self.on_idle: list[Callable[[], None]] = []
        self._tool_orders: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._ended_turns: OrderedDict[str, int] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._watch()

    @property
    def settings(self) -> Settings:
        return self.live.settings

    def start(self) -> None:
        """Begins the background work: login, TLS, a warm connection, the live catalog; and the saver of state.json."""
        self._spawn(self._warm())
        self._spawn(self._save_now_and_then())

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.client.close()
        await self.credentials.close()
        await self.http.close()
        self.save()
        self.log.close()

    def save(self) -> None:
        if self.memory.dirty:
            self._write_state(self.memory.snapshot())

    def refresh(self) -> None:
        """Takes changes of the files in. Cheap: one stat for each."""
        self.live.refresh()
        if self.live.token is not self._known_token:
            self._hide_token()

    def begin(self, exchange: Exchange) -> None:
        self.in_flight.add(exchange)

    def end(self, exchange: Exchange) -> None:
        """Logs and remembers what has ended."""
        counted = exchange in self.in_flight
        self.in_flight.discard(exchange)
        self.record(exchange)
        if counted and not self.in_flight:
            for tell in self.on_idle:
                tell()

    def record(self, exchange: Exchange) -> None:
        line = exchange.line()
        quiet = exchange.route in ("healthz", "root", "api") and exchange.error is None
        self.log.write("request", "debug" if quiet else exchange.level, **line)
        if not quiet:
            self.memory.lost(exchange.losses)
            self.memory.remember(line)

    def turn_key(self, turn: str) -> str:
        """Of a tool loop that is still running: the same conversation asked once more begins another."""
        return f"{turn}#{self._ended_turns.get(turn, 0)}"

    def turn_ended(self, turn: str) -> None:
        _keep(self._ended_turns, turn, self._ended_turns.get(turn, 0) + 1)

    def tool_order(self, key: str) -> tuple[str, ...]:
        return self._tool_orders.get(key, ())

    def remember_tool_order(self, key: str, order: tuple[str, ...]) -> None:
        _keep(self._tool_orders, key, order)

    def _watch(self) -> None:
        self.live.on_settings.append(self._apply)
        self.live.on_problem.append(lambda problem: self.log.write("settings", "warning", problem=problem))
        for problem in self.live.problems:
            self.log.write("settings", "warning", problem=problem)
        self._hide_token()

    def _hide_token(self) -> None:
        self._known_token = self.live.token
        self.log.known = (self._known_token.decode("utf-8", "replace"),)

    def _apply(self, settings: Settings) -> None:
        self.log.configure(settings.log)
        self.client.settings = settings
        self.credentials.settings = settings
        self.http.settings = settings
        self.log.write("settings", changed=True)

    async def _warm(self) -> None:
        began = time.monotonic()
        try:
            problem = await self.client.warm()
        except ClaudexError as error:
            problem = str(error)
        took = round((time.monotonic() - began) * 1000, 1)
        facts = {"source": self.catalog.source, "models": len(self.catalog.models), "took_ms": took}
        self.log.write("warm", "warning" if problem else "info", problem=problem or None, **facts)

    async def _save_now_and_then(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SAVE_EVERY_S)
            if self.memory.dirty:
                await loop.run_in_executor(None, self._write_state, self.memory.snapshot())

    def _write_state(self, text: str) -> None:
        try:
            self.memory.write(text)
        except OSError as error:  # a full disk costs statistics, not answers
            self.log.write("state", "warning", problem=error.strerror)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _keep(known: "OrderedDict[str, V]", key: str, value: V) -> None:
    known[key] = value
    known.move_to_end(key)
    while len(known) > CONVERSATIONS:
        known.popitem(last=False)
