"""The versions of the two command-line programs that claudex is tested with, and where npm has them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pin:
    command: str
    package: str
    version: str

    @property
    def spec(self) -> str:
        return f"{self.package}@{self.version}"

    @property
    def folder(self) -> str:
        """Its folder in the test clients' cache, one prefix for each version."""
        return f"{self.command}-{self.version}"


CLAUDE = Pin("claude", "@anthropic-ai/claude-code", "2.1.329")
CLAUDE_OLDER = Pin("claude", "@anthropic-ai/claude-code", "2.1.197")
CODEX = Pin("codex", "@openai/codex", "0.169.0")

INSTALLED = (CLAUDE, CODEX)
TESTED = (CLAUDE, CLAUDE_OLDER, CODEX)
