"""config.toml, typed. An environment variable wins over the file, the file over the default."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from . import paths
from .errors import SettingsError

Seconds = Annotated[float, Meta(gt=0)]
Megabytes = Annotated[int, Meta(ge=1)]


class ProxySettings(Struct, frozen=True, forbid_unknown_fields=True):
    port: Annotated[int, Meta(ge=1, le=65535)] = paths.DEFAULT_PORT
    body_limit_mb: Megabytes = 64
    commit_wait_s: Annotated[float, Meta(ge=0)] = 8.0
    keepalive_s: Seconds = 10.0
    drain_s: Seconds = 30.0
    strict: bool = False
    trim_images_over_mb: Megabytes = 24


class UpstreamSettings(Struct, frozen=True, forbid_unknown_fields=True):
    url: str = paths.DEFAULT_UPSTREAM
    client_version: str = ""
    originator: str = "codex_cli_rs"
    user_agent: str = ""
    lane: Literal["auto", "full", "lite"] = "auto"
    summary: Literal["auto", "concise", "detailed", "none"] = "auto"
    verbosity: Literal["auto", "low", "medium", "high"] = "auto"
    service_tier: Literal["", "priority", "flex"] = ""
    connect_timeout_s: Seconds = 15.0
    # A model may think for 20 minutes and say nothing; that a connection has died is noticed by TCP probes instead.
    idle_timeout_s: Seconds = 1200.0
    total_timeout_s: Seconds = 3600.0
    retries: Annotated[int, Meta(ge=0, le=10)] = 3


class ModelSettings(Struct, frozen=True, forbid_unknown_fields=True):
    effort_policy: Literal["auto", "slot", "client"] = "auto"
    aliases: dict[str, str] = field(default_factory=dict)


class AuthSettings(Struct, frozen=True, forbid_unknown_fields=True):
    token_url: str = paths.DEFAULT_TOKEN_URL
    refresh_early_s: Seconds = 300.0
    refresh_timeout_s: Seconds = 20.0


class LogSettings(Struct, frozen=True, forbid_unknown_fields=True):
    level: Literal["debug", "info", "warning", "error"] = "info"
    max_mb: Megabytes = 10
    keep: Annotated[int, Meta(ge=0, le=100)] = 5


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    proxy: ProxySettings = field(default_factory=ProxySettings)
    upstream: UpstreamSettings = field(default_factory=UpstreamSettings)
    models: ModelSettings = field(default_factory=ModelSettings)
    auth: AuthSettings = field(default_factory=AuthSettings)
    log: LogSettings = field(default_factory=LogSettings)


def load(home: str, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read `<home>/config.toml` (absent means defaults) and lay the environment over it.

    Raises SettingsError with the file and the offending key.
    """
    path = paths.config(home)
    return _overlay(_read(path), environ)


def _read(path: str) -> Settings:
    try:
        document = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8: byte {error.object[error.start]:#04x} at {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: {error}") from error
    except (RecursionError, ValueError) as error:  # brackets without end, a number of thousands of digits
        raise SettingsError(f"{path}: nested too deep, or a number too long") from error
    try:
        return msgspec.convert(document, Settings)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path}: {error}") from error


def _overlay(settings: Settings, environ: Mapping[str, str]) -> Settings:
    proxy, upstream, auth = settings.proxy, settings.upstream, settings.auth
    if port := environ.get(paths.PORT_VARIABLE):
        proxy = msgspec.structs.replace(proxy, port=_port(port))
    base = environ.get(paths.UPSTREAM_VARIABLE) or upstream.url
    upstream = msgspec.structs.replace(upstream, url=base.rstrip("/"))
    if url := environ.get(paths.TOKEN_URL_VARIABLE):
        auth = msgspec.structs.replace(auth, token_url=url)
    return msgspec.structs.replace(settings, proxy=proxy, upstream=upstream, auth=auth)


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535:
        return int(text)
    raise SettingsError(f"{paths.PORT_VARIABLE}={text[:20]!r} is not a port (1 to 65535)")
