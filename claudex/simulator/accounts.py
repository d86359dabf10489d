"""Accounts, their tokens and their usage windows.

Access tokens are JWTs with the claims that the official client reads (exp; under https://api.openai.com/auth the plan,
user and account). Their signature and the refresh tokens carry our own seal, so a restarted simulator knows them again.
Refresh tokens rotate: each is good for one use, plus the grace given.
"""

import base64
import binascii
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from claudex.files import private_dir, write_private

from . import refusal, sealed
from .refusal import Refusal

CLAIMS = "https://api.openai.com/auth"
PROFILE = "https://api.openai.com/profile"
CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann"
TOKEN_LIFETIME_S = 3600.0


@dataclass
class Window:
    """One usage window: percent used, its length in minutes, unix seconds of its end."""

    used_percent: float
    minutes: int
    resets_at: int


@dataclass
class Usage:
    primary: Window | None = None
    secondary: Window | None = None
    credits: dict[str, Any] | None = None

    @property
    def exhausted(self) -> Window | None:
        return next(
            (window for window in (self.primary, self.secondary) if window and window.used_percent >= 100), None
        )


@dataclass
class Account:
    account_id: str
    user_id: str
    email: str
    plan: str
    fedramp: bool = False
    access_token: str = ""
    refresh_token: str = ""
    id_token: str = ""
    expires_at: float = 0.0
    generation: int = 0
    revoked: bool = False
    usage: Usage = field(default_factory=Usage)

    def auth_claims(self) -> dict[str, Any]:
        return {
            "chatgpt_account_id": self.account_id,
            "chatgpt_user_id": self.user_id,
            "chatgpt_plan_type": self.plan,
            "chatgpt_account_is_fedramp": self.fedramp,
        }


def default_usage(now: float) -> Usage:
    return Usage(Window(3.0, 300, int(now) + 9000), Window(1.5, 10080, int(now) + 400_000))


class Accounts:
    """Everybody who has logged in, and which of their tokens still count."""

    def __init__(self, clock: Callable[[], float] = time.time, grace: float = 0.0) -> None:
        self.clock = clock
        self.grace = grace
        self.token_lifetime = TOKEN_LIFETIME_S
        self.known: dict[str, Account] = {}
        self.reuses = 0
        self._honoured_until: dict[str, float] = {}
        self._serial = 0

    def login(self, account: Account, expires_in: float) -> Account:
        known = self.known.setdefault(account.account_id, account)
        known.email, known.plan, known.fedramp, known.user_id = (
            account.email,
            account.plan,
            account.fedramp,
            account.user_id,
        )
        known.revoked = False
        if not known.usage.primary and not known.usage.secondary:
            known.usage = default_usage(self.clock())
        self._issue(known, expires_in)
        return known

    def by_bearer(self, header: str | None) -> Account:
        """The account of an `Authorization` header. Raises Refusal 401; no violation if it has expired."""
        if not header or not header.startswith("Bearer "):
            raise refusal.detail("Unauthorized", "the request has no `Authorization: Bearer` header", 401)
        claims = _read_jwt(header.removeprefix("Bearer "))
        if claims is None:
            raise refusal.detail("Unauthorized", "the bearer token was not issued by this simulator", 401)
        account = self._recall(claims)
        if claims["exp"] <= self.clock() or claims["gen"] < account.generation:
            raise _token_expired()
        return account

    def refresh(self, token: str) -> Account:
        """Redeem a refresh token. Raises Refusal: reused, invalidated, or never issued."""
        claims = _read_seal(token, "rt_")
        if claims is None:
            raise Refusal(400, {"error": "invalid_grant"}, "a refresh token was tried that this simulator never issued")
        account = self._recall(claims)
        if account.revoked:
            raise _refresh_refused("refresh_token_invalidated", "Your refresh token has been invalidated.")
        now = self.clock()
        if token not in self._honoured_until:
            self._honoured_until[token] = now + self.grace
        elif now >= self._honoured_until[token]:
            self.reuses += 1
            raise _refresh_refused("refresh_token_reused", "Your refresh token has already been used.")
        self._issue(account, self.token_lifetime)
        return account

    def expire(self, account_id: str | None) -> None:
        for account in self._named(account_id):
            account.generation += 1

    def revoke(self, account_id: str | None) -> None:
        for account in self._named(account_id):
            account.revoked = True

    def _named(self, account_id: str | None) -> list[Account]:
        return list(self.known.values()) if account_id is None else [self.known[account_id]]

    def _recall(self, claims: dict[str, Any]) -> Account:
        """The account that a genuine token names; one issued before a restart makes itself known again."""
        facts = claims[CLAIMS]
        account_id = facts["chatgpt_account_id"]
        if account_id not in self.known:
            self.known[account_id] = Account(
                account_id,
                facts["chatgpt_user_id"],
                claims.get("email", ""),
                facts["chatgpt_plan_type"],
                facts["chatgpt_account_is_fedramp"],
                generation=claims["gen"],
                usage=default_usage(self.clock()),
            )
        return self.known[account_id]

    def _issue(self, account: Account, expires_in: float) -> None:
        self._serial += 1
        now = self.clock()
        account.expires_at = int(now + expires_in)
        common = {CLAIMS: account.auth_claims(), "gen": account.generation, "iat": int(now), "jti": self._serial}
        common["email"] = account.email
        profile = {PROFILE: {"email": account.email}}
        account.access_token = _jwt({**common, **profile, "exp": int(account.expires_at), "scp": ["openid", "email"]})
        account.id_token = _jwt({**common, "exp": int(now) + 3600, "aud": [CLIENT_ID]})
        account.refresh_token = _seal({**common, "at": now}, "rt_")


