"""Queues of turns, TOML scripts, and the simulator as a thread and as a process."""

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from claudex.simulator import Call, Script, Simulator, Text, fault, turn
from claudex.simulator.__main__ import main

from .codex import Codex, full_body, headers

TOML = """
seed = 7
window = 1000
[[turn]]
when = "title"
text = "A title"
[[turn]]
usage = { input_tokens = 100, output_tokens = 7 }
[[turn.item]]
type = "reasoning"
summary = ["**Plan**"]
[[turn.item]]
type = "text"
text = "see"
citations = [{ url = "https://a.test", title = "A", start = 0, end = 3 }]
[[turn.item]]
type = "call"
name = "exec_command"
arguments = { cmd = "ls" }
[[turn]]
status = 429
body = { detail = "Too many requests" }
headers = { retry-after = "1" }
[[turn]]
sse = "x.sse"
"""


async def test_turns_wait_for_the_request_they_are_for(sim: Simulator, codex: Codex) -> None:
    sim.play(
        turn("title", when="a title"), turn("even", when=lambda request: "2" in request.user, repeat=0), "next", "last"
    )
    said = [(await codex.send(full_body(text))).text for text in ("1", "2", "make a title", "22", "3", "4")]
    assert said[:5] == ["next", "even", "title", "even", "last"]
    assert "You said: 4" in said[5]
    assert len(sim.turns) == 1


async def test_repeated_turns(sim: Simulator, codex: Codex) -> None:
    sim.play(turn("x", repeat=2), fault(500))
    assert [(await codex.send(full_body("hi"))).status for _ in range(4)] == [200, 200, 500, 200]


async def test_a_toml_script_is_played(tmp_path: Path) -> None:
    (tmp_path / "x.sse").write_bytes(b"event: a\ndata: {}\n\n")
    path = tmp_path / "script.toml"
    path.write_text(TOML)
    script = Script.load(path)
    assert script.turns[1].items[2] == Call("exec_command", {"cmd": "ls"})
    assert isinstance(script.turns[1].items[1], Text)
    async with Simulator(script=script) as sim:
        codex = Codex(sim, tmp_path)
        played = [await codex.send(full_body(text)) for text in ("hi", "a title", "hi", "hi")]
        assert [answer.status for answer in played] == [200, 200, 429, 200]
        assert [item["type"] for item in played[0].items] == ["reasoning", "message", "function_call"]
        assert played[0].usage["total_tokens"] == 107
        assert played[1].text == "A title"
        assert played[3].data == b"event: a\ndata: {}\n\n"
        too_long = await codex.send(full_body("x" * 5000))
        assert too_long.events[-1]["type"] == "response.failed"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("turns = 1", "unknown key 'turns'"),
        ("[[turn]]\ntexts = 'x'", "unknown key 'texts'"),
        ("[[turn]]\n[[turn.item]]\ntype = 'poem'", "item type 'poem'"),
        ("[[turn]]\n[[turn.item]]\ntype = 'call'", "name"),
        ("[[turn]]\nsse = 'absent.sse'", "absent.sse"),
        ("[[turn", "script.toml"),
    ],
)
def test_a_bad_script_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "script.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"script\.toml") as caught:
        Script.load(path)
    assert words in str(caught.value)


def test_the_threaded_simulator_serves_other_programs(tmp_path: Path) -> None:
    with Simulator.threaded() as sim:
        account = sim.login(tmp_path)
        sim.play("from the thread")
        request = urllib.request.Request(
            f"{sim.url}/codex/responses", json.dumps(full_body("hi")).encode(), headers(account)
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert b"from the thread" in answer.read()
        assert sim.violations == []
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(sim.url, timeout=2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_says_where_it_is_and_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "claudex.simulator", "--home", str(tmp_path / "codex"), "--log"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        ready = json.loads(process.stdout.readline())
        with urllib.request.urlopen(ready["state_url"], timeout=10) as answer:
            state = json.load(answer)
        process.send_signal(number)
        assert process.wait(10) == 0
        assert b"Traceback" not in process.stderr.read()
    assert ready["simulator"] is True
    assert ready["environ"]["CLAUDEX_UPSTREAM"] == ready["url"]
    assert state["violations"] == []
    assert (tmp_path / "codex" / "auth.json").exists()


def test_the_process_refuses_a_bad_script_and_a_held_port(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--script", str(tmp_path / "none.toml")]) == 2
    with Simulator.threaded() as sim:
        assert main(["--port", str(sim.port)]) == 1
    said = capsys.readouterr().err
    assert "none.toml" in said
    assert "cannot listen" in said
