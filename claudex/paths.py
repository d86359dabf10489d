"""Every path of ours, and every environment variable that moves one.

The wrapper imports this file on its way to `claude`, so it needs nothing but `os`, and paths are plain strings.
"""

import os

TYPE_CHECKING = False  # `typing` and `collections` cost milliseconds that the wrapper does not have
if TYPE_CHECKING:
    from collections.abc import Mapping

    Environ = Mapping[str, str]

HOME_VARIABLE = "CLAUDEX_GATEWAY_HOME"
WRAPPER_VARIABLE = "CLAUDEX_WRAPPER"
PORT_VARIABLE = "CLAUDEX_PORT"
UPSTREAM_VARIABLE = "CLAUDEX_UPSTREAM"
TOKEN_URL_VARIABLE = "CODEX_REFRESH_TOKEN_URL_OVERRIDE"
PATH_VARIABLES = ("CODEX_HOME", "CODEX_CA_CERTIFICATE")  # may be relative, to the directory of the launch

DEFAULT_PORT = 8327
DEFAULT_UPSTREAM = "https://chatgpt.com/backend-api"
DEFAULT_TOKEN_URL = "https://auth.openai.com/oauth/token"

HOME_NAME = "claudex-gateway"
LEGACY_HOME_NAME = "cliproxyapi-codex-test"
ENV_FILE_NAME = "claude-code.env"
LEGACY_ENV_FILE_NAME = "claude-code-gpt54.env"


def user_home(environ: "Environ" = os.environ) -> str:
    """Raises ClaudexError when there is none: "~" would become a directory wherever we happen to be."""
    home = environ.get("HOME") or os.path.expanduser("~")
    if os.path.isabs(home):
        return home
    from .errors import ClaudexError

    raise ClaudexError("there is no home directory: HOME is unset or relative.", hint="Set it.")


def data_home(environ: "Environ" = os.environ) -> str:
    """The XDG specification wants a relative path ignored."""
    named = environ.get("XDG_DATA_HOME", "")
    return named if os.path.isabs(named) else os.path.join(user_home(environ), ".local", "share")


def home(environ: "Environ" = os.environ) -> str:
    """The runtime directory: `$CLAUDEX_GATEWAY_HOME`, else ours under the data home, else an older stack's."""
    if named := environ.get(HOME_VARIABLE):
        return os.path.abspath(os.path.join(user_home(environ), named[2:]) if named[:2] == "~/" else named)
    ours = os.path.join(data_home(environ), HOME_NAME)
    legacy = os.path.join(data_home(environ), LEGACY_HOME_NAME)
    return legacy if not os.path.isdir(ours) and os.path.isdir(legacy) else ours


def codex_home(environ: "Environ" = os.environ) -> str:
    named = environ.get("CODEX_HOME")
    return os.path.abspath(named) if named else os.path.join(user_home(environ), ".codex")


def claude_settings(environ: "Environ" = os.environ) -> str:
    """Claude Code's user settings; its `env` block overrides the shell and can defeat the wrapper."""
    config = environ.get("CLAUDE_CONFIG_DIR") or os.path.join(user_home(environ), ".claude")
    return os.path.join(config, "settings.json")


def wrapper(environ: "Environ" = os.environ) -> str:
    """Where bootstrap puts the command."""
    return environ.get(WRAPPER_VARIABLE) or os.path.join(user_home(environ), ".local", "bin", "claudex")


def auth_source(environ: "Environ" = os.environ) -> str:
    """The official login, the only owner of the refresh token."""
    return os.path.join(codex_home(environ), "auth.json")


def config(home: str) -> str:
    return os.path.join(home, "config.toml")


def env_file(home: str) -> str:
    """The env file in use: an older stack's, if it exists, goes before ours."""
    legacy = os.path.join(home, LEGACY_ENV_FILE_NAME)
    return legacy if os.path.exists(legacy) else os.path.join(home, ENV_FILE_NAME)


def auth_current(home: str) -> str:
    return os.path.join(home, "auth", "codex-current.json")


def proxy_token(home: str) -> str:
    return os.path.join(home, "auth", "proxy-token")


def accounts(home: str) -> str:
    return os.path.join(home, "accounts")


def run(home: str) -> str:
    return os.path.join(home, "run")


def proxy_lock(home: str) -> str:
    return os.path.join(home, "run", "proxy.lock")


def proxy_state(home: str) -> str:
    return os.path.join(home, "run", "proxy.json")


def successor(home: str) -> str:
    """The argv, one element a line, that a retiring proxy re-executes when it is idle."""
    return os.path.join(home, "run", "successor")


def stopped(home: str) -> str:
    """What the last stop drained and what it cut."""
    return os.path.join(home, "run", "stopped.json")


def spawned(home: str) -> str:
    """Touched at each spawn of the proxy: younger than run/proxy.json means that one never became ready."""
    return os.path.join(home, "run", "spawned")


def log(home: str) -> str:
    return os.path.join(home, "logs", "proxy.log")


def models_cache(home: str) -> str:
    return os.path.join(home, "models.json")


def state(home: str) -> str:
    """What the proxy remembers between runs that is neither a setting nor usage."""
    return os.path.join(home, "state.json")


def usage_db(home: str) -> str:
    return os.path.join(home, "usage.db")


def share(kind: str) -> str:
    """`completions` or `references`: inside the installed package, else beside it in a checkout."""
    package = os.path.dirname(os.path.abspath(__file__))
    installed = os.path.join(package, "share", kind)
    return installed if os.path.isdir(installed) else os.path.join(os.path.dirname(package), kind)
