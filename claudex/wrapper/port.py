"""The proxy's port: CLAUDEX_PORT, else config.toml, else the default. Read without a TOML parser when it is plain."""

import os

from .. import paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..paths import Environ


def port(home: str, environ: "Environ" = os.environ) -> int:
    """Raises SettingsError when what stands there is no port."""
    if named := environ.get(paths.PORT_VARIABLE):
        return _number(named, paths.PORT_VARIABLE)
    config = paths.config(home)
    try:
        with open(config, "rb", 0) as file:
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return paths.DEFAULT_PORT
    except OSError as error:
        raise _settings_error(f"{config}: {error.strerror}") from error
    return _scan(lines, config)


def _scan(lines: list[bytes], config: str) -> int:
    section = b""
    for line in lines:
        line = line.strip()
        if line[:1] == b"[":
            section = line
        elif b"port" in line and line[:1] != b"#":
            name, _, value = line.partition(b"=")
            value = value.partition(b"#")[0].strip()
            if section != b"[proxy]" or name.strip() != b"port" or not value.isdigit():
                return _parse(config)
            return _number(value.decode(), f"{config}: port")
    return paths.DEFAULT_PORT


def _parse(config: str) -> int:
    """The whole of TOML, for a file that is not as plain as the one we write."""
    import tomllib

    try:
        with open(config, "rb") as file:
            proxy = tomllib.load(file).get("proxy", {})
    except (OSError, RecursionError, ValueError) as error:  # not UTF-8 and not TOML are ValueErrors
        raise _settings_error(f"{config}: {error}") from error
    found = proxy.get("port", paths.DEFAULT_PORT) if isinstance(proxy, dict) else proxy
    return _number(str(found) if isinstance(found, int) else repr(found), f"{config}: port")


def _number(text: str, where: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535:
        return int(text)
    raise _settings_error(f"{where}={text[:20]} is not a port (1 to 65535)")


def _settings_error(why: str) -> Exception:
    from ..errors import SettingsError

    return SettingsError(why)
