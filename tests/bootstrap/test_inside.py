"""Taking over the settings of an older stack."""

import os
from pathlib import Path

import pytest

from bootstrap.steps import inside
from claudex import home, paths

OLD = """\
#!/usr/bin/env bash
source "$(dirname "$0")/common.sh"
export ANTHROPIC_BASE_URL="http://127.0.0.1:8327"
export ANTHROPIC_AUTH_TOKEN=sk-local
export ANTHROPIC_DEFAULT_OPUS_MODEL="${ANTHROPIC_DEFAULT_OPUS_MODEL:-gpt-6.1-sol(max)}"
export ANTHROPIC_DEFAULT_SONNET_MODEL='gpt-5.4(high)'
ANTHROPIC_DEFAULT_HAIKU_MODEL=$(pick_one)
"""


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    home.prepare(str(tmp_path / "home"))
    return tmp_path / "home"


def test_plain_assignments_are_read_and_shell_is_passed_over() -> None:
    assert inside.assignments(OLD) == {
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:8327",
        "ANTHROPIC_AUTH_TOKEN": "sk-local",
        "ANTHROPIC_DEFAULT_OPUS_MODEL": "gpt-6.1-sol(max)",
        "ANTHROPIC_DEFAULT_SONNET_MODEL": "gpt-5.4(high)",
    }


def test_models_that_are_still_known_are_carried_over(ours: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.env"
    old.write_text(OLD)
    token = (ours / "auth" / "proxy-token").read_text().strip()
    answer = inside.carry(str(ours), str(old))
    text = (ours / paths.ENV_FILE_NAME).read_text()
    assert answer == {
        "carried": {"ANTHROPIC_DEFAULT_OPUS_MODEL": "gpt-6.1-sol(max)"},
        "left": {"ANTHROPIC_DEFAULT_SONNET_MODEL": "gpt-5.4(high)"},
    }
    assert "gpt-6.1-sol(max)" in text
    assert "gpt-5.4" not in text
    assert token in text
    assert old.read_text() == OLD


def test_the_env_file_stays_private(ours: Path, tmp_path: Path) -> None:
    (tmp_path / "old.env").write_text(OLD)
    inside.carry(str(ours), str(tmp_path / "old.env"))
    assert os.stat(ours / paths.ENV_FILE_NAME).st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("token", "fits"), [("ours", True), ("sk-local", False)])
def test_an_older_env_file_fits_when_it_names_our_token(ours: Path, token: str, fits: bool) -> None:
    value = (ours / "auth" / "proxy-token").read_text().strip() if token == "ours" else token
    (ours / paths.LEGACY_ENV_FILE_NAME).write_text(f"export ANTHROPIC_AUTH_TOKEN='{value}'\n")
    assert inside.fits(str(ours)) is fits
