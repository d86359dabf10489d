"""What the real codex CLI 0.169.0 sent (captured 2026-11-21, prose replaced by filler) passes the checks."""

import json
from pathlib import Path
from typing import Any

import pytest

from claudex.simulator import Simulator

from .codex import Codex

CAPTURES = sorted((Path(__file__).parent.parent / "data" / "codex-cli").glob("*.json"))


def _load(path: Path) -> dict[str, Any]:
    capture: dict[str, Any] = json.loads(path.read_text())
    return capture


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
async def test_a_captured_request_is_accepted(path: Path, tmp_path: Path) -> None:
    capture = _load(path)
    captured = dict(capture["headers_in_order"])
    fedramp = "x-openai-fedramp" in captured
    more = {
        name.replace("-", "_"): value
        for name, value in captured.items()
        if name not in ("authorization", "content-encoding", "content-length", "host", "cookie", "x-codex-turn-state")
    }
    # Custom providers on plain http leave `version` out; the encrypted content is not this simulator's.
    async with Simulator(strict_identity=False, foreign_reasoning=True) as sim:
        codex = Codex(sim, tmp_path, account_id=captured["chatgpt-account-id"], fedramp=fedramp)
        answer = await codex.send(capture["body"], **{"version": "", **more})
        assert sim.violations == []
        assert answer.status == 200
