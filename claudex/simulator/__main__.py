"""`python -m claudex.simulator`: the simulator as a process."""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys

from .script import Script
from .simulator import Simulator, stderr_log

NOTE = "claudex simulator: answers are made up on this machine, no model is asked, no login is real"


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. One JSON line on stdout says that it is ready, and where."""
    options = _parser().parse_args(argv)
    try:
        script = Script.load(options.script) if options.script else None
    except ValueError as error:
        print(f"claudex simulator: {error}", file=sys.stderr)
        return 2
    try:
        asyncio.run(_serve(options, script))
    except OSError as error:
        print(f"claudex simulator: cannot listen on port {options.port}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # where signal handlers cannot be installed on the loop (Windows)
        return 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="claudex self simulator", description=NOTE)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (0: any)")
    parser.add_argument("--script", metavar="FILE", help="TOML file with turns to play")
    parser.add_argument("--home", metavar="DIR", help="CODEX_HOME in which to write a simulated auth.json")
    parser.add_argument("--log", action="store_true", help="one line on stderr for each request")
    return parser


async def _serve(options: argparse.Namespace, script: Script | None) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stopped.set)
    log = stderr_log if options.log else None
    async with Simulator(options.port, script=script, log=log) as sim:
        if options.home:
            sim.login(options.home)
        print(json.dumps(_ready(sim, options.home)), flush=True)
        await stopped.wait()


def _ready(sim: Simulator, codex_home: str | None) -> dict[str, object]:
    environ = sim.environ(codex_home or "")
    if not codex_home:
        del environ["CODEX_HOME"]
    return {
        "simulator": True,
        "note": NOTE,
        "pid": os.getpid(),
        "url": sim.url,
        "token_url": sim.token_url,
        "state_url": f"{sim.origin}/simulator",
        "codex_home": codex_home,
        "environ": environ,
    }


if __name__ == "__main__":
    sys.exit(main())
