"""What the tests of fidelity share: prompts put to the real claude, what it showed, and what reached the backend."""

import json
import struct
import urllib.request
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from claudex.simulator import Recorded, Turn, turn

from . import clients
from .conftest import CLAUDEX, Stack

TOOLS = ("--allowedTools", "Write,Bash,Read,Agent,WebSearch,mcp__odd", "--permission-mode", "acceptEdits")
# Claude Code 2.1.329 searches its tools when the betas are on; 2.1.197 must be told to.
BETAS = {"CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS": "0", "ENABLE_TOOL_SEARCH": "true"}
FEW_RETRIES = {"CLAUDE_CODE_MAX_RETRIES": "2"}
PATIENCE_S = 60.0
# The client's own doing, which takes nothing from the model: thinking is bound to the model that thought.
REPAIRS = ("repaired.",)


@dataclass(frozen=True)
class Said:
    """How one `claudex -p` ended, and its stream of events."""

    code: int
    events: list[dict[str, Any]]
    stderr: str

    @property
    def result(self) -> dict[str, Any]:
        return next((event for event in reversed(self.events) if event["type"] == "result"), {})

    @property
    def text(self) -> str:
        return str(self.result.get("result", ""))

    @property
    def session(self) -> str:
        return str(self.result.get("session_id", ""))

    @property
    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        """The tool calls as claude understood them: name and input."""
        return [(block["name"], block["input"]) for block in self._blocks("assistant") if block["type"] == "tool_use"]

    @property
    def results(self) -> dict[str, dict[str, Any]]:
        """The tool results by the id of their call."""
        found = [block for block in self._blocks("user") if block["type"] == "tool_result"]
        return {block["tool_use_id"]: block for block in found}

    def _blocks(self, kind: str) -> Iterator[dict[str, Any]]:
        for event in self.events:
            if event["type"] == kind and isinstance(event["message"]["content"], list):
                yield from event["message"]["content"]

    def __str__(self) -> str:
        return f"exit {self.code}: {self.text}\n{self.stderr}\n{json.dumps(self.events)[-6000:]}"


@dataclass
class Talk:
    """One of the real claudes in one repository. `losses` are the kinds that a test expects to be counted."""

    stack: Stack
    program: str
    cwd: Path
    environ: dict[str, str] = field(default_factory=dict)
    losses: set[str] = field(default_factory=set)

    @property
    def newer(self) -> bool:
        """2.1.329 rather than 2.1.197."""
        return "2.1.197" not in self.program

    def play(self, *turns: Turn) -> None:
        self.stack.simulator.play(*turns)

    def ask(
        self,
        prompt: str | list[dict[str, Any]],
        *words: str,
        ok: bool = True,
        tools: tuple[str, ...] = TOOLS,
        **environ: str,
    ) -> Said:
        """`prompt`: the words, or the content blocks of a message as an SDK would send it."""
        blocks = isinstance(prompt, list)
        message = {"type": "user", "message": {"role": "user", "content": prompt}}
        argv = [CLAUDEX, "-p", *(["--input-format", "stream-json"] if blocks else [str(prompt)])]
        done = clients.run(
            [*argv, *tools, "--output-format", "stream-json", "--verbose", *words],
            {**self.stack.environ, "CLAUDE_BIN": self.program, **FEW_RETRIES, **self.environ, **environ},
            self.cwd,
            timeout=PATIENCE_S,
            stdin=json.dumps(message) + "\n" if blocks else None,
        )
        events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        said = Said(done.returncode, events, done.stderr)
        assert said.code == 0 or not ok, f"{said}\n{self.stack.log()[-3000:]}"
        return said

    @property
    def requests(self) -> list[Recorded]:
        """The agent's own requests: those that offer tools. Titles, verdicts and searches do not."""
        return [request for request in self.stack.simulator.requests if "Bash" in tools_of(request)]

    @property
    def last(self) -> Recorded:
        return self.requests[-1]

    def counted(self) -> dict[str, int]:
        """What the proxy counts as lost since it started."""
        return dict(self._api("losses")["kinds"])

    def lines(self) -> list[dict[str, Any]]:
        """The proxy's own account of the agent's requests, in the order of their ends."""
        said = [json.loads(line) for line in self.stack.log().splitlines() if line.startswith("{")]
        return [line for line in said if line["event"] == "request" and line.get("input")]

    def _api(self, what: str) -> Any:
        token = (self.stack.home / "auth" / "proxy-token").read_text().strip()
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.stack.port}/api/{what}", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return json.load(answer)

    def check(self) -> None:
        """Nothing that the backend would refuse, and nothing lost that was not expected to be."""
        assert self.stack.simulator.violations == []
        if self.stack.pid is not None:
            lost = {kind for kind in self.counted() if not kind.startswith(REPAIRS)}
            assert lost <= self.losses


def agent(*items: Any, **facts: Any) -> Turn:
    """A turn for the agent itself, not for a side call."""
    return turn(*items, when=lambda request: "Bash" in tools_of(request), **facts)


def subagent(prompt: str, *items: Any, **facts: Any) -> Turn:
    """A turn for whoever was last told `prompt`."""
    return turn(*items, when=lambda request: prompt in request.user and "Bash" in tools_of(request), **facts)


def tools_of(request: Recorded) -> dict[str, dict[str, Any]]:
    """The functions on offer, in order, whichever lane they came on."""
    every = list(request.body.get("tools") or [])
    for item in request.input:
        every += item.get("tools", []) if item.get("type") == "additional_tools" else []
    return {tool["name"]: tool for tool in every if "name" in tool}


def outputs(request: Recorded) -> dict[str, Any]:
    """What the tools gave back, by call id."""
    return {item["call_id"]: item["output"] for item in request.input if item.get("type") == "function_call_output"}


def parts(output: object, kind: str) -> list[Mapping[str, Any]]:
    return [part for part in output if part["type"] == kind] if isinstance(output, list) else []


def text(output: object) -> str:
    """The words of a tool's output or a message's content."""
    if isinstance(output, str):
        return output
    return "\n".join(str(part["text"]) for part in output if "text" in part) if isinstance(output, list) else ""


def spoken(request: Recorded, role: str) -> list[str]:
    """Everything that a role says, message by message."""
    items = [item for item in request.input if item.get("type", "message") == "message" and item.get("role") == role]
    return [text(item["content"]) for item in items]


def effort(request: Recorded) -> str:
    return str((request.body.get("reasoning") or {}).get("effort"))


def png(side: int = 8) -> bytes:
    """A small red square."""
    row = b"\0" + b"\xff\0\0" * side
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(row * side)), (b"IEND", b""))
    )


def pdf(words: str = "Hello") -> bytes:
    """One page with one line of text."""
    drawn = f"BT /F1 24 Tf 20 100 Td ({words}) Tj ET".encode()
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(drawn), drawn),
    )
    made, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(made))
        made += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = b"xref\n0 5\n0000000000 65535 f \n%btrailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return made + end % (table, len(made))
