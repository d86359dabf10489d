"""Request bodies: content encodings and JSON."""

import gzip
import importlib
import zlib
from typing import Any

import msgspec

from .refusal import Refusal, detail, invalid

SIZE_LIMIT = 512 * 1024 * 1024


def decompress(raw: bytes, encoding: str) -> bytes:
    """Undo `content-encoding` (the official client sends zstd). Raises Refusal."""
    try:
        match encoding.strip().lower():
            case "" | "identity":
                return raw
            case "gzip":
                return gzip.decompress(raw)
            case "zstd":
                return _unzstd(raw)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise detail("Bad Request", f"the body is no valid {encoding}: {error}") from error
    raise detail("Unsupported content encoding", f"`content-encoding` is {encoding!r}", 415)


def _unzstd(raw: bytes) -> bytes:
    try:
        return bytes(importlib.import_module("compression.zstd").decompress(raw))  # Python 3.14
    except ModuleNotFoundError:
        pass
    try:
        zstandard = importlib.import_module("zstandard")
    except ModuleNotFoundError as error:
        why = "the simulator needs the package `zstandard`, or Python 3.14, to read a zstd body"
        raise detail(why, why, 500) from error
    try:
        return bytes(zstandard.ZstdDecompressor().decompressobj().decompress(raw))
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error


def parse(data: bytes) -> dict[str, Any]:
    """The JSON object in `data`; lone surrogates, NaN and trailing text are refused, as by any strict parser."""
    try:
        body = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(str(error)) from error
    if not isinstance(body, dict):
        raise _unreadable("it is not an object")
    return body


def _unreadable(why: str) -> Refusal:
    message = "We could not parse the JSON body of your request."
    return Refusal(400, invalid(message).body, f"the body is not valid JSON: {why}")
