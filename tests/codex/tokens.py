"""Unsigned JWTs and auth.json files for tests."""

import base64
import json
from pathlib import Path


def jwt(**claims: object) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part(claims)}.c2ln"


def id_token(account: str = "acct-1", user: str = "user-1", email: str = "a@example.test", **auth: object) -> str:
    claims = {"chatgpt_account_id": account, "chatgpt_user_id": user, "chatgpt_plan_type": "plus", **auth}
    return jwt(email=email, **{"https://api.openai.com/auth": claims})


def write_auth(codex_home: Path, document: object) -> Path:
    path = codex_home / "auth.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    path.chmod(0o600)
    return path


def document(expires_at: float = 2_000_000_000, **changes: object) -> dict[str, object]:
    tokens = {
        "id_token": id_token(),
        "access_token": jwt(exp=int(expires_at)),
        "refresh_token": "rt_1",
        "account_id": "acct-1",
    }
    return {"auth_mode": "chatgpt", "OPENAI_API_KEY": None, "tokens": tokens, **changes}
