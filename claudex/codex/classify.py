"""What a refusal of the backend means.

Pure: a status with headers and body, or a decoded in-stream event, becomes one UpstreamError. The codes are those of
the Responses API and of the ChatGPT gateway as codex CLI 0.169.0 tells them apart. The bodies come in five styles:
`{"detail": text}`, `{"detail": {"code"}}`, `{"error": {...}}`, an HTML page, plain text; a page is never passed on.
"""

from collections.abc import Mapping
from typing import TypedDict
from urllib.parse import urlsplit

from .. import errors
from . import plausible, refusal
from .limits import Limits, from_headers
from .refusal import Refusal

OVERLOADS = ("server_is_overloaded", "slow_down", "flex_unavailable", "overloaded_error")
PLAN_CODES = ("usage_limit_reached", "usage_not_included", "insufficient_quota", "credit_balance_exhausted")
POLICY_CODES = ("invalid_prompt", "content_policy_violation", "content_filter", "safety_violation")
OVERFLOW_TEXTS = ("exceeds the context window", "maximum context length", "ran out of room in the model's context")
MODEL_TEXTS = ("model not found", "requires a newer version of codex", "is not supported when using codex")
ENCRYPTED_TEXTS = ("encrypted content", "items are not persisted when `store` is set to false")


class Facts(TypedDict, total=False):
    """What every UpstreamError takes beside its sentence."""

    hint: str
    upstream_status: int | None
    code: str | None
    retry_after: float | None
    upstream_id: str | None
    url: str | None


def from_response(
    status: int, headers: Mapping[str, str], body: bytes, *, url: str = "", now: float
) -> errors.UpstreamError:
    """The error behind a response that is not the stream that was asked for. `now` is unix seconds."""
    found = refusal.from_body(status, headers, body)
    facts = _facts(found, url, plausible.retry_after(_header(headers, "retry-after"), now))
    by_code = _by_code(found, facts, from_headers(headers, now), now)
    return by_code or _by_status(found, facts, from_headers(headers, now), headers, now)


def from_event(
    event: Mapping[str, object],
    *,
    url: str = "",
    upstream_id: str | None = None,
    now: float,
    headers: Mapping[str, str] | None = None,
) -> errors.UpstreamError | None:
    """The error that an `error`, `response.failed` or `response.incomplete` event stands for; None for any other.

    An answer that ended at its output limit (`max_output_tokens`) is a short answer, not an error.
    """
    kind = event.get("type")
    if kind == "response.incomplete":
        return _incomplete(event, url, upstream_id)
    if kind not in ("error", "response.failed"):
        return None
    found = refusal.from_event(event, upstream_id)
    facts = _facts(found, url, plausible.delay_in_text(found.message))
    limits = from_headers(headers or {}, now)
    if by_code := _by_code(found, facts, limits, now):
        return by_code
    if found.status and found.status != 200:  # some `error` events carry the status they would have had
        return _by_status(found, facts, limits, headers or {}, now)
    if found.code == "invalid_request_error" or (found.type == "invalid_request_error" and not found.code):
        return errors.InvalidUpstreamRequest(found.sentence("ChatGPT refused the request as invalid."), **facts)
    return errors.UpstreamFailed(found.sentence("ChatGPT failed while answering."), **facts)


def wrong_lane(error: errors.UpstreamError) -> bool:
    """The model, or a tool of the request, is not served on the lane that was used."""
    if isinstance(error, errors.ModelUnavailable):
        return error.upstream_status == 404
    text = error.message.lower()
    return isinstance(error, errors.InvalidUpstreamRequest) and "responses-lite" in text.replace("_", "-")


def _by_code(found: Refusal, facts: Facts, limits: Limits | None, now: float) -> errors.UpstreamError | None:
    code, text = found.code or found.type, found.message.lower()
    if found.has(*PLAN_CODES) or code.endswith("_spend_limit_exceeded"):
        return _plan_limit(found, facts, limits, now)
    if found.has("context_length_exceeded") or (found.status in (200, 400, 422) and _mentions(text, OVERFLOW_TEXTS)):
        return errors.ContextOverflow(found.sentence("The conversation is longer than the model's window."), **facts)
    if found.has("invalid_encrypted_content") or (found.status in (200, 400, 404) and _mentions(text, ENCRYPTED_TEXTS)):
        return errors.InvalidEncryptedContent(found.sentence("ChatGPT cannot read this reasoning."), **facts)
    if found.has(*POLICY_CODES) or code.endswith("_policy"):
        return errors.PolicyRefused(found.sentence("ChatGPT refused the request for its content."), **facts)
    if found.has("model_not_found") or (found.status in (200, 400, 404) and _mentions(text, MODEL_TEXTS)):
        return _model_unavailable(found, facts)
    if found.has("rate_limit_exceeded"):
        return errors.RateLimited(found.sentence("ChatGPT asks to slow down."), **facts)
    if found.has(*OVERLOADS):
        return errors.Overloaded(found.sentence("ChatGPT's model is at capacity."), **facts)
    return None