def write_login(codex_home: Path, account: Account, now: float) -> None:
    """`auth.json` as codex CLI 0.169.0 writes it: pretty-printed, mode 0600."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + ".000000000Z"
    tokens = {
        "id_token": account.id_token,
        "access_token": account.access_token,
        "refresh_token": account.refresh_token,
        "account_id": account.account_id,
    }
    document = {"auth_mode": "chatgpt", "OPENAI_API_KEY": None, "tokens": tokens, "last_refresh": stamp}
    private_dir(codex_home)
    write_private(codex_home / "auth.json", json.dumps(document, indent=2) + "\n")


def _token_expired() -> Refusal:
    error = {
        "message": "Provided authentication token is expired. Please try signing in again.",
        "code": "token_expired",
    }
    headers = {"x-error-json": base64.b64encode(json.dumps({"error": {"code": "token_expired"}}).encode()).decode()}
    return Refusal(401, {"error": {**error, "type": None, "param": None}, "status": 401}, "", headers)


def _refresh_refused(code: str, message: str) -> Refusal:
    error = {"message": f"{message} Please try signing in again.", "type": "invalid_request_error", "code": code}
    return Refusal(401, {"error": {**error, "param": None}}, "")


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _dumps(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _jwt(claims: dict[str, Any]) -> str:
    head = f"{_b64(_dumps({'alg': 'HS256', 'typ': 'JWT'}))}.{_b64(_dumps(claims))}"
    return f"{head}.{_b64(sealed.sign(head.encode()))}"


def _read_jwt(token: str) -> dict[str, Any] | None:
    head, _, signature = token.rpartition(".")
    _, _, payload = head.partition(".")
    return _opened(head, payload, signature)


def _seal(claims: dict[str, Any], prefix: str) -> str:
    head = prefix + _b64(_dumps(claims))
    return f"{head}.{_b64(sealed.sign(head.encode()))}"


def _read_seal(token: str, prefix: str) -> dict[str, Any] | None:
    head, _, signature = token.rpartition(".")
    return _opened(head, head.removeprefix(prefix), signature)


def _opened(head: str, payload: str, signature: str) -> dict[str, Any] | None:
    if not head or signature != _b64(sealed.sign(head.encode())):
        return None
    try:
        claims = json.loads(_unb64(payload))
    except (binascii.Error, ValueError):
        return None
    return claims if isinstance(claims, dict) and CLAIMS in claims else None
