"""The model catalog as `GET codex/models` serves it.

The embedded catalog is the one inside codex CLI 0.169.0 with its prose cut; the live shape differs from it in a few
fields, without which that client refuses the whole document.
"""

import json
from importlib import resources
from typing import Any

Raw = dict[str, Any]


def embedded() -> list[Raw]:
    data = resources.files("claudex.codex").joinpath("models.json").read_bytes()
    return [live(raw) for raw in json.loads(data)["models"]]


def live(raw: Raw) -> Raw:
    """Efforts as objects, and the fields that codex CLI 0.169.0 requires."""
    levels = [{"effort": level, "description": ""} if isinstance(level, str) else level for level in _levels(raw)]
    required = {
        "shell_type": "unified_exec",
        "base_instructions": "You talk to the claudex simulator.",
        "supports_reasoning_summaries": True,
        "experimental_supported_tools": [],
    }
    return {**required, **raw, "supported_reasoning_levels": levels}


def _levels(raw: Raw) -> list[Any]:
    return list(raw.get("supported_reasoning_levels") or [])
