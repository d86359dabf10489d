"""The runtime directory: made once, kept as the user left it.

The wrapper calls `prepare` on its first run, bootstrap and `claudex start` call it each time. Nothing that exists is
overwritten, so any number of processes may run it at once and all of them end with the same token.
"""

from .configtext import config_text
from .envtext import env_text
from .prepare import Prepared, prepare
from .slots import SLOTS, Slot, default_slots

__all__ = ["SLOTS", "Prepared", "Slot", "config_text", "default_slots", "env_text", "prepare"]
