from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from claudex.simulator import Simulator

from .codex import Codex


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator() as simulator:
        yield simulator


@pytest.fixture
def codex(sim: Simulator, tmp_path: Path) -> Codex:
    return Codex(sim, tmp_path / "codex")
