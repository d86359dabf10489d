import json
import stat
from pathlib import Path

import pytest

from claudex import errors
from claudex.codex.catalog import Catalog, parse
from claudex.codex.credentials import Credentials
from claudex.codex.http import Transport
from claudex.settings import Settings
from claudex.simulator import Simulator

from .conftest import with_settings


def test_the_embedded_catalog_is_complete_and_in_order() -> None:
    catalog = Catalog.embedded()
    assert catalog.source == "embedded"
    assert next(iter(catalog.models)) == "gpt-6.1-sol"
    assert len(catalog.models) == 12
    assert catalog.models["gpt-5.5"].lane == "full"
    assert catalog.models["gpt-6.1-sol"].efforts == ["low", "medium", "high", "xhigh", "max"]


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"models": []}', '{"models": [{"slug": 5}]}', '{"models": 3}'])
def test_without_a_usable_cache_the_embedded_one_serves(home: Path, text: str | None) -> None:
    if text is not None:
        (home / "models.json").write_text(text)
    assert Catalog.load(home).source == "embedded"


def test_unknown_and_wrong_fields_cost_nothing_but_themselves() -> None:
    good = {"slug": "m", "context_window": 1000, "new_field": {"x": 1}, "priority": "high", "description": None}
    models = parse([good, "rubbish", None, {"slug": ""}, {"no": "slug"}, {"slug": "n", "service_tiers": "none"}])
    assert list(models) == ["m", "n"]
    assert (models["m"].context_window, models["m"].priority) == (1000, 100)


def test_levels_may_be_objects() -> None:
    levels = [{"effort": "high", "description": "d"}, {"effort": "low"}, "ultra"]
    assert parse([{"slug": "m", "supported_reasoning_levels": levels}])["m"].efforts == ["low", "high"]


async def test_the_live_catalog_is_fetched_and_kept_for_the_next_start(
    sim: Simulator, settings: Settings, http: Transport, credentials: Credentials, codex_home: Path, home: Path
) -> None:
    sim.login(codex_home)
    catalog = Catalog.load(home)
    await catalog.refresh(http, await credentials.current(), settings, codex_home)
    assert catalog.source == "live"
    assert catalog.etag
    again = Catalog.load(home)
    assert again.source == "cache"
    assert again.models == catalog.models
    assert again.etag == catalog.etag
    assert stat.S_IMODE((home / "models.json").stat().st_mode) == 0o600
    assert sim.violations == []


async def test_a_failed_fetch_changes_nothing(
    sim: Simulator, settings: Settings, http: Transport, credentials: Credentials, codex_home: Path, home: Path
) -> None:
    sim.login(codex_home)
    catalog = Catalog.load(home)
    wrong = with_settings(settings, url=f"{sim.origin}/nowhere")
    with pytest.raises(errors.UpstreamError):
        await catalog.refresh(http, await credentials.current(), wrong, codex_home)
    assert catalog.source == "embedded"
    assert not (home / "models.json").exists()


def test_each_new_tag_asks_for_one_refetch() -> None:
    catalog = Catalog.embedded()
    catalog.etag = "one"
    assert not catalog.outdated_by("")
    assert not catalog.outdated_by('W/"one"')
    assert catalog.outdated_by('"two"')
    assert not catalog.outdated_by('"two"')
    assert catalog.outdated_by("three")


def test_the_cache_is_json_that_others_can_read(home: Path) -> None:
    catalog = Catalog.embedded(home)
    catalog._store("0.169.0")
    assert json.loads((home / "models.json").read_text())["client_version"] == "0.169.0"
