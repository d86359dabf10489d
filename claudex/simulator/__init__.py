"""A strict, deterministic Codex backend for tests and offline use. No model is asked, nothing leaves the machine."""

from .accounts import Account
from .recorded import Recorded
from .script import (
    Call,
    Citation,
    Compaction,
    CustomCall,
    Pause,
    RawItem,
    Reasoning,
    Refusal,
    Script,
    Text,
    Turn,
    WebSearch,
    failed,
    fault,
    reset,
    sse,
    turn,
)
from .simulator import Simulator

__all__ = [
    "Account",
    "Call",
    "Citation",
    "Compaction",
    "CustomCall",
    "Pause",
    "RawItem",
    "Reasoning",
    "Recorded",
    "Refusal",
    "Script",
    "Simulator",
    "Text",
    "Turn",
    "WebSearch",
    "failed",
    "fault",
    "reset",
    "sse",
    "turn",
]
