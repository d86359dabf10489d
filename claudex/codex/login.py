"""A ChatGPT login as the official CLI stores it, and the claims inside its tokens.

Claim names and the account's two homes (`tokens.account_id`, else the claim) as observed with codex CLI 0.169.0.
Signatures are not checked: the tokens come from the user's own disk and are judged by the backend.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import msgspec

from .. import errors

AUTH_CLAIM = "https://api.openai.com/auth"
PROFILE_CLAIM = "https://api.openai.com/profile"

Claims = dict[str, object]
State = Literal["ok", "expired", "missing", "login_required"]


@dataclass(frozen=True)
class Login:
    """What a request needs of a login. `expires_at` is unix seconds, None when the token does not say."""

    access_token: str = field(repr=False)
    account_id: str
    user_id: str = ""
    plan: str = ""
    email: str = ""
    expires_at: float | None = None
    fedramp: bool = False
    source: str = ""

    @cached_property
    def tag(self) -> str:
        """Eight url-safe characters that name this user in this workspace, and tell nothing about either."""
        identity = f"{self.user_id}\0{self.account_id}".encode()
        return base64.urlsafe_b64encode(hashlib.blake2b(identity, digest_size=6).digest()).decode()

    def expires_within(self, seconds: float, now: float) -> bool:
        return self.expires_at is not None and self.expires_at <= now + seconds


@dataclass(frozen=True)
class AuthStatus:
    """A login in one word and, when it is not `ok`, one sentence. `expired` is mended by the next request."""

    state: State
    account_id: str | None
    plan: str | None
    expires_at: float | None
    source: str
    email: str | None
    detail: str = ""


def claims(token: str) -> Claims:
    """The payload of a JWT, {} when it is not one (opaque tokens exist)."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        decoded = msgspec.json.decode(payload)
    except (ValueError, binascii.Error, msgspec.DecodeError):
        return {}
    return decoded if isinstance(decoded, dict) else {}


def from_document(document: Mapping[str, object], source: str) -> Login:
    """The login inside a decoded auth.json. Raises LoginMissing, LoginDamaged or LoginUnusable."""
    tokens = document.get("tokens")
    _refuse_other_modes(document, has_tokens=bool(tokens), source=source)
    if not isinstance(tokens, dict):
        raise errors.LoginDamaged(f"{source} is damaged: `tokens` is not an object.")
    access, identity = _text(tokens, "access_token", source), _text(tokens, "id_token", source)
    if not access:
        raise errors.LoginDamaged(f"{source} is damaged: it has no access token.")
    if not (access.isascii() and access.isprintable()) or " " in access:
        raise errors.LoginDamaged(f"{source} is damaged: the access token holds characters that no token has.")
    return _login(access, identity, _text(tokens, "account_id", source), source)


def expiry(access_token: str) -> float | None:
    exp = claims(access_token).get("exp")
    return float(exp) if isinstance(exp, int | float) and not isinstance(exp, bool) else None


def _login(access: str, identity: str, account_id: str, source: str) -> Login:
    id_claims, access_claims = claims(identity), claims(access)
    auth = {**_object(access_claims, AUTH_CLAIM), **_object(id_claims, AUTH_CLAIM)}
    profile = {**_object(access_claims, PROFILE_CLAIM), **_object(id_claims, PROFILE_CLAIM)}
    account = account_id or _claim(auth, "chatgpt_account_id")
    if not (account.isascii() and account.isprintable()):
        raise errors.LoginDamaged(f"{source} is damaged: the account id holds characters that no id has.")
    return Login(
        access_token=access,
        account_id=account,
        user_id=_claim(auth, "chatgpt_user_id") or _claim(auth, "user_id"),
        plan=_claim(auth, "chatgpt_plan_type"),
        email=_claim(id_claims, "email") or _claim(profile, "email"),
        expires_at=expiry(access),
        fedramp=auth.get("chatgpt_account_is_fedramp") is True,
        source=source,
    )


def _refuse_other_modes(document: Mapping[str, object], *, has_tokens: bool, source: str) -> None:
    mode = document.get("auth_mode")
    if mode is not None and not isinstance(mode, str):
        raise errors.LoginDamaged(f"{source} is damaged: `auth_mode` is not a string.")
    if mode == "apikey" or (not has_tokens and document.get("OPENAI_API_KEY")):
        raise errors.LoginUnusable(
            f"{source} holds only an OpenAI API key, and claudex needs a ChatGPT login.",
            hint="Run `codex login` and sign in with ChatGPT.",
        )
    for key, what in (("personal_access_token", "a personal access token"), ("agent_identity", "an agent identity")):
        if not has_tokens and document.get(key):
            raise errors.LoginUnusable(f"{source} holds only {what}, and claudex needs a ChatGPT login.")
    if not has_tokens:
        raise errors.LoginMissing(f"{source} holds no ChatGPT login.")


def _text(tokens: Mapping[str, object], key: str, source: str) -> str:
    value = tokens.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise errors.LoginDamaged(f"{source} is damaged: `tokens.{key}` is not a string.")
    return value


def _object(source: Claims, key: str) -> Claims:
    value = source.get(key)
    return value if isinstance(value, dict) else {}


def _claim(source: Claims, key: str) -> str:
    value = source.get(key)
    return value if isinstance(value, str) else ""
