"""What needs the installed claudex: run by the environment's own Python, answers with one JSON document.

python -P inside.py prepare HOME          make the runtime directory
python -P inside.py carry HOME OLD_FILE   take the model map of an older stack's env file over into ours
python -P inside.py fits HOME             does the older env file in HOME work with our proxy as it is?
python -P inside.py owner PORT            who listens there?
"""

import json
import os
import re
import sys
from pathlib import Path

# What an older stack's env file may say about models; addresses and keys of the old proxy mean nothing to ours.
CARRIED = (
    "ANTHROPIC_MODEL",
    "ANTHROPIC_DEFAULT_OPUS_MODEL",
    "ANTHROPIC_DEFAULT_SONNET_MODEL",
    "ANTHROPIC_DEFAULT_HAIKU_MODEL",
    "CLAUDE_CODE_SUBAGENT_MODEL",
)
WORDS = {"opus", "sonnet", "haiku", "inherit"}
LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_]\w*)=(.*?)\s*$")
DEFAULTED = re.compile(r"^\$\{\w+:?-(.*)\}$")


def prepare(home: str) -> object:
    from claudex.home import prepare

    made = prepare(home)
    return {"created": list(made.created), "env_file": made.env_file}


def carry(home: str, old: str) -> object:
    """Values whose model the catalog knows go into our env file; the rest is named, and our default stands."""
    from claudex import files, paths
    from claudex.home.edit import set_values
    from claudex.home.models import known_models

    known = {model.slug for model in known_models(home)} | WORDS
    values = {
        name: value for name, value in assignments(Path(old).read_text("utf-8", "replace")).items() if name in CARRIED
    }
    carried = {name: value for name, value in values.items() if re.split(r"[(\[]", value)[0] in known}
    target = Path(home) / paths.ENV_FILE_NAME
    if carried:
        files.write_private(target, set_values(target.read_text("utf-8"), carried, str(target)))
    return {"carried": carried, "left": {name: value for name, value in values.items() if name not in carried}}


def assignments(text: str) -> dict[str, str]:
    """NAME -> value of plain assignments. An older env file may hold any shell, so what is not plain is passed over."""
    found = {}
    for line in text.splitlines():
        if match := LINE.match(line):
            value = match[2].strip("\"'")
            inner = DEFAULTED.match(value)
            value = inner[1] if inner else value
            if value and "$" not in value and "`" not in value:
                found[match[1]] = value
    return found


def fits(home: str) -> object:
    """An older env file inside our home goes before ours: it must lead to our proxy with our token."""
    from claudex import paths

    old = Path(home) / paths.LEGACY_ENV_FILE_NAME
    token = Path(paths.proxy_token(home))
    values = assignments(old.read_text("utf-8", "replace"))
    return token.exists() and values.get("ANTHROPIC_AUTH_TOKEN") == token.read_text("utf-8").strip()


def owner(port: str) -> object:
    from claudex.wrapper.daemon import owner_of_port

    found = owner_of_port(int(port))
    return {"pid": found[0], "name": found[1]} if found else None


def main(argv: list[str]) -> int:
    commands = {"prepare": prepare, "carry": carry, "fits": fits, "owner": owner}
    from claudex.errors import ClaudexError

    try:
        print(json.dumps(commands[argv[0]](*argv[1:])))  # type: ignore[operator]
    except (ClaudexError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main(sys.argv[1:]))
