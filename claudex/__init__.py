"""Claude Code on the user's own ChatGPT/Codex login."""

__version__ = "0.1.0"
