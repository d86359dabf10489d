"""A strict, deterministic Codex backend for tests and offline use."""
