"""`claudex status`: the process, the login, the model map, and what stands in the way."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..codex.credentials import describe
from ..errors import ClaudexError, PortHeld, ProxyUnavailable, UpstreamError
from ..wrapper import claude
from . import control, envview, gateway, render
from .place import Place
from .reach import Reached, reach
from .settings_json import Conflict, conflicts

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class Auth:
    state: str
    account_id: str | None
    plan: str | None
    expires_at: float | None
    source: str
    email: str | None
    detail: str


@dataclass(frozen=True)
class Status:
    """`problems` are sentences, each with its mend. `check` is None unless --check asked for it."""

    running: bool
    pid: int | None
    instance_id: str | None
    version: str | None
    base_url: str
    port: int
    port_held_by: str | None
    uptime_s: float | None
    in_flight: int | None
    home: str
    env_file: str
    models: dict[str, envview.Mapped]
    auth: Auth
    upstream: str
    limits: dict[str, Any] | None
    catalog: dict[str, Any] | None
    claude: str | None
    claudex_version: str
    settings_conflicts: list[Conflict]
    problems: list[str]
    check: Reached | None

    @property
    def exit_code(self) -> int:
        if self.port_held_by:
            return PortHeld.exit_code
        if not self.running:
            return ProxyUnavailable.exit_code
        return 0 if self.check is None or self.check.ok else UpstreamError.exit_code

    @property
    def reason(self) -> str:
        if self.port_held_by:
            return f"port {self.port} is held by {self.port_held_by}"
        if not self.running:
            return f"the proxy is not running on port {self.port}. Run `claudex start`."
        return self.check.detail if self.check and not self.check.ok else ""


def run(place: Place, *, check: bool = False) -> Status:
    found = gateway.check(place)
    live = _live(place) if found.state == "ours" else {}
    problems: list[str] = list(live.get("problems") or [])
    environment = _environment(place, problems)
    if found.state == "starting":
        problems.append(
            f"What listens on port {place.port} does not answer: `claudex restart` replaces it if it is ours."
        )
    if found.state == "none" and (other := control.other_port(place.home, place.port)):
        problems.append(f"The proxy of this home still serves port {other}: `claudex restart` moves it.")
    return Status(
        running=found.state == "ours",
        pid=live.get("pid"),
        instance_id=live.get("instance_id"),
        version=live.get("version"),
        base_url=place.base_url,
        port=place.port,
        port_held_by=gateway.holder(place.port) if found.state == "stranger" else None,
        uptime_s=live.get("uptime_s"),
        in_flight=live.get("in_flight"),
        home=place.home,
        env_file=place.env_file,
        models=_models(place, environment),
        auth=_auth(place, live),
        upstream=live.get("upstream") or place.settings.upstream.url,
        limits=live.get("limits"),
        catalog=live.get("catalog"),
        claude=_claude(place, problems),
        claudex_version=__version__,
        settings_conflicts=conflicts(place.environ, environment, _directory()),
        problems=problems,
        check=reach(place.settings.upstream) if check else None,
    )


def _live(place: Place) -> dict[str, Any]:
    document = gateway.get(place, "/api/status")
    return document if isinstance(document, dict) else {}


def _environment(place: Place, problems: list[str]) -> dict[str, str | None]:
    """What the env file injects; a file that is missing or damaged is a problem to name, not a reason to stop."""
    try:
        environment = envview.values(place)
    except ClaudexError as error:
        problems.append(str(error))
        return {}
    problems.extend(envview.mismatches(place, environment))
    return environment


def _models(place: Place, environment: dict[str, str | None]) -> dict[str, envview.Mapped]:
    return envview.model_map(place, environment)


def _auth(place: Place, live: dict[str, Any]) -> Auth:
    """The running proxy knows more than the file: a refresh that was refused for good."""
    if known := live.get("auth"):
        return Auth(**{name: known.get(name) for name in Auth.__dataclass_fields__})
    login = describe(place.codex_home, time.time())
    return Auth(**{name: getattr(login, name) for name in Auth.__dataclass_fields__})


def _claude(place: Place, problems: list[str]) -> str | None:
    try:
        return claude.find(place.environ)
    except ClaudexError as error:
        problems.append(str(error))
        return None


def _directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # it has been removed under the shell: then it holds no settings either
        return "/"


def view(status: Status) -> RenderableType:
    from rich.console import Group

    parts: list[RenderableType] = [render.pairs(_rows(status))]
    if status.models:
        parts += ["", _map_table(status)]
    if status.limits and status.limits.get("windows"):
        parts += ["", _limit_table(status.limits)]
    if notes := _notes(status):
        parts += ["", *notes]
    return Group(*parts)


def _rows(status: Status) -> list[tuple[str, RenderableType]]:
    rows: list[tuple[str, RenderableType]] = [
        ("proxy", _process(status)),
        ("address", status.base_url),
        ("login", _login(status.auth)),
        ("upstream", _upstream(status)),
        ("home", status.home),
        ("env file", status.env_file),
        ("claude", status.claude or "not found"),
    ]
    return rows


def _process(status: Status) -> RenderableType:
    from rich.text import Text

    if status.port_held_by:
        return Text(f"not running: port {status.port} is held by {status.port_held_by}", style="red")
    if not status.running:
        return Text("not running (`claudex start`, or any `claudex …`, starts it)", style="yellow")
    facts = [f"pid {status.pid}", f"version {status.version}", f"up {render.duration(status.uptime_s or 0)}"]
    if status.in_flight:
        facts.append(f"{status.in_flight} in flight")
    return Text().append("running", style="green").append(" · " + " · ".join(facts))


def _login(auth: Auth) -> RenderableType:
    from rich.text import Text

    if auth.state in ("missing", "login_required"):
        return Text(auth.detail or "none: run `codex login`", style="red")
    state = "token expired, refreshed at its next use" if auth.state == "expired" else "ok"
    expiry = f"token until {render.moment(auth.expires_at)}" if auth.expires_at and auth.state == "ok" else ""
    facts = [part for part in (auth.email, auth.plan, auth.account_id, expiry) if part]
    return (
        Text(style="green" if auth.state == "ok" else "yellow")
        .append(state)
        .append("".join(f" · {fact}" for fact in facts), style="default")
    )


def _upstream(status: Status) -> RenderableType:
    from rich.text import Text

    if status.check is None:
        return status.upstream
    return Text(f"{status.upstream} · ").append(status.check.detail, style="green" if status.check.ok else "red")


def _map_table(status: Status) -> RenderableType:
    table = render.grid("slot", "model", "effort", "window", right=("window",))
    for slot, entry in status.models.items():
        window = render.count(entry.window) if entry.window else "not in the catalog"
        table.add_row(slot, entry.model, entry.effort or "as asked", window)
    return table


def _limit_table(limits: dict[str, Any]) -> RenderableType:
    table = render.grid("limit", "used", "resets", right=("used",))
    for window in limits["windows"]:
        table.add_row(str(window["name"]), f"{window['used_percent']:.0f} %", render.moment(window.get("resets_at")))
    return table


def _notes(status: Status) -> list[RenderableType]:
    from rich.text import Text

    notes = [f"{conflict.file} {conflict.problem}" for conflict in status.settings_conflicts if conflict.problem]
    notes += [
        f"{conflict.file} has an `env` block that overrides claudex: remove {', '.join(conflict.keys)} from it."
        for conflict in status.settings_conflicts
        if conflict.keys
    ]
    if status.version and status.version != status.claudex_version:
        notes.append(f"The proxy is version {status.version}, claudex is {status.claudex_version}: `claudex restart`.")
    return [Text(f"! {note}", style="yellow") for note in [*notes, *status.problems]]
