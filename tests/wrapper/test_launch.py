"""`claudex ARGS` becomes `claude ARGS`: same bytes, same process, same world."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from claudex.wrapper import OWN_WORDS

from ..ports import free_port
from . import fakes
from .conftest import SCRIPT, SOURCE, STUB, Stage, argv_of, executable
from .fakes import Listener

LEAN = {"_socket", "_blake2", "errno", "fcntl", "posix", "time", "_signal", "claudex", "claudex.paths"}
HOOK = """\
import os, sys
before, real = set(sys.modules), os.execve

def execve(*args):
    os.write(1, " ".join(set(sys.modules) - before).encode())
    real("/bin/true", ["true"], {})

os.execve = execve
"""
BYTES = [bytes([byte]) for byte in range(1, 256)]
WORDS = [
    b"",
    b" ",
    b"--",
    b"-p",
    b"--resume",
    b"-",
    b"a b",
    b"\n",
    b"*",
    b"$HOME",
    b"'",
    b'"',
    b"--help",
    b"\xff",
    "é".encode(),
]


def generated(seed: int) -> list[bytes]:
    chance = random.Random(seed)
    words = [
        chance.choice(WORDS) if chance.random() < 0.5 else b"".join(chance.choices(BYTES, k=chance.randrange(12)))
        for _ in range(chance.randrange(8))
    ]
    return words[1:] if words and os.fsdecode(words[0]) in OWN_WORDS else words


@pytest.fixture
def up(prepared: Stage) -> "Up":
    return Up(prepared)


class Up:
    """The prepared stage, with a proxy that answers while the context is open."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.listener = Listener(fakes.proxy(stage.token), stage.port)

    def __enter__(self) -> Stage:
        self.listener.__enter__()
        return self.stage

    def __exit__(self, *reason: object) -> None:
        self.listener.__exit__(None, None, None)


@pytest.mark.parametrize("block", range(4))
def test_argv_arrives_byte_for_byte_in_the_same_process(up: Up, block: int) -> None:
    with up as stage:
        for seed in range(block * 80, block * 80 + 80):
            argv = generated(seed)
            process = stage.start(*argv)
            output, error = process.communicate(timeout=60)
            assert (output, error) == (b"%d\0" % process.pid + b"".join(word + b"\0" for word in argv), b""), seed


@pytest.mark.parametrize("argv", [["--", "status"], ["Status"], ["", "stop"], [" status"], ["-p", "self"], ["--json"]])
def test_our_words_are_ours_only_in_the_first_place(up: Up, argv: list[str]) -> None:
    with up as stage:
        assert argv_of(stage.run(*argv).stdout) == [os.fsencode(word) for word in argv]


@pytest.mark.parametrize(
    "locale", [{"LC_ALL": "C"}, {"LANG": "C"}, {"LC_ALL": "POSIX", "PYTHONUTF8": "0"}, {"LC_CTYPE": "C"}]
)
def test_bytes_survive_in_any_locale(up: Up, locale: dict[str, str]) -> None:
    with up as stage:
        environ = {os.fsencode(k): os.fsencode(v) for k, v in (stage.environ | locale).items()} | {b"ODD": b"\xff\xc3("}
        assert argv_of(stage.run(b"\xff\xc3(", "é", env=environ).stdout) == [b"\xff\xc3(", "é".encode()]
        stage.stub('#!/bin/sh\nprintf %s "$ODD"')
        assert stage.run(env=environ).stdout == b"\xff\xc3("


def test_exit_code_is_claudes_own(up: Up) -> None:
    with up as stage:
        stage.stub("#!/bin/sh\nexit 42")
        assert stage.run().returncode == 42


def test_a_signal_is_claudes_own(up: Up) -> None:
    with up as stage:
        stage.stub("#!/bin/sh\nkill -TERM $$\nsleep 5")
        assert stage.run().returncode == -signal.SIGTERM


