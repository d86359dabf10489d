"""Everything that knows the ChatGPT Codex backend."""
