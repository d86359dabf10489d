"""The headers by which the backend knows a client.

Access to newer models depends on `version` and on `originator` and `user-agent` naming the same product of the codex
family (refusals seen in the field: "requires a newer version of Codex", "Model not found"). What is sent is what the
protocol needs, in the official client's order; its telemetry headers are not imitated.
"""

import functools
import os
import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ..settings import Settings
from ..wire.catalog import Lane, ModelInfo
from .login import Login

KNOWN_GOOD_VERSION = "0.169.0"  # the codex CLI that this client was checked against
LITE_HEADER = "x-openai-internal-codex-responses-lite"
TURN_STATE_HEADER = "x-codex-turn-state"
_NUMBERS = re.compile(r"\d+")
_VERSION = re.compile(r"\d+\.\d+\.\d+[0-9A-Za-z.+-]*")


@dataclass(frozen=True)
class SessionIds:
    session: str
    thread: str
    request: str


def headers(
    login: Login,
    settings: Settings,
    codex_home: str | Path,
    *,
    model: ModelInfo | None = None,
    ids: SessionIds | None = None,
    lane: Lane = "full",
    turn_state: str = "",
) -> dict[str, str]:
    """Everything but the cookie. With `ids` it is a model call, without it one of the small GETs."""
    version = client_version(settings, codex_home, model.minimal_client_version if model else "0.0.0")
    sent = {"version": version}
    if turn_state:
        sent[TURN_STATE_HEADER] = turn_state
    if lane == "lite":
        sent[LITE_HEADER] = "true"
    if ids:
        sent |= {"x-client-request-id": ids.request, "session-id": ids.session, "thread-id": ids.thread}
        sent |= {"accept": "text/event-stream", "content-type": "application/json"}
    sent["authorization"] = f"Bearer {login.access_token}"
    if login.account_id:
        sent["chatgpt-account-id"] = login.account_id
    if login.fedramp:
        sent["x-openai-fedramp"] = "true"
    return sent | product_headers(settings, version)


def product_headers(settings: Settings, version: str) -> dict[str, str]:
    return {"originator": settings.upstream.originator, "user-agent": user_agent(settings, version)}


def client_version(settings: Settings, codex_home: str | Path, minimum: str = "0.0.0") -> str:
    """The setting if there is one; else the newest of what we know, what is installed and what the model asks for."""
    if settings.upstream.client_version:
        return settings.upstream.client_version
    installed = installed_version(codex_home)
    return max((KNOWN_GOOD_VERSION, installed, minimum), key=version_key)


def user_agent(settings: Settings, version: str) -> str:
    """`<originator>/<version> (<OS> <version>; <arch>) <terminal> (<originator>; <version>)`."""
    if settings.upstream.user_agent:
        return settings.upstream.user_agent
    product = settings.upstream.originator
    return f"{product}/{version} ({_system()}) {_terminal(os.environ)} ({product}; {version})"


@functools.lru_cache(maxsize=32)
def version_key(version: str) -> tuple[int, int, int]:
    """The three numbers; a pre-release counts as its release."""
    numbers = [int(number) for number in _NUMBERS.findall(version)[:3]]
    major, minor, patch = [*numbers, 0, 0, 0][:3]
    return major, minor, patch


def installed_version(codex_home: str | Path) -> str:
    """The installed codex CLI's version, as it notes it in `models_cache.json`; "0.0.0" when unknown."""
    path = os.path.join(codex_home, "models_cache.json")
    try:
        stamp = os.stat(path).st_mtime_ns
    except OSError:
        return "0.0.0"
    return _noted_version(path, stamp)


@functools.lru_cache(maxsize=8)
def _noted_version(path: str, stamp: int) -> str:
    try:
        noted = msgspec.json.decode(Path(path).read_bytes(), type=_ModelsCache).client_version
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return "0.0.0"
    return noted if _VERSION.fullmatch(noted) else "0.0.0"


class _ModelsCache(msgspec.Struct):
    client_version: str = ""


@functools.cache
def _system() -> str:
    name, version = platform.system() or "Unknown", platform.release()
    if sys.platform == "darwin":
        name, version = "Mac OS", platform.mac_ver()[0]
    elif sys.platform == "linux":
        name, version = _distribution() or (name, version)
    return _plain(f"{name} {version or 'unknown'}; {platform.machine() or 'unknown'}")


def _distribution() -> tuple[str, str] | None:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return None
    return release.get("NAME", "Linux"), release.get("VERSION_ID", "unknown")


def _terminal(environ: Mapping[str, str]) -> str:
    name = environ.get("TERM_PROGRAM") or environ.get("TERM") or "unknown"
    version = environ.get("TERM_PROGRAM_VERSION") if environ.get("TERM_PROGRAM") else ""
    return _plain(f"{name}/{version}" if version else name).replace(" ", "_")


def _plain(text: str) -> str:
    """Printable ASCII only: a header takes nothing else."""
    return "".join(char if " " <= char <= "~" else "_" for char in text)
