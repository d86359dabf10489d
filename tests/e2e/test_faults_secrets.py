"""After a day of faults: no token and no word of a prompt in any log or argument list, and files for the user alone."""

import os
import stat
from pathlib import Path

import psutil

from claudex.simulator import Call, Pause, Text, failed, fault, turn

from .conftest import Stack
from .faults import Client, agent, asked_of

PROMPT = "plumbob-prompt-words"
CONTENT = "plumbob-file-content"
ANSWER = "plumbob-answer-words"


def secrets(stack: Stack) -> dict[str, str]:
    tokens = {
        f"{name} of {account.account_id}": getattr(account, name)
        for account in stack.simulator.accounts.values()
        for name in ("access_token", "refresh_token", "id_token")
    }
    return {**tokens, "proxy token": (stack.home / "auth" / "proxy-token").read_text().strip()}


def found_in(texts: dict[str, str], wanted: dict[str, str]) -> list[str]:
    return [f"{what} in {where}" for where, text in texts.items() for what, secret in wanted.items() if secret in text]


def a_day_of_faults(client: Client, stack: Stack) -> None:
    """Answers, tools, retries, refusals, an expired and a lost login."""
    secret_file = client.cwd / "secret.txt"
    secret_file.write_text(CONTENT)
    read = turn(Text(ANSWER), Call("Read", {"file_path": str(secret_file)}))
    stack.simulator.play(agent(failed("server_error", "It broke.")), agent(read), agent(ANSWER))
    assert client.ask(PROMPT).code == 0
    old = secrets(stack)
    stack.simulator.expire()
    stack.simulator.play(agent(ANSWER))
    assert client.ask(PROMPT, "-c").code == 0
    assert secrets(stack) != old
    for broken in (fault(400, {"detail": f"bad {old['proxy token']}"}), fault(500, "<html>no</html>", repeat=9)):
        stack.simulator.clear()
        stack.simulator.play(agent(broken))
        assert client.ask(PROMPT, "-c", CLAUDE_CODE_MAX_RETRIES="0").code == 1
    stack.simulator.clear()
    stack.simulator.play(agent(turn(Text(ANSWER), Pause(60))))
    client.interrupt(PROMPT, after=lambda: bool(asked_of(stack)))


def test_nothing_secret_is_left_behind(client: Client, stack: Stack) -> None:
    a_day_of_faults(client, stack)
    assert stack.claudex("status").returncode == 0
    wanted = {**secrets(stack), "prompt": PROMPT, "content": CONTENT, "answer": ANSWER}
    logs = {str(path): path.read_text(errors="replace") for path in (stack.home / "logs").iterdir()}
    others = [stack.home / "state.json", stack.home / "config.toml", *(stack.home / "run").iterdir()]
    logs.update({str(path): path.read_text(errors="replace") for path in others if path.is_file()})
    assert "UpstreamFailed" in stack.log()
    assert found_in(logs, wanted) == []
    assert found_in(arguments(stack), wanted) == []
    assert exposed(stack.home) == []
    assert exposed(stack.codex_home) == []


def arguments(stack: Stack) -> dict[str, str]:
    """The argument lists of the proxy and its children, as every user of the machine can read them."""
    assert stack.pid is not None
    proxy = psutil.Process(stack.pid)
    processes = [proxy, *proxy.children(recursive=True)]
    return {f"argv of {process.pid}": " ".join(process.cmdline()) for process in processes}


def exposed(folder: Path) -> list[str]:
    """What another user could read: files beyond 0600, folders beyond 0700."""
    found = []
    for path in [folder, *folder.rglob("*")]:
        mode = stat.S_IMODE(os.lstat(path).st_mode)
        if not path.is_symlink() and mode & 0o077 and not (path.is_dir() and path == folder and folder.name == "codex"):
            found.append(f"{path} {mode:o}")
    return found
