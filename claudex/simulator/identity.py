"""Who the client says it is: version, originator, User-Agent, account.

The backend gates models by client identity (found live by several clients in 2026): `version` and the User-Agent's
version must reach the model's `minimal_client_version`, and the product at the head of User-Agent is the `originator`.
"""

import json
import re
from collections.abc import Mapping

from claudex.wire.catalog import ModelInfo

from . import refusal
from .accounts import Account
from .refusal import Refusal, detail, model_not_found

ORIGINATORS = re.compile(r"codex_cli_rs|codex_exec|codex-tui|codex_vscode|codex_sdk_ts|Codex Desktop")
AGENT = re.compile(r"(?P<product>[^/]+)/(?P<version>\d+\.\d+\.\d+\S*) \((?P<os>[^;()]+); (?P<arch>[^;()]+)\)( .+)?")
LITE_HEADER = "x-openai-internal-codex-responses-lite"

Headers = Mapping[str, str]
Version = tuple[int, ...]


def check_account(headers: Headers, account: Account) -> None:
    named = headers.get("chatgpt-account-id")
    if named != account.account_id:
        why = f"`chatgpt-account-id` is {named!r}, but the token belongs to {account.account_id!r}"
        raise detail("Forbidden", why, 403)
    if (headers.get("x-openai-fedramp") == "true") != account.fedramp:
        raise detail("Forbidden", f"`x-openai-fedramp` does not fit an account with fedramp={account.fedramp}", 403)


def check_call(headers: Headers) -> None:
    """What every model call carries besides its identity."""
    if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        got = headers.get("content-type")
        raise detail("Unsupported media type", f"`content-type` is {got!r}, not application/json", 415)
    if "text/event-stream" not in headers.get("accept", ""):
        raise detail("Not acceptable", f"`accept` is {headers.get('accept')!r}, not text/event-stream", 406)
    if headers.get(LITE_HEADER) not in (None, "true"):
        raise refusal.lite("must be true.", LITE_HEADER)
    for name in ("session-id", "thread-id", "x-client-request-id", "x-codex-window-id"):
        if name in headers and not 1 <= len(headers[name]) <= 200:
            raise detail("Bad Request", f"`{name}` has {len(headers[name])} characters")
    _check_metadata(headers)


def check_gate(headers: Headers, model: ModelInfo, *, need_version: bool) -> None:
    """Whether this client may use the model."""
    slug = model.slug
    originator = headers.get("originator", "")
    if not ORIGINATORS.fullmatch(originator):
        raise model_not_found(slug, f"`originator` {originator!r} is not one of the codex family")
    agent = AGENT.fullmatch(headers.get("user-agent", ""))
    if agent is None:
        raise model_not_found(slug, f"`user-agent` {headers.get('user-agent')!r} does not look like codex")
    if agent["product"] != originator:
        raise model_not_found(slug, f"`user-agent` names {agent['product']!r}, `originator` {originator!r}")
    version = headers.get("version")
    if version is None and need_version:
        raise model_not_found(slug, "`version` is missing")
    for where, claimed in (("version", version or agent["version"]), ("user-agent", agent["version"])):
        if parse_version(claimed) < parse_version(model.minimal_client_version):
            raise _too_old(slug, f"`{where}` claims {claimed}, {slug} needs {model.minimal_client_version}")
    if version is not None and version != agent["version"]:
        raise model_not_found(slug, f"`version` is {version}, `user-agent` says {agent['version']}")


def parse_version(text: str) -> Version:
    """Numbers of a semantic version; what is no version is older than all."""
    match = re.match(r"(\d+)\.(\d+)\.(\d+)", text)
    return tuple(int(number) for number in match.groups()) if match else (0, 0, 0)


def _too_old(slug: str, why: str) -> Refusal:
    upgrade = "Please upgrade to the latest app or CLI and try again."
    return detail(f"The '{slug}' model requires a newer version of Codex. {upgrade}", why)


def _check_metadata(headers: Headers) -> None:
    try:
        metadata = json.loads(headers.get("x-codex-turn-metadata", "{}"))
    except ValueError:
        metadata = None
    if not isinstance(metadata, dict):
        raise detail("Bad Request", "`x-codex-turn-metadata` is not a JSON object")
