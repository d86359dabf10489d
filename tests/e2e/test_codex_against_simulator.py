"""The simulator is believable: the real codex CLI works against it, and breaks none of its rules."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from claudex.simulator import Simulator

from . import clients
from .interceptor import intercepting, make_certificates

CODEX = os.environ.get("CODEX_BIN")  # another one than the pinned
PROMPT = "write 'hello' to hello.txt and run `cat hello.txt`"
TIMEOUT_S = 90


class Machine:
    """A scratch HOME, CODEX_HOME and working folder."""

    def __init__(self, root: Path) -> None:
        self.home, self.codex_home, self.work = root / "home", root / "home" / ".codex", root / "work"
        for folder in (self.codex_home, self.work):
            folder.mkdir(parents=True)

    def configure(self, sim: Simulator, model: str) -> None:
        """Point the CLI at plain http on loopback; it then sends no `version` header and no zstd."""
        (self.codex_home / "config.toml").write_text(
            f'chatgpt_base_url = "{sim.url}"\nmodel = "{model}"\nmodel_provider = "simulator"\n'
            f'[model_providers.simulator]\nname = "simulator"\nbase_url = "{sim.url}/codex"\n'
            'wire_api = "responses"\nrequires_openai_auth = true\n'
        )

    def codex(self, sim: Simulator, *arguments: str, **more: str) -> list[dict[str, Any]]:
        """The events of one `codex exec --json` that has to end well."""
        flags = ["--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]
        command = [CODEX or clients.codex(), "exec", *flags, *arguments]
        environ = clients.safe_environ(self.home, **sim.environ(self.codex_home), **more)
        done = clients.run(command, environ, self.work, TIMEOUT_S)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def messages(events: list[dict[str, Any]]) -> list[str]:
    items = [event["item"] for event in events if event["type"] == "item.completed"]
    return [item["text"] for item in items if item["type"] == "agent_message"]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def plain() -> Iterator[Simulator]:
    with Simulator.threaded(strict_identity=False) as sim:
        yield sim


@pytest.mark.parametrize(("model", "lane", "calls"), [("gpt-5.5", "full", 1), ("gpt-6.1-sol", "lite", 2)])
def test_codex_completes_a_turn_with_tools(
    machine: Machine, plain: Simulator, model: str, lane: str, calls: int
) -> None:
    plain.login(machine.codex_home)
    machine.configure(plain, model)
    events = machine.codex(plain, PROMPT)
    assert (machine.work / "hello.txt").read_text() == "hello\n"
    assert "hello" in messages(events)[-1].split("The tools said:")[1]
    assert events[-1]["usage"]["cached_input_tokens"] > 0
    assert [request.lane for request in plain.requests] == [lane] * (calls + 1)
    assert "models_cache.json" in os.listdir(machine.codex_home), "the CLI could not read the catalog"
    assert plain.violations == []


def test_codex_resumes_and_sends_the_reasoning_back(machine: Machine, plain: Simulator) -> None:
    plain.login(machine.codex_home)
    machine.configure(plain, "gpt-5.5")
    machine.codex(plain, "say one")
    machine.codex(plain, "resume", "--last", "say two")
    sent = [item["type"] for item in plain.requests[-1].input]
    assert sent.count("reasoning") == 1
    assert plain.violations == []


def test_codex_refreshes_an_expired_login_once_rotated(machine: Machine, plain: Simulator) -> None:
    before = plain.login(machine.codex_home, expires_in=60).refresh_token
    machine.configure(plain, "gpt-5.5")
    assert messages(machine.codex(plain, "say hello"))
    tokens = json.loads((machine.codex_home / "auth.json").read_bytes())["tokens"]
    assert plain.refreshes >= 1
    assert tokens["refresh_token"] != before
    assert plain.violations == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl for throw-away certificates")
@pytest.mark.parametrize("model", ["gpt-5.5", "gpt-6.1-sol"])
def test_codex_with_its_production_addresses(machine: Machine, tmp_path: Path, model: str) -> None:
    ca, leaf = make_certificates(tmp_path)
    (machine.codex_home / "config.toml").write_text(f'model = "{model}"\n')
    with Simulator.threaded() as sim, intercepting(leaf, sim.port) as proxy:
        sim.login(machine.codex_home)
        trust = {"CODEX_CA_CERTIFICATE": str(ca), "SSL_CERT_FILE": str(ca), "HTTPS_PROXY": proxy, "https_proxy": proxy}
        machine.codex(sim, PROMPT, **trust)
        assert (machine.work / "hello.txt").read_text() == "hello\n"
        first = sim.requests[0]
        assert first.headers["content-encoding"] == "zstd"
        assert first.headers["version"] == first.headers["user-agent"].split("/")[1].split(" ")[0]
        assert any(request.status == 426 for request in sim.traffic)
        assert "x-codex-turn-state" in sim.requests[1].headers
        assert sim.violations == []
