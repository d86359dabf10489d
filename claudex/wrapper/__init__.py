"""What runs before `claude` does, at the speed of the interpreter itself."""

OWN_WORDS = frozenset(("status", "start", "stop", "restart", "sync-auth", "probe", "self"))
