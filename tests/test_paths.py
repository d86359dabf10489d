"""Where things are, in odd environments too."""

import os

import pytest

from claudex import paths
from claudex.errors import ClaudexError


def test_the_home_by_default_and_by_name() -> None:
    assert paths.home({"HOME": "/h"}) == "/h/.local/share/claudex-gateway"
    assert paths.home({"HOME": "/h", "XDG_DATA_HOME": "/x"}) == "/x/claudex-gateway"
    assert paths.home({"HOME": "/h", "CLAUDEX_GATEWAY_HOME": "~/mine"}) == "/h/mine"
    assert paths.home({"HOME": "/h", "CLAUDEX_GATEWAY_HOME": "mine"}) == os.path.abspath("mine")


def test_a_relative_xdg_directory_is_ignored() -> None:
    assert paths.home({"HOME": "/h", "XDG_DATA_HOME": "x"}) == "/h/.local/share/claudex-gateway"


def test_without_a_home_nothing_is_made_in_the_working_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "~")
    with pytest.raises(ClaudexError, match="HOME is unset or relative"):
        paths.home({})
    assert paths.home({"CLAUDEX_GATEWAY_HOME": "/g"}) == "/g"


def test_codex_home_is_absolute() -> None:
    assert paths.codex_home({"HOME": "/h"}) == "/h/.codex"
    assert paths.codex_home({"CODEX_HOME": "c"}) == os.path.abspath("c")
