"""config.toml as it is first written: every setting, commented out, with its unit and default."""

import msgspec

from ..settings import Settings

_HEAD = """\
# Settings of claudex. Every line is commented out and shows its default: remove the `#` to change it.
# The proxy reads this file again when it changes. A new port also takes `claudex self env --fix` and `claudex restart`.
# CLAUDEX_PORT, CLAUDEX_UPSTREAM and CODEX_REFRESH_TOKEN_URL_OVERRIDE in the environment win over this file.
"""

# section -> setting -> what it does, with its unit
WHY: dict[str, dict[str, str]] = {
    "proxy": {
        "port": "TCP port on 127.0.0.1.",
        "body_limit_mb": "Largest request body taken, in megabytes.",
        "commit_wait_s": "Seconds to wait for the model's first word before the answer's status is fixed: an early\n"
        "refusal then keeps its own HTTP status. 0 answers at once.",
        "keepalive_s": "Seconds of silence after which the client is sent a sign of life.",
        "drain_s": "Seconds that `claudex stop` lets running streams finish.",
        "strict": "Refuse a request that cannot be translated without loss, instead of counting the loss.",
        "trim_images_over_mb": "When the images of a conversation exceed this many megabytes, the oldest are left out.",
    },
    "upstream": {
        "url": "Base of the ChatGPT backend.",
        "client_version": 'Codex version to announce; "": the newer of the installed codex and the one claudex knows.',
        "originator": "Name of the client to announce.",
        "user_agent": 'User-Agent to announce; "" builds the official one.',
        "lane": 'Request form: "auto" follows the catalog, "full" or "lite" forces one.',
        "summary": 'Summaries of the model\'s thinking: "auto", "concise", "detailed" or "none".',
        "verbosity": 'Length of answers: "auto" leaves it to the model, else "low", "medium" or "high".',
        "service_tier": '"" is the normal one, "priority" is faster and uses more of the plan, "flex" is slower.',
        "connect_timeout_s": "Seconds to wait for a connection.",
        "idle_timeout_s": "Seconds without a byte from the backend after which a request is given up.",
        "total_timeout_s": "Seconds that one request may take in all.",
        "retries": "Times that a failed request is sent again, as long as nothing was shown yet (0 to 10).",
    },
    "models": {
        "effort_policy": "Whose effort counts: \"auto\" (claude's, but its `high` means the slot's),\n"
        '"slot" (always the model map) or "client" (always claude).',
        "aliases": 'More names for models, as { "codex-5" = "gpt-6.1-sol", "codex-5-low" = "gpt-6.1-sol(low)" }.',
    },
    "auth": {
        "token_url": "Where an access token is refreshed.",
        "refresh_early_s": "Seconds before its expiry that a token is refreshed.",
        "refresh_timeout_s": "Seconds that a refresh may take: the official CLI waits on its lock meanwhile.",
    },
    "log": {
        "level": '"debug", "info", "warning" or "error".',
        "max_mb": "Size in megabytes at which logs/proxy.log is rotated.",
        "keep": "Rotated logs to keep (0 to 100).",
    },
}


def config_text() -> str:
    defaults = msgspec.to_builtins(Settings())
    sections = [_section(name, whys, defaults[name]) for name, whys in WHY.items()]
    return _HEAD + "".join(sections)


def _section(name: str, whys: dict[str, str], defaults: dict[str, object]) -> str:
    lines = [f"\n[{name}]"]
    for setting, why in whys.items():
        lines += [f"# {line}" for line in why.splitlines()]
        lines.append(f"# {setting} = {_toml(defaults[setting])}")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{}"
    return f'"{value}"' if isinstance(value, str) else str(value)