def test_the_terminal_is_kept(up: Up) -> None:
    with up as stage:
        stage.stub("#!/bin/sh\ntty\nread answer\necho got $answer\nstty size")
        child = pexpect.spawn(str(stage.command), ["-c"], env=stage.environ, timeout=20, dimensions=(33, 77))
        child.expect(r"/dev/\S+")
        child.sendline("hello")
        child.expect("got hello")
        child.expect("33 77")
        child.expect(pexpect.EOF)


def test_standard_streams_are_passed_on(up: Up) -> None:
    with up as stage:
        stage.stub("#!/bin/sh\ncat\necho problem >&2")
        done = stage.run("-p", input=b"in\xffput")
        assert (done.stdout, done.stderr) == (b"in\xffput", b"problem\n")


def test_a_program_without_a_shebang_is_run_by_sh(up: Up) -> None:
    with up as stage:
        stage.stub(STUB.removeprefix("#!/bin/sh\n"))
        assert argv_of(stage.run("a", "b").stdout) == [b"a", b"b"]


@pytest.mark.parametrize("proxy", ["up", "down"])
def test_the_way_to_claude_imports_next_to_nothing(prepared: Stage, tmp_path: Path, proxy: str) -> None:
    """What Python loads by itself does not count; what it loads for us must be on the short list."""
    executable(tmp_path / "hook/sitecustomize.py", HOOK)
    environ = prepared.environ | {"PYTHONPATH": str(tmp_path / "hook")}
    if proxy == "up":
        with Listener(fakes.proxy(prepared.token), prepared.port):
            loaded = prepared.run("-p", env=environ)
    else:
        loaded = prepared.run("-p", env=environ)
    assert loaded.stderr == b""
    modules = set(loaded.stdout.decode().split())
    extra = {name for name in modules - LEAN if not name.startswith("claudex.wrapper")}
    assert "claudex.wrapper.health" in modules
    assert not extra


def test_maintenance_needs_no_home_no_login_and_no_proxy(stage: Stage) -> None:
    os.unlink(Path(stage.environ["HOME"]) / ".codex/auth.json")
    for argv in (["--version"], ["--help"], ["doctor"], ["mcp", "list"]):
        done = stage.run(*argv)
        assert (argv_of(done.stdout), done.stderr) == ([word.encode() for word in argv], b"")
    assert not stage.home.exists()
    assert not stage.proxy_pid()


def test_maintenance_gets_the_env_file_without_address_and_token(prepared: Stage) -> None:
    prepared.stub("#!/bin/sh\nexec env")
    seen = prepared.run("doctor").stdout.decode()
    assert "ANTHROPIC_DEFAULT_OPUS_MODEL=" in seen
    assert "ANTHROPIC_BASE_URL=" not in seen
    assert prepared.token not in seen


def test_a_broken_env_file_does_not_stop_maintenance(prepared: Stage) -> None:
    prepared.env_file.write_text("export A=$(id)\n")
    done = prepared.run("update")
    assert argv_of(done.stdout) == [b"update"]
    assert f"claudex: {prepared.env_file}:1: " in done.stderr.decode()


def test_claude_gets_the_env_file(up: Up) -> None:
    with up as stage:
        stage.stub("#!/bin/sh\nexec env")
        seen = stage.run(env=stage.environ | {"ANTHROPIC_API_KEY": "sk-away"}).stdout.decode().splitlines()
        assert f"ANTHROPIC_BASE_URL=http://127.0.0.1:{stage.port}" in seen
        assert f"ANTHROPIC_AUTH_TOKEN={stage.token}" in seen
        assert not [line for line in seen if line.startswith("ANTHROPIC_API_KEY")]


def test_an_address_written_for_another_port_follows_the_proxy(up: Up) -> None:
    with up as stage:
        stage.env_file.write_text("export ANTHROPIC_BASE_URL=http://127.0.0.1:1/anthropic\n")
        stage.stub('#!/bin/sh\nprintf %s "$ANTHROPIC_BASE_URL"')
        assert stage.run().stdout.decode() == f"http://127.0.0.1:{stage.port}/anthropic"


