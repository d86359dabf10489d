import json
import stat
from pathlib import Path

import pytest

from claudex import errors
from claudex.codex.sync import sync_auth

from .tokens import document, write_auth


def test_the_copy_has_what_is_needed_and_no_refresh_token(codex_home: Path, home: Path) -> None:
    write_auth(codex_home, document(expires_at=1_800_000_000))
    result = sync_auth(codex_home, home)
    path = home / "auth" / "codex-current.json"
    copy = json.loads(path.read_text())
    assert result.changed
    assert result.path == str(path)
    assert (copy["account_id"], copy["expires_at"], copy["plan"]) == ("acct-1", 1_800_000_000, "plus")
    assert copy["access_token"] == result.login.access_token
    assert "rt_1" not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_copy_that_is_up_to_date_is_left_alone(codex_home: Path, home: Path) -> None:
    write_auth(codex_home, document())
    sync_auth(codex_home, home)
    before = (home / "auth" / "codex-current.json").stat().st_ino
    assert not sync_auth(codex_home, home).changed
    assert (home / "auth" / "codex-current.json").stat().st_ino == before


@pytest.mark.parametrize("text", ["", "[]", "{", '{"access_token": 1}'])
def test_a_damaged_copy_is_replaced(codex_home: Path, home: Path, text: str) -> None:
    write_auth(codex_home, document())
    (home / "auth").mkdir()
    (home / "auth" / "codex-current.json").write_text(text)
    assert sync_auth(codex_home, home).changed


def test_a_damaged_source_leaves_the_copy_as_it_was(codex_home: Path, home: Path) -> None:
    write_auth(codex_home, document())
    sync_auth(codex_home, home)
    before = (home / "auth" / "codex-current.json").read_bytes()
    write_auth(codex_home, "{")
    with pytest.raises(errors.LoginDamaged):
        sync_auth(codex_home, home)
    assert (home / "auth" / "codex-current.json").read_bytes() == before