def _by_status(
    found: Refusal, facts: Facts, limits: Limits | None, headers: Mapping[str, str], now: float
) -> errors.UpstreamError:
    status = found.status
    if status == 401:
        return errors.UpstreamForbidden(
            found.sentence("ChatGPT did not accept the login."), **_hinted(facts, "Run `codex login`.")
        )
    if status in (402, 403):
        return _forbidden(found, facts, headers)
    if status == 404:
        return _not_found(found, facts)
    if status == 413:  # bytes, not tokens, but a shorter conversation mends it just the same
        return errors.ContextOverflow(found.sentence("The request is too large for ChatGPT."), **facts)
    if status == 429:
        if limits and (limits.reached or any(window.used_percent >= 100 for window in limits.windows)):
            return _plan_limit(found, facts, limits, now)
        return errors.RateLimited(found.sentence("ChatGPT asks to slow down."), **facts)
    if status == 200:
        return errors.UpstreamFailed(found.sentence("ChatGPT answered with something that is not a stream."), **facts)
    if status == 529:
        return errors.Overloaded(found.sentence("ChatGPT is overloaded."), **facts)
    if 300 <= status < 400:
        place = urlsplit(_header(headers, "location") or "").hostname or "another address"
        return errors.UpstreamFailed(
            f"ChatGPT redirected to {place}, which claudex does not follow with your login.", **facts
        )
    if 400 <= status < 500 and status not in (408, 409, 425):
        return errors.InvalidUpstreamRequest(found.sentence(f"ChatGPT refused the request ({status})."), **facts)
    return errors.UpstreamFailed(found.sentence(f"ChatGPT failed ({status})."), **facts)


def _plan_limit(found: Refusal, facts: Facts, limits: Limits | None, now: float) -> errors.PlanLimit:
    if found.has("usage_not_included"):
        message = found.sentence("This ChatGPT plan does not include Codex.")
        return errors.PlanLimit(message, **_hinted(facts, "Upgrade the plan."))
    window_s = found.window_minutes * 60 if found.window_minutes else None
    stated = found.resets_at if found.resets_at is not None else _later(now, found.resets_in)
    resets_at = plausible.plausible_reset(stated, window_s, now)
    if resets_at is None and limits:
        resets_at = max((w.resets_at for w in limits.windows if w.used_percent >= 100 and w.resets_at), default=None)
    if resets_at is not None and facts["retry_after"] is None:
        facts = facts.copy()
        facts["retry_after"] = max(resets_at - now, 0.0)
    plan = f" of the {found.plan} plan" if found.plan else ""
    return errors.PlanLimit(found.sentence(f"The usage limit{plan} has been reached."), resets_at=resets_at, **facts)


def _model_unavailable(found: Refusal, facts: Facts) -> errors.ModelUnavailable:
    newer = "requires a newer version" in found.message.lower()
    hint = "Update the codex CLI, or raise upstream.client_version in config.toml." if newer else ""
    return errors.ModelUnavailable(found.sentence("ChatGPT does not offer this model."), **_hinted(facts, hint))


def _forbidden(found: Refusal, facts: Facts, headers: Mapping[str, str]) -> errors.UpstreamForbidden:
    if found.is_page:
        ray = _header(headers, "cf-ray")
        message = f"Cloudflare blocked the request{f' (ray {ray})' if ray else ''}."
        hint = "Try again later, or from another network."
        return errors.UpstreamForbidden(message, **_hinted(facts, hint, code="cloudflare"))
    if found.has("deactivated_workspace"):
        hint = "Run `codex login` and choose another workspace."
        return errors.UpstreamForbidden("This ChatGPT workspace has been deactivated.", **_hinted(facts, hint))
    text = found.sentence("ChatGPT wants a payment first." if found.status == 402 else "ChatGPT refused access.")
    return errors.UpstreamForbidden(text, **facts)


def _not_found(found: Refusal, facts: Facts) -> errors.UpstreamError:
    """A bare 404 is about the address or the identity headers, never about the conversation."""
    if found.type == "invalid_request_error" and found.message:
        return errors.InvalidUpstreamRequest(found.message, **facts)
    hint = "Check the upstream URL (CLAUDEX_UPSTREAM, or upstream.url in config.toml)."
    where = f" at {facts['url']}" if facts["url"] else ""
    return errors.UpstreamFailed(f"ChatGPT knows nothing{where} (404).", **_hinted(facts, hint))


def _incomplete(event: Mapping[str, object], url: str, upstream_id: str | None) -> errors.UpstreamError | None:
    reason = refusal.incomplete_reason(event)
    facts = Facts(upstream_status=200, code=reason, url=url or None, upstream_id=upstream_id)
    if reason == "content_filter":
        return errors.PolicyRefused("ChatGPT's content filter stopped the answer.", **facts)
    if reason == "interrupted":
        return errors.StreamTruncated("ChatGPT interrupted the answer.", **facts)
    return None


def _facts(found: Refusal, url: str, retry_after: float | None) -> Facts:
    return Facts(
        upstream_status=found.status,
        code=found.code or found.type or None,
        retry_after=retry_after,
        upstream_id=found.upstream_id,
        url=url or None,
    )


def _hinted(facts: Facts, hint: str, code: str = "") -> Facts:
    changed = facts.copy()
    changed["hint"] = hint
    if code:
        changed["code"] = code
    return changed


def _mentions(text: str, phrases: tuple[str, ...]) -> bool:
    return any(phrase in text for phrase in phrases)


def _later(now: float, seconds: float | None) -> float | None:
    return None if seconds is None else now + seconds


def _header(headers: Mapping[str, str], name: str) -> str | None:
    if (value := headers.get(name)) is not None:
        return value
    return next((value for key, value in headers.items() if key.lower() == name), None)