def test_without_a_login_one_line_says_what_to_run(up: Up) -> None:
    with up as stage:
        os.unlink(Path(stage.environ["HOME"]) / ".codex/auth.json")
        done = stage.run("x")
        assert argv_of(done.stdout) == [b"x"]
        assert done.stderr == b"claudex: there is no Codex login: run `codex login`\n"


def failure(done: "subprocess.CompletedProcess[bytes]") -> str:
    assert done.stdout == b""
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("claudex: ")
    return lines[0]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"CLAUDE_BIN": "/nowhere/claude"}, "CLAUDE_BIN=/nowhere/claude does not exist"),
        ({"CLAUDE_BIN": "/etc/passwd"}, "not an executable file"),
        ({"PATH": "/nowhere"}, "there is no `claude` on PATH"),
        ({"CLAUDEX_PORT": "none"}, "CLAUDEX_PORT=none is not a port"),
        ({"CLAUDEX_GATEWAY_HOME": "/dev/null/home"}, "/dev/null/home"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_1(prepared: Stage, variables: dict[str, str], said: str) -> None:
    done = subprocess.run(
        [sys.executable, prepared.command, "-p"], env=prepared.environ | variables, capture_output=True, timeout=60
    )
    assert said in failure(done)
    assert done.returncode == 1


def test_claude_linked_to_claudex_does_not_loop(prepared: Stage) -> None:
    prepared.claude.unlink()
    prepared.claude.symlink_to(prepared.command)
    done = prepared.run("-p", timeout=20)
    assert "no `claude` on PATH" in failure(done)
    done = subprocess.run([prepared.claude, "-p"], env=prepared.environ, capture_output=True, timeout=20)
    assert "no `claude` on PATH" in failure(done)


def test_a_broken_env_file_is_named_with_its_line(prepared: Stage) -> None:
    prepared.env_file.write_text("export A=1\nexport B=`id`\n")
    done = prepared.run("-p")
    assert f"{prepared.env_file}:2: " in failure(done)
    assert done.returncode == 1
    assert prepared.env_file.read_text() == "export A=1\nexport B=`id`\n"


def test_an_argument_list_too_long_is_one_line(up: Up) -> None:
    with up as stage:
        stage.env_file.write_text("export A='" + "x" * 200_000 + "'\n")
        assert "cannot run" in failure(stage.run("-p"))


def test_ctrl_c_while_starting_is_quiet(prepared: Stage) -> None:
    with Listener(fakes.silent, prepared.port) as listener:
        process = prepared.start("-p")
        assert listener.connected.wait(20)
        process.send_signal(signal.SIGINT)
        output, error = process.communicate(timeout=20)
    assert (process.returncode, output, error) == (130, b"", b"")


def test_two_homes_do_not_share_a_port(prepared: Stage) -> None:
    with Listener(fakes.other_claudex, prepared.port) as listener:
        done = prepared.run("-p")
    assert "a claudex proxy with another token" in failure(done)
    assert done.returncode == 4
    assert prepared.token.encode() not in listener.everything


def test_a_launcher_without_site_finds_third_party_modules_when_it_needs_them(stage: Stage) -> None:
    launcher = SCRIPT.format(python=sys.executable, source=str(SOURCE)).replace(" -P\n", " -IS\n")
    executable(stage.command, launcher)
    assert argv_of(stage.run("first", "run").stdout) == [b"first", b"run"]
    assert stage.run("self", "version").returncode == 0


def test_own_words_reach_the_cli(stage: Stage) -> None:
    done = stage.run("status", "--json", env=stage.environ | {"CLAUDEX_PORT": str(free_port())})
    assert done.returncode == 3
    assert b'"running"' in done.stdout
