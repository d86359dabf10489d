import pytest

from claudex.translate import models
from claudex.translate.models import Choice, clamp, family, model_map, parse_name, resolve
from claudex.wire.catalog import ModelInfo

from .messages.support import CATALOG, MAP


@pytest.mark.parametrize(
    ("name", "model", "effort"),
    [
        ("gpt-6.1-sol", "gpt-6.1-sol", None),
        ("gpt-6.1-sol(high)", "gpt-6.1-sol", "high"),
        ("gpt-6.1-sol( XHigh )", "gpt-6.1-sol", "xhigh"),
        ("gpt-6.1-sol-high", "gpt-6.1-sol", "high"),
        ("gpt-6.1-sol-max", "gpt-6.1-sol", "max"),
        ("gpt-6.1-sol-xhigh[1m]", "gpt-6.1-sol", "xhigh"),
        ("gpt-6.1-sol(low)[1M]", "gpt-6.1-sol", "low"),
        ("gpt-6.1-sol[1m](low)", "gpt-6.1-sol", "low"),
        ("codex/gpt-6.1-sol", "gpt-6.1-sol", None),
        ("anthropic/gpt-6.1-sol", "gpt-6.1-sol", None),
        ("gpt-9-codex-max", "gpt-9-codex-max", None),
        ("gpt-9-low", "gpt-9", "low"),
        (" gpt-6.1-sol ", "gpt-6.1-sol", None),
    ],
)
def test_every_form_of_a_name_is_understood(name: str, model: str, effort: str | None) -> None:
    assert parse_name(name, CATALOG) == Choice(model, effort)


def test_a_known_name_that_ends_like_an_effort_is_whole() -> None:
    assert parse_name("gpt-9-high", {"gpt-9-high"}) == Choice("gpt-9-high")


def test_the_map_comes_from_the_variables_that_are_set() -> None:
    env = {"ANTHROPIC_DEFAULT_OPUS_MODEL": "gpt-6.1-sol(xhigh)", "ANTHROPIC_DEFAULT_HAIKU_MODEL": " "}
    assert model_map(env) == {"opus": Choice("gpt-6.1-sol", "xhigh")}


@pytest.mark.parametrize(
    ("name", "slot"),
    [
        ("claude-opus-4-8", "opus"),
        ("claude-opus-5-5[1m]", "opus"),
        ("claude-3-5-haiku-20241022", "haiku"),
        ("us.anthropic.claude-sonnet-5-v1:0", "sonnet"),
        ("claude-fable-5", "sonnet"),
        ("opus", "opus"),
        ("gpt-6.1-sol", None),
        ("claude-gpt-6.1-sol", None),
    ],
)
def test_a_claude_name_belongs_to_a_family(name: str, slot: str | None) -> None:
    assert family(name, CATALOG) == slot


@pytest.mark.parametrize(
    ("requested", "slug"),
    [
        ("claude-opus-4-8", "gpt-6.1-sol"),
        ("claude-sonnet-5", "gpt-5.5"),
        ("claude-haiku-4-5-20251001", "gpt-6-luna"),
        ("claude-gpt-6-astra", "gpt-6-astra"),
        ("codex-5", "gpt-6.1-sol"),
        ("codex-5-low", "gpt-6.1-sol"),
        ("gpt-77", "gpt-77"),
    ],
)
def test_every_name_finds_a_model(requested: str, slug: str) -> None:
    assert resolve(requested, None, MAP, CATALOG).slug == slug


def test_an_unknown_name_is_passed_on_with_a_note() -> None:
    target = resolve("gpt-77", "high", MAP, CATALOG)
    assert target.info == ModelInfo(slug="gpt-77")
    assert "gpt-77" in target.note
    assert target.effort == "high"


def test_an_alias_of_the_settings_comes_first() -> None:
    target = resolve("fast-medium", None, MAP, CATALOG, aliases={"fast": "gpt-6-luna(low)"})
    assert (target.slug, target.effort) == ("gpt-6-luna", "medium")
    assert resolve("fast", None, MAP, CATALOG, aliases={"fast": "gpt-6-luna(low)"}).effort == "low"


def test_a_slot_may_name_an_alias() -> None:
    mapped: models.ModelMap = {"opus": Choice("fast")}
    assert resolve("opus", None, mapped, CATALOG, aliases={"fast": "gpt-6-luna"}).slug == "gpt-6-luna"


def test_without_a_map_the_best_listed_model_answers() -> None:
    assert resolve("claude-opus-5-5", None, {}, CATALOG).slug == "gpt-6.1-sol"
    assert resolve("claude-opus-5-5", None, {}, {}).slug


def test_a_missing_slot_takes_its_neighbour() -> None:
    assert resolve("haiku", None, {"sonnet": Choice("gpt-5.5")}, CATALOG).slug == "gpt-5.5"


@pytest.mark.parametrize(
    ("policy", "client", "requested", "effort"),
    [
        ("auto", "high", "opus", "xhigh"),
        ("auto", "low", "opus", "low"),
        ("auto", "max", "opus", "max"),
        ("auto", None, "opus", "xhigh"),
        ("auto", "high", "gpt-6.1-sol", "high"),
        ("auto", "high", "gpt-6.1-sol(medium)", "medium"),
        ("auto", None, "gpt-6.1-sol", "low"),
        ("slot", "low", "opus", "xhigh"),
        ("slot", "medium", "gpt-6.1-sol", "medium"),
        ("client", "high", "opus", "high"),
        ("client", None, "opus", "xhigh"),
        ("auto", "bogus", "gpt-5.5", "medium"),
    ],
)
def test_the_policy_says_whose_effort_counts(policy: str, client: str | None, requested: str, effort: str) -> None:
    assert resolve(requested, client, MAP, CATALOG, policy=policy).effort == effort


@pytest.mark.parametrize(
    ("effort", "offered", "sent"),
    [
        ("max", ["low", "medium", "high", "xhigh"], "xhigh"),
        ("ultra", ["low", "medium", "high", "xhigh", "max", "ultra"], "xhigh"),
        ("minimal", ["low", "medium"], "low"),
        ("low", ["medium", "high"], "medium"),
        ("none", ["low"], "none"),
        ("max", [], "max"),
        (None, ["low"], None),
    ],
)
def test_an_effort_is_clamped_to_what_the_model_offers(
    effort: str | None, offered: list[str], sent: str | None
) -> None:
    assert clamp(effort, ModelInfo(slug="x", supported_reasoning_levels=list(offered))) == sent
