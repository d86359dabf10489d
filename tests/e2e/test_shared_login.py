"""The real codex CLI and claudex live on one auth.json, through an expiry, and neither costs the other its login."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from claudex import settings
from claudex.codex.credentials import Credentials
from claudex.codex.http import Transport
from claudex.codex.login import Login
from claudex.simulator import Simulator

from .test_codex_against_simulator import Machine, messages


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def sim(machine: Machine) -> Iterator[Simulator]:
    with Simulator.threaded(strict_identity=False) as sim:
        machine.configure(sim, "gpt-5.5")
        yield sim


async def claudex_login(sim: Simulator, machine: Machine) -> Login:
    found = settings.load(str(machine.home), sim.environ(machine.codex_home))
    async with Transport(found) as http:
        credentials = Credentials(found, machine.codex_home, machine.home, http)
        try:
            return await credentials.current()
        finally:
            await credentials.close()


def stored(machine: Machine) -> dict[str, str]:
    tokens: dict[str, str] = json.loads((machine.codex_home / "auth.json").read_text())["tokens"]
    return tokens


def test_what_claudex_renewed_codex_uses(machine: Machine, sim: Simulator) -> None:
    sim.login(machine.codex_home, expires_in=-10)
    login = asyncio.run(claudex_login(sim, machine))
    assert messages(machine.codex(sim, "say hello"))
    assert sim.refresh_attempts == 1
    assert stored(machine)["access_token"] == login.access_token
    assert {request.headers["authorization"] for request in sim.requests} == {f"Bearer {login.access_token}"}
    assert sim.violations == []


def test_what_codex_renewed_claudex_uses(machine: Machine, sim: Simulator) -> None:
    sim.login(machine.codex_home, expires_in=-10)
    assert messages(machine.codex(sim, "say hello"))
    before = sim.refresh_attempts
    login = asyncio.run(claudex_login(sim, machine))
    assert sim.refresh_attempts == before == 1
    assert login.access_token == stored(machine)["access_token"]


def test_both_go_on_when_they_meet_the_expiry_together(machine: Machine, sim: Simulator) -> None:
    """Whoever is second finds the renewed token, or is told `refresh_token_reused` and adopts it."""
    sim.login(machine.codex_home, expires_in=-10)
    logins: list[Login] = []
    beside = threading.Thread(target=lambda: logins.append(asyncio.run(claudex_login(sim, machine))))
    beside.start()
    assert messages(machine.codex(sim, "say hello"))
    beside.join(30)
    assert sim.refreshes == 1
    assert logins[0].access_token == stored(machine)["access_token"]
    assert messages(machine.codex(sim, "say more"))
    assert sim.refreshes == 1
