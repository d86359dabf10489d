import json
import os
import stat
import time
from pathlib import Path

import pytest

from claudex import errors
from claudex.codex import authfile

from .tokens import document, write_auth


def test_an_absent_file_is_a_missing_login(codex_home: Path) -> None:
    with pytest.raises(errors.LoginMissing, match="does not exist"):
        authfile.load(codex_home)


@pytest.mark.parametrize("text", ["", "{", "[1]", "nul", "\x00", '{"tokens": "\\ud800"', "[" * 100_000])
def test_a_damaged_file_is_said_to_be_damaged(codex_home: Path, text: str) -> None:
    write_auth(codex_home, text)
    with pytest.raises(errors.LoginDamaged, match=r"auth\.json is damaged: it is not"):
        authfile.load(codex_home)


def test_a_file_that_is_no_utf8_is_damaged(codex_home: Path) -> None:
    (codex_home / "auth.json").write_bytes(b'{"a": "\xff\xfe"}')
    with pytest.raises(errors.LoginDamaged):
        authfile.load(codex_home)


def test_an_unreadable_file_is_not_taken_for_absent(codex_home: Path) -> None:
    (codex_home / "auth.json").mkdir()
    with pytest.raises(errors.LoginDamaged, match="cannot be read"):
        authfile.load(codex_home)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_is_not_taken_for_absent(codex_home: Path) -> None:
    write_auth(codex_home, document()).chmod(0)
    with pytest.raises(errors.LoginDamaged, match="Permission denied"):
        authfile.load(codex_home)


@pytest.mark.parametrize(("store", "words"), [("keyring", "system keyring"), ("ephemeral", "memory only")])
def test_a_login_kept_elsewhere_is_named_even_beside_a_file(codex_home: Path, store: str, words: str) -> None:
    (codex_home / "config.toml").write_text(f'cli_auth_credentials_store = "{store}"\n')
    write_auth(codex_home, document())
    with pytest.raises(errors.LoginUnusable, match=words) as raised:
        authfile.load(codex_home)
    assert 'cli_auth_credentials_store = "file"' in str(raised.value)


def test_in_auto_mode_an_absent_file_hints_at_the_keyring(codex_home: Path) -> None:
    (codex_home / "config.toml").write_text('cli_auth_credentials_store = "auto"\n')
    with pytest.raises(errors.LoginMissing, match="keyring"):
        authfile.load(codex_home)


def test_a_damaged_config_of_codex_means_its_default(codex_home: Path) -> None:
    (codex_home / "config.toml").write_text("][")
    write_auth(codex_home, document())
    assert authfile.load(codex_home).token("refresh_token") == "rt_1"


def test_replacing_tokens_keeps_every_other_key(codex_home: Path) -> None:
    original = document(extra={"deep": [1, 2.5, None]}, agent_identity=None)
    write_auth(codex_home, original)
    authfile.replace_tokens(authfile.load(codex_home), {"access_token": "new", "refresh_token": "rt_2"})
    written = json.loads((codex_home / "auth.json").read_text())
    assert written["extra"] == original["extra"]
    assert list(written)[: len(original)] == list(original)
    assert written["tokens"]["access_token"] == "new"
    assert written["tokens"]["id_token"] == original["tokens"]["id_token"]  # type: ignore[index]


def test_last_refresh_is_written_as_the_official_client_writes_it(codex_home: Path) -> None:
    write_auth(codex_home, document())
    authfile.replace_tokens(authfile.load(codex_home), {"access_token": "new"})
    file = authfile.load(codex_home)
    text = file.document["last_refresh"]
    assert isinstance(text, str)
    assert len(text) == len("2026-11-21T05:53:03.951524414Z")
    assert text[-1] == "Z"
    assert authfile.last_refresh(file) == pytest.approx(time.time(), abs=5)


def test_the_file_stays_private_and_a_symlink_stays_a_symlink(codex_home: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere.json"
    target.write_text(json.dumps(document()))
    (codex_home / "auth.json").symlink_to(target)
    authfile.replace_tokens(authfile.load(codex_home), {"access_token": "new"})
    assert (codex_home / "auth.json").is_symlink()
    assert json.loads(target.read_text())["tokens"]["access_token"] == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_only_old_leftovers_are_swept(codex_home: Path) -> None:
    old, new, other = (codex_home / name for name in (".auth.json-old", ".auth.json-new", ".auth-codex"))
    for left in (old, new, other):
        left.write_text("{}")
    os.utime(old, (1, 1))
    os.utime(other, (1, 1))
    authfile.sweep(codex_home)
    assert (old.exists(), new.exists(), other.exists()) == (False, True, True)


@pytest.mark.parametrize("value", [None, 5, "yesterday"])
def test_an_unreadable_last_refresh_is_unknown(codex_home: Path, value: object) -> None:
    write_auth(codex_home, document(last_refresh=value))
    assert authfile.last_refresh(authfile.load(codex_home)) is None
