"""Variable, then config.toml, then 8327."""

from pathlib import Path

import pytest

from claudex import paths
from claudex.errors import SettingsError
from claudex.home import config_text
from claudex.wrapper.port import port


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (None, 8327),
        ("", 8327),
        (config_text(), 8327),
        ("[proxy]\nport = 9000 # ours\n", 9000),
        ("[log]\nlevel = 'info'\n[proxy]\n\tport=9001", 9001),
        ("# port = 1\n[proxy]\n# port = 2\n", 8327),
        ("proxy.port = 9002\n", 9002),
        ("proxy = { port = 9003 }\n", 9003),
        ('[upstream]\nurl = "http://host:80/port"\n[proxy]\nport = 9004\n', 9004),
        ("[ proxy ]\nport = 9_005\n", 9005),
        ("[proxy]\r\nport = 9006\r\n", 9006),
    ],
)
def test_port_from_config(tmp_path: Path, config: str | None, expected: int) -> None:
    if config is not None:
        Path(paths.config(str(tmp_path))).write_bytes(config.encode())
    assert port(str(tmp_path), {}) == expected


def test_the_variable_wins(tmp_path: Path) -> None:
    Path(paths.config(str(tmp_path))).write_text("[proxy]\nport = 9000\n")
    assert port(str(tmp_path), {"CLAUDEX_PORT": "9100"}) == 9100


@pytest.mark.parametrize("text", ["0", "65536", "x", "-1", "8327 ", "٣٤", "1e3", "999999999999"])
def test_a_wrong_variable_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match="CLAUDEX_PORT"):
        port(str(tmp_path), {"CLAUDEX_PORT": text})


DEEP = "[ proxy ]\nport = " + "[" * 100_000
LONG = "[proxy]\nport = " + "9" * 5000


@pytest.mark.parametrize(
    "text", ["[proxy]\nport = 0", "[proxy]\nport = 'x'", "[proxy]\nport", "[proxy]\nport = 70000", DEEP, LONG]
)
def test_a_wrong_config_is_named(tmp_path: Path, text: str) -> None:
    config = Path(paths.config(str(tmp_path)))
    config.write_text(text)
    with pytest.raises(SettingsError, match=str(config)):
        port(str(tmp_path), {})
