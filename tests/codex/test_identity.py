import json
from pathlib import Path

import msgspec
import pytest

from claudex.codex import identity
from claudex.codex.catalog import Catalog
from claudex.codex.login import Login
from claudex.settings import Settings, UpstreamSettings

LOGIN = Login("token", "acct-1", fedramp=False)
IDS = identity.SessionIds("session-1", "thread-1", "request-1")


def test_a_model_call_has_the_working_set_and_nothing_else(codex_home: Path) -> None:
    model = Catalog.embedded().models["gpt-6.1-sol"]
    sent = identity.headers(LOGIN, Settings(), codex_home, model=model, ids=IDS, lane="lite", turn_state="state")
    assert sorted(sent) == sorted(
        [
            "version",
            "x-codex-turn-state",
            "x-openai-internal-codex-responses-lite",
            "x-client-request-id",
            "session-id",
            "thread-id",
            "accept",
            "content-type",
            "authorization",
            "chatgpt-account-id",
            "originator",
            "user-agent",
        ]
    )
    assert sent["authorization"] == "Bearer token"
    assert sent["x-codex-turn-state"] == "state"


def test_the_full_lane_has_no_lite_header(codex_home: Path) -> None:
    assert identity.LITE_HEADER not in identity.headers(LOGIN, Settings(), codex_home, ids=IDS)


def test_fedramp_and_a_missing_account_change_the_headers(codex_home: Path) -> None:
    sent = identity.headers(Login("t", "", fedramp=True), Settings(), codex_home)
    assert sent["x-openai-fedramp"] == "true"
    assert "chatgpt-account-id" not in sent


def test_originator_and_user_agent_name_the_same_product(codex_home: Path) -> None:
    settings = Settings(upstream=UpstreamSettings(originator="codex_exec"))
    sent = identity.headers(LOGIN, settings, codex_home)
    assert sent["originator"] == "codex_exec"
    assert sent["user-agent"].startswith(f"codex_exec/{identity.KNOWN_GOOD_VERSION} (")
    assert sent["user-agent"].endswith(f"(codex_exec; {identity.KNOWN_GOOD_VERSION})")
    assert sent["user-agent"].isascii()


def test_a_newer_installed_codex_gives_its_version(codex_home: Path) -> None:
    (codex_home / "models_cache.json").write_text(json.dumps({"client_version": "0.201.3", "models": []}))
    assert identity.client_version(Settings(), codex_home) == "0.201.3"


@pytest.mark.parametrize("text", ["", "{", '{"client_version": 5}', '{"client_version": "a\\r\\nb"}', "{}"])
def test_a_damaged_note_of_codex_is_passed_over(codex_home: Path, text: str) -> None:
    (codex_home / "models_cache.json").write_text(text)
    assert identity.client_version(Settings(), codex_home) == identity.KNOWN_GOOD_VERSION


def test_an_older_installed_codex_does_not_lower_it(codex_home: Path) -> None:
    (codex_home / "models_cache.json").write_text('{"client_version": "0.99.0"}')
    assert identity.client_version(Settings(), codex_home) == identity.KNOWN_GOOD_VERSION


def test_a_model_may_ask_for_more(codex_home: Path) -> None:
    model = msgspec.structs.replace(Catalog.embedded().models["gpt-6.1-sol"], minimal_client_version="0.300.0")
    assert identity.headers(LOGIN, Settings(), codex_home, model=model)["version"] == "0.300.0"


def test_the_settings_win(codex_home: Path) -> None:
    settings = Settings(upstream=UpstreamSettings(client_version="0.1.0", user_agent="mine"))
    sent = identity.headers(LOGIN, settings, codex_home)
    assert (sent["version"], sent["user-agent"]) == ("0.1.0", "mine")
