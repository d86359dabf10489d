"""The default agent: what is answered when no turn is queued."""

from .recorded import Recorded
from .script import Reasoning, Text, Turn

HONEST = "This is the claudex simulator: no model was asked."


def answer(request: Recorded) -> Turn:
    return Turn((Reasoning(), Text(f"{HONEST} You said: {request.user}")))
