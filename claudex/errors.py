"""Every error that claudex raises on purpose, as one tree.

    ClaudexError
    ├── SettingsError            config.toml cannot be used
    ├── EnvFileError             a line of the env file is outside the language
    ├── ClaudeNotFound           no `claude` to become
    ├── PortHeld                 another program listens on our port (exit 4)
    ├── ProxyUnavailable         our proxy does not run or does not answer (exit 3)
    ├── RequestError             the caller's own mistake
    │   ├── BadRequest           400
    │   ├── NotFound             404
    │   ├── MethodNotAllowed     405
    │   ├── Conflict             409
    │   ├── BodyTimeout          408
    │   ├── BodyTooLarge         413
    │   ├── UnsupportedEncoding  415
    │   ├── NotAuthenticated     the proxy token is missing or wrong
    │   └── ForbiddenCaller      foreign Host, Origin or site
    ├── Stopping                 529: the proxy is going down, a new one will answer
    ├── LoginError               403, exit 5: what to do is always `codex login`
    │   ├── LoginMissing
    │   ├── LoginDamaged
    │   ├── LoginUnusable        API key only, keyring
    │   ├── LoginRequired        the refresh token was refused for good
    │   └── LoginBusy            503: another program holds the login's lock
    └── UpstreamError            the network or ChatGPT
        ├── NetworkError         502: no answer
        ├── UpstreamTimeout      504: silence beyond the limit
        ├── StreamTruncated      502: the stream ended before its terminal event
        ├── RateLimited          429, short: worth a retry
        ├── PlanLimit            429: the plan's window is used up until `resets_at`
        ├── Overloaded           529
        ├── ContextOverflow      400 "prompt is too long"
        ├── PolicyRefused        400: refused for its content
        ├── ModelUnavailable     404 at ChatGPT
        ├── InvalidUpstreamRequest   400: our request, or the caller's, was refused as invalid
        │   └── InvalidEncryptedContent  reasoning that this account cannot decrypt
        ├── UpstreamForbidden    403: Cloudflare, workspace, permission
        └── UpstreamFailed       5xx and everything unnamed

`status`, `type` and `openai_type` are what the HTTP edge answers; `exit_code` is what a command ends with.
`who` names the one who refused: claudex, the network or ChatGPT.
`hint` is the user's next step, as one sentence or empty.
"""

from typing import ClassVar, Literal

Who = Literal["claudex", "the network", "ChatGPT"]


class ClaudexError(Exception):
    status: ClassVar[int] = 500
    type: ClassVar[str] = "api_error"
    openai_type: ClassVar[str] = "server_error"
    exit_code: ClassVar[int] = 1
    who: ClassVar[Who] = "claudex"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class SettingsError(ClaudexError):
    """config.toml cannot be read or holds an unknown or wrong value."""


class EnvFileError(ClaudexError):
    def __init__(self, path: str, line: int, why: str) -> None:
        super().__init__(f"{path}:{line}: {why}")
        self.path = path
        self.line = line


class ClaudeNotFound(ClaudexError):
    """There is no `claude` on PATH but ourselves."""


class PortHeld(ClaudexError):
    exit_code = 4


class ProxyUnavailable(ClaudexError):
    exit_code = 3


class RequestError(ClaudexError):
    status = 400
    type = "invalid_request_error"
    openai_type = "invalid_request_error"


class BadRequest(RequestError):
    pass


class NotFound(RequestError):
    status = 404
    type = "not_found_error"


class MethodNotAllowed(RequestError):
    status = 405

    def __init__(self, message: str, *, allow: str) -> None:
        super().__init__(message)
        self.allow = allow


class Conflict(RequestError):
    status = 409


class BodyTimeout(RequestError):
    status = 408
    type = "timeout_error"


class BodyTooLarge(RequestError):
    status = 413
    type = "request_too_large"


class UnsupportedEncoding(RequestError):
    status = 415


class NotAuthenticated(RequestError):
    """The proxy token is wrong. Claude Code retries 401 for minutes, so the edge also sends `x-should-retry: false`."""

    status = 401
    type = "authentication_error"
    openai_type = "authentication_error"


class ForbiddenCaller(RequestError):
    status = 403
    type = "permission_error"
    openai_type = "permission_error"


class Stopping(ClaudexError):
    """The proxy is going down. Clients come again after 529, and by then its successor answers."""

    status = 529
    type = "overloaded_error"


class LoginError(ClaudexError):
    """403, not 401: Claude Code would retry a 401 for three minutes and then name the wrong login."""

    status = 403
    type = "permission_error"
    openai_type = "permission_error"
    exit_code = 5

    def __init__(self, message: str, *, hint: str = "Run `codex login`.") -> None:
        super().__init__(message, hint=hint)


class LoginMissing(LoginError):
    pass


class LoginDamaged(LoginError):
    pass


class LoginUnusable(LoginError):
    pass


class LoginRequired(LoginError):
    pass


class LoginBusy(LoginError):
    """Passes by itself, so the caller may try again and no login is asked for."""

    status = 503
    type = "api_error"
    openai_type = "server_error"
    exit_code = 1


class UpstreamError(ClaudexError):
    """ChatGPT, or the way to it, refused.

    `upstream_status` is the HTTP status received (200 for an error inside a stream, None when nothing came); `code` the
    backend's own error code; `retry_after` seconds; `upstream_id` the backend's request id; `url` the address tried.
    """

    status = 502
    exit_code = 6
    who: ClassVar[Who] = "ChatGPT"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        upstream_status: int | None = None,
        code: str | None = None,
        retry_after: float | None = None,
        upstream_id: str | None = None,
        url: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.upstream_status = upstream_status
        self.code = code
        self.retry_after = retry_after
        self.upstream_id = upstream_id
        self.url = url


class NetworkError(UpstreamError):
    who: ClassVar[Who] = "the network"


class UpstreamTimeout(UpstreamError):
    status = 504
    type = "timeout_error"
    who: ClassVar[Who] = "the network"


class StreamTruncated(UpstreamError):
    who: ClassVar[Who] = "the network"


class RateLimited(UpstreamError):
    status = 429
    type = "rate_limit_error"
    openai_type = "rate_limit_error"


class PlanLimit(RateLimited):
    """The account's window is used up. `resets_at` is unix seconds, if the backend said so."""

    def __init__(self, message: str, *, resets_at: float | None = None, **facts: object) -> None:
        super().__init__(message, **facts)  # type: ignore[arg-type]
        self.resets_at = resets_at


class Overloaded(UpstreamError):
    status = 529
    type = "overloaded_error"


class ContextOverflow(UpstreamError):
    """The edge words it as Claude Code understands it: `prompt is too long: N tokens > M maximum`."""

    status = 400
    type = "invalid_request_error"
    openai_type = "invalid_request_error"


class PolicyRefused(UpstreamError):
    status = 400
    type = "invalid_request_error"
    openai_type = "invalid_request_error"


class ModelUnavailable(UpstreamError):
    """Claude Code hides the text of a 404, so the edge answers 400 to it."""

    status = 404
    type = "not_found_error"
    openai_type = "invalid_request_error"


class InvalidUpstreamRequest(UpstreamError):
    status = 400
    type = "invalid_request_error"
    openai_type = "invalid_request_error"


class InvalidEncryptedContent(InvalidUpstreamRequest):
    pass


class UpstreamForbidden(UpstreamError):
    status = 403
    type = "permission_error"
    openai_type = "permission_error"


class UpstreamFailed(UpstreamError):
    pass
