"""Claude Code's own settings files: an `env` block there overrides the shell, and with it the wrapper."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from .. import paths

# Names that decide where claude sends its requests and as whom, whether or not the env file mentions them.
DECIDING = frozenset(
    {
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_MODEL",
        "CLAUDE_CODE_USE_BEDROCK",
        "CLAUDE_CODE_USE_FOUNDRY",
        "CLAUDE_CODE_USE_VERTEX",
    }
)


@dataclass(frozen=True)
class Conflict:
    """`keys` of the file's `env` block defeat what claudex injects; `problem` says why the file could not be read."""

    file: str
    keys: tuple[str, ...]
    problem: str = ""


def conflicts(environ: Mapping[str, str], injected: Mapping[str, str | None], directory: str) -> list[Conflict]:
    """Look at the user's settings and at those of the project in `directory`. `injected` is None for an unset name."""
    project = os.path.join(directory, ".claude")
    files = [
        paths.claude_settings(environ),
        os.path.join(project, "settings.json"),
        os.path.join(project, "settings.local.json"),
    ]
    found = (_conflict(file, injected) for file in dict.fromkeys(files))
    return [conflict for conflict in found if conflict.keys or conflict.problem]


def _conflict(file: str, injected: Mapping[str, str | None]) -> Conflict:
    try:
        block = _env_block(Path(file).read_bytes())
    except FileNotFoundError:
        return Conflict(file, ())
    except OSError as error:
        return Conflict(file, (), f"cannot be read: {error.strerror}")
    except (ValueError, RecursionError) as error:  # of msgspec, too
        return Conflict(file, (), f"is not valid JSON: {error}")
    keys = [key for key, value in block.items() if _defeats(key, value, injected)]
    return Conflict(file, tuple(sorted(keys)))


def _env_block(text: bytes) -> dict[str, object]:
    document = msgspec.json.decode(text) if text.strip() else {}
    block = document.get("env") if isinstance(document, dict) else None
    return block if isinstance(block, dict) else {}


def _defeats(key: str, value: object, injected: Mapping[str, str | None]) -> bool:
    if key in injected:
        return str(value) != injected[key]
    return key in DECIDING
