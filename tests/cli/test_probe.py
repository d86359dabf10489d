"""`claudex probe` through a real proxy to the simulator, and every way in which it can fail."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from claudex.cli import stream
from claudex.simulator import Simulator, fault, turn

from .conftest import Claudex, wait_until_gone

NAMES = ["healthz", "messages", "tool use", "count_tokens", "models"]


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with Simulator.threaded() as simulator:
        codex_home = tmp_path / "codex"
        codex_home.mkdir()
        simulator.login(codex_home)
        for name, value in simulator.environ(codex_home).items():
            monkeypatch.setenv(name, str(value))
        yield simulator


@pytest.fixture
def ready(backend: Any, proxy: Path) -> Any:
    """The backend of a proxy that runs."""
    return backend


def test_all_five_steps(ready: Any, claudex: Claudex) -> None:
    result = claudex("probe", "--json")
    document = result.document
    assert result.code == 0, result.out
    assert [(step["name"], step["ok"]) for step in document["steps"]] == [(name, True) for name in NAMES]
    messages, tools = document["steps"][1:3]
    for step in (messages, tools):
        assert step["ms"] >= step["first_event_ms"] > 0
        assert step["input_tokens"] > 0
        assert step["output_tokens"] > 0
        assert step["cached_tokens"] is not None
    assert tools["cached_tokens"] > 0
    assert document["steps"][3]["input_tokens"] > 0
    assert document["model"] == "gpt-6.1-sol(xhigh)"
    assert ready.violations == []
    assert all(request.body["reasoning"]["effort"] == "low" for request in ready.requests)


def test_as_text_each_step_has_a_line(ready: Any, claudex: Claudex) -> None:
    out = claudex("probe").out
    assert all(name in out for name in NAMES)


def test_another_model_may_be_named(ready: Any, claudex: Claudex) -> None:
    assert claudex("probe", "--model", "haiku", "--json").document["model"] == "gpt-6-luna(low)"


def test_nothing_running_is_3_and_says_what_starts_it(claudex: Claudex) -> None:
    result = claudex("probe", "--json")
    assert result.code == 3
    assert result.document["steps"][0]["failure"]["mend"] == "claudex start"
    assert [step["skipped"] for step in result.document["steps"]] == [False, True, True, True, True]


def test_no_login_is_5(claudex: Claudex, proxy: Path) -> None:
    result = claudex("probe", "--json")
    assert result.code == 5
    assert "mend: `codex login`" in result.err
    failure = result.document["steps"][1]["failure"]
    assert failure["mend"] == "codex login"
    assert result.document["steps"][3]["ok"]


def test_a_refusal_of_the_backend_is_6_with_its_cause_and_address(ready: Any, claudex: Claudex) -> None:
    ready.play(fault(403, {"detail": "Workspace is not allowed"}))
    result = claudex("probe", "--json")
    failure = result.document["steps"][1]["failure"]
    assert result.code == 6
    assert failure["url"] == f"{ready.url}/codex/responses"
    assert failure["mend"].startswith("claudex ")
    assert failure["request_id"].startswith("req_")


def test_an_unreachable_backend_is_6(
    backend: Any, claudex: Claudex, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDEX_UPSTREAM", "http://127.0.0.1:9/backend-api")
    place.mkdir()
    (place / "config.toml").write_text("[upstream]\nretries = 0\n")
    assert claudex("start").code == 0
    result = claudex("probe", "--json")
    claudex("stop")
    wait_until_gone(place)
    assert result.code == 6
    assert result.document["steps"][1]["failure"]["mend"] == "claudex status --check"


def test_a_stream_that_breaks_off_is_a_failure(ready: Any, claudex: Claudex) -> None:
    ready.play(turn("half a sentence that is cut", cut_after=6, repeat=0))
    result = claudex("probe", "--json")
    assert result.code == 6
    assert result.document["steps"][1]["ok"] is False


def test_collect_joins_deltas_and_times_the_first() -> None:
    events = [
        '{"type":"message_start","message":{"usage":{"input_tokens":3}}}',
        '{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"n","input":{}}}',
        '{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\\"a\\""}}',
        '{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":":1}"}}',
        '{"type":"content_block_stop","index":0}',
        '{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":4}}',
        '{"type":"message_stop"}',
    ]
    answer = stream.collect([f"data: {event}" for event in events], 0.0)
    assert answer.tool_use() == {"type": "tool_use", "id": "t", "name": "n", "input": {"a": 1}}
    assert answer.usage == {"input_tokens": 3, "output_tokens": 4}
    assert answer.stop_reason == "tool_use"
    assert answer.first_s is not None


def test_collect_refuses_a_stream_without_its_end() -> None:
    with pytest.raises(stream.StreamError, match="before message_stop"):
        stream.collect(['data: {"type":"ping"}'], 0.0)
