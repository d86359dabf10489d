"""What the small fields of a request mean: session, effort, the token limit."""

import re
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from ...wire.anthropic import MessagesRequest

# The stop sequences of Claude Code's auto-mode classifier: `<block>yes|no</block>` and `<severity>N</severity>`.
VERDICT_STOPS = frozenset({"</block>", "</severity>"})
_LEGACY_SESSION = re.compile(r"_session_([0-9a-fA-F-]{36})$")


class _Metadata(Struct):
    user_id: str | None = None


class _UserId(Struct):
    session_id: str | None = None


_metadata = msgspec.json.Decoder(_Metadata)
_user_id = msgspec.json.Decoder(_UserId)


def session_of(metadata: bytes) -> str:
    """The session id that Claude Code packs as JSON into metadata.user_id; empty when there is none."""
    try:
        user_id = _metadata.decode(metadata).user_id or "" if metadata else ""
        return _user_id.decode(user_id).session_id or "" if user_id.startswith("{") else _legacy(user_id)
    except (msgspec.DecodeError, RecursionError):
        return ""


def _legacy(user_id: str) -> str:
    match = _LEGACY_SESSION.search(user_id)
    return match[1] if match else ""


def is_verdict(wire: MessagesRequest) -> bool:
    """The first stage of auto mode's classifier: no tools, one word wanted, up to the closing tag."""
    return not wire.tools and not VERDICT_STOPS.isdisjoint(wire.stop_sequences or ())


def effort_of(wire: MessagesRequest) -> str | None:
    """The effort that the client names, by itself or as a thinking budget.

    31,999 is what Claude Code sends for older Claude models unless told otherwise, so a large budget is no more than
    the default "high". A verdict is waited for by a person before each tool call: "low".
    """
    if wire.output_config is not None and wire.output_config.effort:
        return wire.output_config.effort
    budget = wire.thinking.budget_tokens if wire.thinking is not None else None
    if budget:
        return "low" if budget <= 4096 else "medium" if budget <= 16384 else "high"
    return "low" if is_verdict(wire) else None


def is_claude_code(client: str) -> bool:
    """By the User-Agent header."""
    return client.startswith("claude-cli/")


def output_cap(max_tokens: int | None, *, client: str, stop_sequences: Sequence[str]) -> int | None:
    """The `max_tokens` to enforce here, since the backend takes none; None when it is not meant.

    - 1 is Claude Code's way of counting tokens when count_tokens fails: always enforced, so that it stays cheap.
    - Claude Code's other values are a model's ceiling (32,000 and up), its retry after an overflow, or the classifier's
      64, which a reasoning model would spend before its first word.
    - A classifier call from elsewhere is told by its stop sequence.
    - Every other client means what it says.
    """
    if max_tokens is None or max_tokens == 1:
        return max_tokens
    if is_claude_code(client) or not VERDICT_STOPS.isdisjoint(stop_sequences):
        return None
    return max_tokens
