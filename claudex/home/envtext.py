"""The env file as it is first written. From then on it is the user's."""

from collections.abc import Sequence

from ..wire.catalog import ModelInfo
from .slots import Slot, default_slots, smallest_window, variable

_HEAD = """\
# What claudex gives to claude. Read before every launch; `claudex self env` shows the outcome.
#
# The language is a small part of sh: comments, [export] NAME=VALUE, 'single' and "double" quotes, $NAME,
# ${NAME:-default}, unset NAME. Any other line is an error; nothing is ever executed.
# ${NAME:-default} lets a variable of your own shell win over this file.
"""

_WHERE = """
# Where claude sends its requests: our proxy on loopback, and the secret it asks for (also in auth/proxy-token).
export ANTHROPIC_BASE_URL="http://127.0.0.1:${CLAUDEX_PORT:-@port@}"
export ANTHROPIC_AUTH_TOKEN=@token@
# An API key, or a switch to another provider, would take claude past the proxy.
unset ANTHROPIC_API_KEY CLAUDE_CODE_USE_BEDROCK CLAUDE_CODE_USE_VERTEX CLAUDE_CODE_USE_FOUNDRY
"""

_MAP = """
# The model map, as model(effort). `claudex self models` lists them, `claudex self models set SLOT MODEL EFFORT`
# edits these lines. claude sends the effort `high` unless you chose another, so the effort here is what `high` means.
@map@
# Named, because an unnamed default would make claude believe in a window of a million tokens.
export ANTHROPIC_MODEL="${ANTHROPIC_MODEL:-opus}"
"""

_WINDOW = """
# Tokens that the smallest model above takes: claude cannot know it, and guesses 200,000 or a million.
export CLAUDE_CODE_MAX_CONTEXT_TOKENS="${CLAUDE_CODE_MAX_CONTEXT_TOKENS:-@window@}"
# Compact in good time before that window is full; without it some versions wait for a refusal.
export CLAUDE_CODE_AUTO_COMPACT_WINDOW="${CLAUDE_CODE_AUTO_COMPACT_WINDOW:-@window@}"
"""

_WIRE = """
# No experimental fields: claude then sends its whole tool list, stable for the cache, and does not probe after a 400.
export CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS="${CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS:-1}"
# No attribution block at the head of the prompt: it changes from turn to turn and would break the prompt cache.
export CLAUDE_CODE_ATTRIBUTION_HEADER="${CLAUDE_CODE_ATTRIBUTION_HEADER:-0}"
# A model may think for minutes: lift the limit on waiting for the first byte (about 5 minutes otherwise) ...
export API_FORCE_IDLE_TIMEOUT="${API_FORCE_IDLE_TIMEOUT:-0}"
# ... and allow 15 minutes, in milliseconds, without an event inside a stream (5 otherwise).
export CLAUDE_STREAM_IDLE_TIMEOUT_MS="${CLAUDE_STREAM_IDLE_TIMEOUT_MS:-900000}"
# Loopback never goes through an HTTP proxy. The list of your own shell, if there is one, stays behind it.
export NO_PROXY="127.0.0.1,localhost,${NO_PROXY:-localhost}"
export no_proxy="127.0.0.1,localhost,${no_proxy:-localhost}"

# Optional: no update checks, no telemetry (also switches off the model discovery of the picker).
# export CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1
"""


def env_text(models: Sequence[ModelInfo], *, token: str, port: int, slots: Sequence[Slot] = ()) -> str:
    """The file's content. `models` must not be empty; without `slots` the map is chosen from them."""
    chosen = list(slots) or default_slots(models)
    window = smallest_window([slot.model for slot in chosen], models) or models[0].context_window
    text = _HEAD + _WHERE + _MAP + _WINDOW + _WIRE
    for name, value in {"port": str(port), "token": token, "map": _map(chosen), "window": str(window)}.items():
        text = text.replace(f"@{name}@", value)
    return text


def _map(slots: Sequence[Slot]) -> str:
    return "\n".join(f'export {variable(slot.name)}="${{{variable(slot.name)}:-{slot.value}}}"' for slot in slots)
