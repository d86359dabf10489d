"""A process that renews a login: `python -m tests.codex.renewer once|forever CODEX_HOME HOME`.

It says "ready", waits for a line, then renews: once, printing the access token, or for ever, as a target for `kill -9`.
"""

import asyncio
import sys

from claudex import settings
from claudex.codex.credentials import Credentials
from claudex.codex.http import Transport
from claudex.codex.refresh import Refresher


async def main(mode: str, codex_home: str, home: str) -> None:
    found = settings.load(home)
    async with Transport(found) as http:
        print("ready", flush=True)
        sys.stdin.readline()
        if mode == "once":
            print((await Credentials(found, codex_home, home, http).current()).access_token, flush=True)
            return
        refresher, token = Refresher(found, codex_home, http), ""
        while True:
            token = (await refresher.renew(token, "unauthorized_recovery")).access_token


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
