"""The proxy's life: serve early, load the rest, serve, drain, and end or become its successor."""

import asyncio
import gc
import json
import os
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING, Literal

from .. import paths
from .door import Door
from .health import Instance
from .lock import HomeLock, remove_state, write_state

if TYPE_CHECKING:
    from .app import App
    from .server import Server

Ending = Literal["stop", "retire"]

BACKLOG = 128
# What a retiring proxy leaves its idle connections to say goodbye in.
GOODBYE_S = 0.2
# After the cut, what the last error events may take to be written.
CUT_S = 2.0


class Lifecycle:
    """`run` serves on `sock` until it is told to end, and says how: the caller execs the successor when it retires."""

    def __init__(self, home: str, sock: socket.socket, lock: HomeLock, instance: Instance, token: bytes) -> None:
        self._home = home
        self._sock = sock
        self._lock = lock
        self._instance = instance
        self._door = Door(instance, token)
        self._listener: asyncio.Server | None = None
        self._app: App | None = None
        self._http: Server | None = None
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._wake = asyncio.Event()

    async def run(self) -> Ending:
        loop = asyncio.get_running_loop()
        self._catch_signals(loop)
        await self._listen()
        await self._load(loop)
        ending = await self._serve_until_told()
        await self._end(ending)
        return ending

    async def _listen(self) -> None:
        """On a duplicate: closing the listener must leave the socket itself listening for a successor."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._door, sock=self._sock.dup(), backlog=BACKLOG)

    async def _load(self, loop: asyncio.AbstractEventLoop) -> None:
        """Imports in a thread, so that health checks are answered meanwhile."""
        await loop.run_in_executor(None, _import)
        from . import vocabulary
        from .app import App
        from .gateway import Gateway
        from .server import Server

        gateway = Gateway(self._home, self._instance, os.environ)
        gateway.on_idle.append(self._wake.set)
        self._app = App(gateway)
        self._http = Server(self._app.handle, gateway.record)
        self._door.open(self._http)
        gc.freeze()  # what is loaded stays: the collector need not look at it again
        gateway.start()
        vocabulary.load()
        await loop.run_in_executor(None, write_state, self._home, self._instance)
        ready_ms = round((time.time() - self._instance.started_at) * 1000)
        gateway.log.write("start", pid=self._instance.pid, port=self._instance.port, ready_ms=ready_ms)

    async def _serve_until_told(self) -> Ending:
        assert self._app is not None
        gateway = self._app.gateway
        while not self._stop.is_set():
            self._wake.clear()
            await self._wake.wait()
            if gateway.retiring and not gateway.in_flight and not self._stop.is_set() and await self._idle_for_good():
                return "retire"
        return "stop"

    async def _idle_for_good(self) -> bool:
        """Accepts no more and lets idle connections go. A request that slipped in meanwhile is served first."""
        assert self._app is not None
        assert self._http is not None
        self._close_listener()
        self._http.pre_shutdown()
        await asyncio.sleep(GOODBYE_S)
        if not self._app.gateway.in_flight:
            return True
        await self._listen()
        return False

    async def _end(self, ending: Ending) -> None:
        assert self._app is not None
        assert self._http is not None
        gateway = self._app.gateway
        self._close_listener()
        if ending == "stop":
            self._app.stopping = True
            self._sock.close()
            self._http.pre_shutdown()
            gateway.save()
            remove_state(self._home, self._instance)
            self._lock.release()
            await self._drain()
        await self._http.shutdown(CUT_S)
        gateway.log.write(ending, pid=self._instance.pid)
        await gateway.close()
        self._lock.release()

    async def _drain(self) -> None:
        assert self._app is not None
        gateway = self._app.gateway
        before = len(gateway.in_flight)
        await self._until_idle(gateway.settings.proxy.drain_s)
        cut = list(gateway.in_flight)
        for exchange in cut:
            exchange.cut = True
            if exchange.task is not None:
                exchange.task.cancel()
        self._hurry.clear()
        await self._until_idle(CUT_S)
        facts = {
            "pid": self._instance.pid,
            "instance_id": self._instance.id,
            "stopped_at": time.time(),
            "drained": before - len(cut),
            "cut": len(cut),
        }
        _write_private(paths.stopped(self._home), json.dumps(facts) + "\n")

    async def _until_idle(self, seconds: float) -> None:
        """Until nothing is in flight, the time is over, or a second signal says to hurry."""
        assert self._app is not None
        deadline = time.monotonic() + seconds
        while self._app.gateway.in_flight and not self._hurry.is_set():
            left = deadline - time.monotonic()
            if left <= 0:
                return
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), left)
            except TimeoutError:
                return

    def _close_listener(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _catch_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        for name in ("SIGTERM", "SIGINT"):
            try:
                loop.add_signal_handler(getattr(signal, name), self._told_to_stop)
            except NotImplementedError:  # Windows
                signal.signal(getattr(signal, name), lambda *_: loop.call_soon_threadsafe(self._told_to_stop))
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def _told_to_stop(self) -> None:
        """The first time: stop. The second: cut what is still running."""
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()
        self._wake.set()


def become(argv: list[str], fd: int) -> None:
    """Replaces this process by a successor on our listening socket; by ourselves anew when that cannot be executed."""
    os.set_inheritable(fd, True)
    own = [sys.executable, "-P", "-m", "claudex.proxy"]
    for program in (argv, own):
        try:
            os.execv(program[0], [*program, "--fd", str(fd)])
        except OSError as error:
            print(f"claudex: {program[0]}: {error.strerror}", file=sys.stderr, flush=True)


def _import() -> None:
    from . import app, server  # noqa: F401


def _write_private(path: str, text: str) -> None:
    from ..files import write_private

    write_private(path, text)
