"""config.toml: whatever is wrong with it is one sentence that names the file."""

from pathlib import Path

import pytest

from claudex import settings
from claudex.errors import SettingsError


def test_absent_means_the_defaults(tmp_path: Path) -> None:
    assert settings.load(str(tmp_path), {}) == settings.Settings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"[prox", "end of a table declaration"),
        (b"[proxy]\nprot = 1", "prot"),
        (b"[proxy]\nport = '1'", "port"),
        (b"\xff", "not UTF-8: byte 0xff at 0"),
        (b"a = " + b"[" * 100_000, "nested too deep"),
        (b"[proxy]\nport = " + b"9" * 5000, "a number too long"),
    ],
)
def test_a_damaged_file_is_one_sentence(tmp_path: Path, text: bytes, said: str) -> None:
    (tmp_path / "config.toml").write_bytes(text)
    with pytest.raises(SettingsError, match=said) as caught:
        settings.load(str(tmp_path), {})
    assert str(tmp_path / "config.toml") in caught.value.message
    assert len(caught.value.message) < 400


def test_what_is_no_file_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(SettingsError, match=r"config\.toml: Is a directory$"):
        settings.load(str(tmp_path), {})


def test_an_address_ends_without_a_slash(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[upstream]\nurl = "http://a/b/"\n')
    assert settings.load(str(tmp_path), {}).upstream.url == "http://a/b"
    assert settings.load(str(tmp_path), {"CLAUDEX_UPSTREAM": "http://c//"}).upstream.url == "http://c"


@pytest.mark.parametrize("port", ["0", "65536", "x", "9" * 5000])
def test_a_wrong_port_is_named(tmp_path: Path, port: str) -> None:
    with pytest.raises(SettingsError, match=r"CLAUDEX_PORT=.* is not a port") as caught:
        settings.load(str(tmp_path), {"CLAUDEX_PORT": port})
    assert len(caught.value.message) < 100
