"""The client's own tools, found in the request: which call does a task with them."""

import json
import os.path
import re
import shlex
from collections.abc import Mapping
from typing import Any

from .prompts import Edit, Read, Run, Search, Task, Use, Write, arguments
from .recorded import Recorded, text_of
from .sample import sample
from .schema import Tool, walk
from .script import Call, CustomCall, WebSearch

Made = Call | CustomCall | WebSearch
_FOLDER = re.compile(r"(?:[Ww]orking directory(?: is)?:?\s*`?|<cwd>)(/[^\n<`]*)")
SHELLS = ("Bash", "exec_command", "shell_command", "shell")


class Toolbox:
    """Tools by name, whichever lane they came on. Works for Claude Code's tools and for those of the codex CLI."""

    def __init__(self, request: Recorded) -> None:
        self.tools: dict[str, tuple[str | None, Tool]] = {}
        self.hosted: set[str] = set()
        for namespace, tool in walk(_declared(request)):
            if "name" in tool:
                self.tools[tool["name"]] = (namespace, tool)
            else:
                self.hosted.add(tool["type"])
        self.parallel = bool(request.body.get("parallel_tool_calls", True)) and request.lane == "full"
        self.folder = _folder(request)

    def call_for(self, task: Task) -> Made | None:
        """The call that does the task; None when no tool of the client can."""
        match task:
            case Write(path, content):
                return self._write(path, content)
            case Run(command):
                return self._shell(command)
            case Read(path):
                if self._has("Read", "file_path"):
                    return self._call("Read", {"file_path": self._absolute(path)})
                return self._shell(f"cat {shlex.quote(path)}")
            case Edit(path, old, new):
                return self._edit(path, old, new)
            case Use(tool, given):
                return self._use(tool, given)
            case Search(query):
                return self.search(query)

    def search(self, query: str) -> Made | None:
        if "web_search" in self.hosted:
            return WebSearch(query, ["https://example.test/simulated"])
        return self._call("WebSearch", {"query": query}) if "WebSearch" in self.tools else None

    def forced(self, name: str) -> Made | None:
        return self._use(name, None)

    def _write(self, path: str, content: str) -> Made | None:
        if self._has("Write", "file_path"):
            return self._call("Write", {"file_path": self._absolute(path), "content": content})
        if self._kind("apply_patch") == "custom":
            lines = "".join(f"+{line}\n" for line in content.splitlines() or [""])
            patch = f"*** Begin Patch\n*** Add File: {path}\n{lines}*** End Patch"
            return CustomCall("apply_patch", patch, self.tools["apply_patch"][0])
        ending = "" if content.endswith("\n") else "\n"
        return self._shell(f"printf %s {shlex.quote(content + ending)} > {shlex.quote(path)}")

    def _edit(self, path: str, old: str, new: str) -> Made | None:
        if self._has("Edit", "old_string"):
            return self._call("Edit", {"file_path": self._absolute(path), "old_string": old, "new_string": new})
        program = "import sys;p,o,n=sys.argv[1:];s=open(p).read();open(p,'w').write(s.replace(o,n,1))"
        return self._shell(
            f"python3 -c {shlex.quote(program)} {shlex.quote(path)} {shlex.quote(old)} {shlex.quote(new)}"
        )

    def _shell(self, command: str) -> Made | None:
        name = next((shell for shell in SHELLS if self._kind(shell) == "function"), None)
        if name is not None:
            return self._call(name, self._shell_arguments(name, command))
        if self._kind("exec") == "custom":
            script = f"const r = await tools.exec_command({json.dumps({'cmd': command})});\ntext(JSON.stringify(r));"
            return CustomCall("exec", script, self.tools["exec"][0])
        return None

    def _shell_arguments(self, name: str, command: str) -> dict[str, Any]:
        properties = self._properties(name)
        key = "cmd" if "cmd" in properties else "command"
        as_list = properties.get(key, {}).get("type") == "array"
        found: dict[str, Any] = {key: ["bash", "-lc", command] if as_list else command}
        if "description" in properties:
            found["description"] = f"Run {command.split()[0]}" if command.split() else "Run nothing"
        return found

    def _use(self, name: str, given: str | None) -> Made | None:
        if name not in self.tools:
            return None
        namespace, tool = self.tools[name]
        if tool["type"] == "custom":
            return CustomCall(name, given or "simulated input", namespace)
        return self._call(name, arguments(given) or sample(tool["parameters"]))

    def _call(self, name: str, values: Mapping[str, Any]) -> Call:
        return Call(name, values, self.tools[name][0])

    def _kind(self, name: str) -> str | None:
        return self.tools[name][1]["type"] if name in self.tools else None

    def _properties(self, name: str) -> dict[str, Any]:
        return self.tools[name][1].get("parameters", {}).get("properties") or {}

    def _has(self, name: str, needed: str) -> bool:
        return self._kind(name) == "function" and needed in self._properties(name)

    def _absolute(self, path: str) -> str:
        return os.path.join(self.folder, path) if self.folder else path


def _declared(request: Recorded) -> list[Tool]:
    found: list[Tool] = list(request.body.get("tools") or [])
    for item in request.input:
        if item["type"] == "additional_tools":
            found += item["tools"]
    return found


def _folder(request: Recorded) -> str:
    """The client's working directory, from what it tells the model."""
    said = [str(request.body.get("instructions", ""))]
    said += [text_of(item["content"]) for item in request.input if item["type"] == "message"]
    match = next((match for text in said if (match := _FOLDER.search(text))), None)
    return match[1].strip() if match else ""
