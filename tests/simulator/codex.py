"""A well-behaved client in small: what codex CLI 0.169.0 sends, cut to what matters."""

import copy
import json
from pathlib import Path
from typing import Any

import aiohttp

from claudex.simulator import Account, Simulator

VERSION = "0.169.0"
AGENT = f"codex_cli_rs/{VERSION} (Linux 6.1.0; x86_64) xterm"
LITE = {"x-openai-internal-codex-responses-lite": "true"}
EXEC_TOOL = {
    "type": "function",
    "name": "exec_command",
    "description": "Run a command.",
    "strict": False,
    "parameters": {
        "type": "object",
        "properties": {"cmd": {"type": "string"}},
        "required": ["cmd"],
        "additionalProperties": False,
    },
}


def user(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def full_body(*items: dict[str, Any] | str, **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": "gpt-5.5",
        "stream": True,
        "input": [user(item) if isinstance(item, str) else item for item in items],
        "tools": [copy.deepcopy(EXEC_TOOL)],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning": {"effort": "medium", "summary": "auto"},
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "00000000-0000-4000-8000-000000000001",
        "text": {"verbosity": "low"},
    }
    return {**body, **more}


def lite_body(*items: dict[str, Any] | str, **more: Any) -> dict[str, Any]:
    body = full_body(*items, model="gpt-6.1-sol", parallel_tool_calls=False)
    tools = body.pop("tools")
    body["input"].insert(0, {"type": "additional_tools", "role": "developer", "tools": tools})
    body["reasoning"] = {"effort": "low", "context": "all_turns"}
    return {**body, **more}


def headers(account: Account, **more: str) -> dict[str, str]:
    found = {
        "authorization": f"Bearer {account.access_token}",
        "chatgpt-account-id": account.account_id,
        "originator": "codex_cli_rs",
        "user-agent": AGENT,
        "version": VERSION,
        "accept": "text/event-stream",
        "content-type": "application/json",
        "session-id": "00000000-0000-4000-8000-000000000001",
    }
    return {**found, **{name.replace("_", "-"): value for name, value in more.items()}}


class Answered:
    def __init__(self, status: int, headers: Any, data: bytes) -> None:
        self.status = status
        self.headers = headers
        self.data = data

    @property
    def json(self) -> Any:
        return json.loads(self.data)

    @property
    def events(self) -> list[dict[str, Any]]:
        blocks = self.data.decode().split("\n\n")
        return [json.loads(block.split("\ndata: ", 1)[1]) for block in blocks if "\ndata: " in block]

    @property
    def items(self) -> list[dict[str, Any]]:
        return [event["item"] for event in self.events if event["type"] == "response.output_item.done"]

    @property
    def text(self) -> str:
        messages = [item for item in self.items if item["type"] == "message"]
        return "".join(part["text"] for message in messages for part in message["content"])

    @property
    def usage(self) -> dict[str, Any]:
        found: dict[str, Any] = self.events[-1]["response"]["usage"]
        return found


def _lane(body: Any) -> str:
    items = body.get("input") if isinstance(body, dict) else None
    lite = isinstance(items, list) and any(item.get("type") == "additional_tools" for item in items)
    return "lite" if lite else "full"


class Codex:
    """One logged-in client of a simulator."""

    def __init__(self, sim: Simulator, home: Path, **login: Any) -> None:
        self.sim = sim
        self.account = sim.login(home, **login)

    async def send(self, body: Any, *, data: bytes | None = None, lane: str = "", **more: Any) -> Answered:
        lane = lane or _lane(body)
        if lane == "lite":
            more = {**more, "x_openai_internal_codex_responses_lite": "true"}
        sent = {name: value for name, value in headers(self.account, **more).items() if value}
        payload = data if data is not None else json.dumps(body).encode()
        async with (
            aiohttp.ClientSession(auto_decompress=True) as session,
            session.post(f"{self.sim.url}/codex/responses", data=payload, headers=sent) as answer,
        ):
            return Answered(answer.status, answer.headers, await answer.read())

    async def get(self, path: str, **more: str) -> Answered:
        sent = {name: value for name, value in headers(self.account, **more).items() if value}
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.sim.url}/{path}", headers=sent) as answer,
        ):
            return Answered(answer.status, answer.headers, await answer.read())
