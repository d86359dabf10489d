"""The running proxy as the commands see it: proved first, then asked."""

from typing import Any

import msgspec

from ..errors import ClaudexError, PortHeld, ProxyUnavailable
from ..wrapper import daemon, health
from . import control
from .place import Place

# A proxy that has just been started needs about 0.3 s; a loaded machine gets the benefit of the doubt.
ANSWER_WITHIN_S = 5.0


def check(place: Place) -> health.Health:
    """Who listens on our port. Without a token nobody can be proved, so any listener is a stranger."""
    found = health.check(place.port, place.known_token or "no token", ANSWER_WITHIN_S)
    if found.state == "starting" and control.running(place.home) is None:
        return health.Health("stranger", f"it says nothing within {ANSWER_WITHIN_S:.0f} s")
    return found


def holder(port: int) -> str:
    """`nginx (pid 123)`, or what can be said without its name."""
    owner = daemon.owner_of_port(port)
    return f"{owner[1]} (pid {owner[0]})" if owner else "another program"


def port_held(place: Place, detail: str = "") -> PortHeld:
    why = f" ({detail})" if detail else ""
    return PortHeld(
        f"port {place.port} is held by {holder(place.port)}, which is not our proxy{why}.",
        hint=f"Stop it, or choose another port: `{daemon.another_port(place.port)}`.",
    )


def not_running(place: Place) -> ProxyUnavailable:
    return ProxyUnavailable(f"the proxy is not running on port {place.port}.", hint="Run `claudex start`.")


def require(place: Place) -> health.Health:
    """Raises ProxyUnavailable (exit 3) or PortHeld (exit 4) unless our proxy answers."""
    found = check(place)
    if found.state == "ours":
        return found
    if found.state == "none":
        raise not_running(place)
    if found.state == "stranger":
        raise port_held(place, found.detail)
    raise ProxyUnavailable(
        f"what listens on port {place.port} did not answer within {ANSWER_WITHIN_S:.0f} s.",
        hint="Try `claudex restart`.",
    )


def get(place: Place, path: str) -> Any:
    """The JSON document at `path` of our proved proxy."""
    require(place)
    try:
        status, body = health.request(place.port, place.token, "GET", path, ANSWER_WITHIN_S)
    except OSError as error:
        raise ProxyUnavailable(f"the proxy did not answer {path}: {error}", hint="Try `claudex restart`.") from error
    if status != 200:
        raise ClaudexError(f"the proxy answered {path} with {status}: {reason(body)}")
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise ClaudexError(f"the proxy answered {path} with something that is not JSON.") from error


def reason(body: bytes) -> str:
    """The message of an error answer in either dialect, else the start of its text."""
    try:
        document = msgspec.json.decode(body)
        return str(document["error"]["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return body[:200].decode(errors="replace").strip() or "no text"
