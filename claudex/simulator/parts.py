"""Content parts of messages and tool outputs."""

import base64
import binascii
import re
from typing import Any

from .refusal import Refusal, invalid, invalid_type, invalid_value, missing, unknown_parameter

_KEYS = {
    "input_text": {"type", "text"},
    "output_text": {"type", "text", "annotations", "logprobs"},
    "refusal": {"type", "refusal"},
    "input_image": {"type", "image_url", "file_id", "detail"},
    "input_file": {"type", "filename", "file_data"},
    "input_audio": {"type", "input_audio"},
    "encrypted_content": {"type", "encrypted_content"},
}
_BY_ROLE = {
    "user": ("input_text", "input_image", "input_file", "input_audio"),
    "developer": ("input_text",),
    "assistant": ("output_text", "refusal"),
    "output": ("input_text", "input_image", "input_file", "input_audio", "encrypted_content"),
}
_DATA_URL = re.compile(r"data:(?P<type>[a-z]+/[a-z0-9.+-]+);base64,(?P<data>[A-Za-z0-9+/]+={0,2})")
_MAGIC = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
}


def check_parts(parts: object, param: str, role: str) -> None:
    """`role` is the message's, or "output" for a tool's output."""
    if not isinstance(parts, list):
        raise invalid_type(param, "an array of content parts", parts)
    if not parts:
        raise invalid(f"Invalid '{param}': empty array. Expected an array with minimum length 1.", param, "empty_array")
    for index, part in enumerate(parts):
        here = f"{param}[{index}]"
        if not isinstance(part, dict):
            raise invalid_type(here, "an object", part)
        kind = part.get("type")
        if kind not in _BY_ROLE[role]:
            raise invalid_value(f"{here}.type", kind, " and ".join(f"'{name}'" for name in _BY_ROLE[role]))
        for key in part:
            if key not in _KEYS[kind]:
                raise unknown_parameter(f"{here}.{key}")
        _check_part(part, here, kind)


def _check_part(part: dict[str, Any], here: str, kind: str) -> None:
    if kind in ("input_text", "output_text"):
        _check_string(part, "text", here)
        for key in ("annotations", "logprobs"):
            if not isinstance(part.get(key, []), list):
                raise invalid_type(f"{here}.{key}", "an array", part[key])
    elif kind == "refusal":
        _check_string(part, "refusal", here)
    elif kind == "input_image":
        _check_image(part, here)
    elif kind == "input_file":
        _check_file(part, here)


def _check_string(part: dict[str, Any], key: str, here: str) -> None:
    if key not in part:
        raise missing(f"{here}.{key}")
    if not isinstance(part[key], str):
        raise invalid_type(f"{here}.{key}", "a string", part[key])


def _check_image(part: dict[str, Any], here: str) -> None:
    url = part.get("image_url")
    if part.get("detail", "auto") not in ("low", "high", "auto", "original"):
        raise invalid_value(f"{here}.detail", part["detail"], "'low', 'high', 'auto', and 'original'")
    if url is None and isinstance(part.get("file_id"), str):
        return
    if not isinstance(url, str):
        raise invalid_type(f"{here}.image_url", "an image URL", url)
    if url.startswith("https://"):
        return
    match = _DATA_URL.fullmatch(url)
    if match is None or match["type"] not in _MAGIC:
        raise _bad_image(here, "Expected a base64-encoded data URL with an image MIME type (png, jpeg, gif or webp).")
    if not _decode(match["data"], here).startswith(_MAGIC[match["type"]]):
        raise _bad_image(here, f"The image data you provided does not represent a valid image of type {match['type']}.")


def _check_file(part: dict[str, Any], here: str) -> None:
    _check_string(part, "filename", here)
    _check_string(part, "file_data", here)
    match = _DATA_URL.fullmatch(part["file_data"])
    if match is None or match["type"] != "application/pdf":
        raise invalid_value(f"{here}.file_data", part["file_data"][:40], "data:application/pdf;base64,…")
    _decode(match["data"], here)


def _decode(data: str, here: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        raise _bad_image(here, "The data is not valid base64.") from None


def _bad_image(here: str, why: str) -> Refusal:
    return invalid(f"Invalid '{here}.image_url'. {why}", f"{here}.image_url", "invalid_value")
