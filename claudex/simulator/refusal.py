"""What the backend says when it refuses, and what the simulator notes about it.

Two body styles, as clients of the real backend saw them: `{"detail": …}` from the gateway in front of it,
`{"error": {"message", "type", "param", "code"}}` from the Responses API behind it.
"""

from dataclasses import dataclass, field


@dataclass(eq=False)
class Refusal(Exception):
    """`why` is one sentence for `Simulator.violations`; empty when it is nobody's mistake (an expired token)."""

    status: int
    body: object
    why: str
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.status}: {self.why or self.body}"


def detail(message: object, why: str = "", status: int = 400) -> Refusal:
    return Refusal(status, {"detail": message}, why or str(message))


def unsupported(name: str) -> Refusal:
    return detail(
        f"Unsupported parameter: {name}", f"the body carries `{name}`, which this backend refuses by presence"
    )


def invalid(message: str, param: str | None = None, code: str | None = None, *, status: int = 400) -> Refusal:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return Refusal(status, {"error": error}, f"{param}: {message}" if param else message)


def invalid_type(param: str, expected: str, value: object) -> Refusal:
    got = _json_name(value)
    return invalid(f"Invalid type for '{param}': expected {expected}, but got {got} instead.", param, "invalid_type")


def invalid_value(param: str, value: object, supported: object) -> Refusal:
    return invalid(f"Invalid value: '{value}'. Supported values are: {supported}.", param, "invalid_value")


def unknown_parameter(param: str) -> Refusal:
    return invalid(f"Unknown parameter: '{param}'.", param, "unknown_parameter")


def missing(param: str) -> Refusal:
    return invalid(f"Missing required parameter: '{param}'.", param, "missing_required_parameter")


def too_long(param: str, limit: int, length: int) -> Refusal:
    message = (
        f"Invalid '{param}': string too long. Expected a string with maximum length {limit}, "
        f"but got a string with length {length} instead."
    )
    return invalid(message, param, "string_above_max_length")


def model_not_found(model: str, why: str) -> Refusal:
    """Also what a wrong client identity gets (seen live by other clients in 2026-07)."""
    error = {
        "message": f"Model not found {model}",
        "type": "invalid_request_error",
        "param": "model",
        "code": None,
    }
    return Refusal(404, {"error": error}, why)


def lite(message: str, param: str) -> Refusal:
    """The Lite lane's own refusals; clients recognise them by the header's name."""
    text = f"X-OpenAI-Internal-Codex-Responses-Lite {message}"
    return invalid(text, param, "unsupported_value")


def _json_name(value: object) -> str:
    names: list[tuple[type | tuple[type, ...], str]] = [
        (bool, "a boolean"),
        (str, "a string"),
        ((int, float), "a number"),
        (list, "an array"),
        (dict, "an object"),
    ]
    return next((name for kind, name in names if isinstance(value, kind)), "null")
