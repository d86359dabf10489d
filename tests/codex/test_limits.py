import pytest

from claudex.codex import limits
from claudex.codex.plausible import plausible_reset

NOW = 1_795_240_000.0


def header(rank: str, used: str, minutes: str, reset: float, family: str = "codex") -> dict[str, str]:
    stem = f"X-{family}-{rank}"
    return {f"{stem}-Used-Percent": used, f"{stem}-Window-Minutes": minutes, f"{stem}-Reset-At": str(reset)}


def test_windows_are_named_by_their_length_not_their_rank() -> None:
    headers = header("primary", "12.5", "10080", NOW + 1000) | header("secondary", "80", "300", NOW + 100)
    found = limits.from_headers(headers, NOW)
    assert found is not None
    assert [(w.name, w.used_percent, w.resets_at) for w in found.windows] == [
        ("5h", 80.0, NOW + 100),
        ("weekly", 12.5, NOW + 1000),
    ]


@pytest.mark.parametrize(
    ("minutes", "name"), [(300, "5h"), (10080, "weekly"), (1440, "daily"), (2880, "2d"), (120, "2h"), (90, "90min")]
)
def test_other_lengths_get_a_computed_name(minutes: int, name: str) -> None:
    assert limits.window_name(minutes) == name


def test_a_further_limit_has_its_own_family_and_name() -> None:
    headers = header("primary", "5", "300", NOW + 60, "codex-bengalfox") | {"x-codex-bengalfox-limit-name": "Spark"}
    found = limits.from_headers(headers, NOW)
    assert found is not None
    assert [window.name for window in found.windows] == ["Spark 5h"]


def test_plan_credits_and_what_was_reached_are_read() -> None:
    headers = {
        "x-codex-plan-type": "plus",
        "x-codex-credits-has-credits": "true",
        "x-codex-credits-unlimited": "0",
        "x-codex-credits-balance": "12.3",
        "x-codex-rate-limit-reached-type": "rate_limit_reached",
    }
    found = limits.from_headers(headers, NOW)
    assert found is not None
    assert (found.plan, found.reached) == ("plus", "rate_limit_reached")
    assert found.credits == limits.Credits(True, False, "12.3")


def test_other_headers_say_nothing_of_limits() -> None:
    assert limits.from_headers({"content-type": "text/event-stream", "x-request-id": "1"}, NOW) is None


@pytest.mark.parametrize("value", ["", "much", "nan", "inf"])
def test_an_unreadable_percentage_is_no_window(value: str) -> None:
    assert limits.from_headers(header("primary", value, "300", NOW), NOW) is None


def test_the_event_counts_in_minutes() -> None:
    window = {"used_percent": 42, "window_minutes": 300, "reset_after_seconds": 7000, "reset_at": NOW + 7000}
    event = {
        "type": "codex.rate_limits",
        "plan_type": "pro",
        "rate_limits": {"allowed": True, "primary": window, "secondary": None},
        "credits": None,
    }
    found = limits.from_event(event, NOW)
    assert found is not None
    assert found.plan == "pro"
    assert found.windows == (limits.Window("5h", 42.0, 300, NOW + 7000),)
    assert limits.from_event({"type": "keepalive"}, NOW) is None


def test_usage_counts_in_seconds() -> None:
    week = {"used_percent": 12, "limit_window_seconds": 604_800, "reset_after_seconds": 5, "reset_at": NOW + 5}
    spark = {"limit_name": "Spark", "metered_feature": "codex_bengalfox", "rate_limit": {"primary_window": week}}
    document = {
        "plan_type": "plus",
        "rate_limit": {"primary_window": {**week, "limit_window_seconds": 18_000}, "secondary_window": None},
        "additional_rate_limits": [spark, "rubbish"],
        "credits": {"has_credits": False, "unlimited": False, "balance": "0"},
    }
    found = limits.from_usage(document, NOW)
    assert [(w.name, w.minutes) for w in found.windows] == [("5h", 300), ("Spark weekly", 10_080)]


@pytest.mark.parametrize("document", [None, [], "x", {"rate_limit": 3}, {"additional_rate_limits": {}, "credits": 1}])
def test_unreadable_usage_counts_as_not_said(document: object) -> None:
    assert limits.from_usage(document, NOW).windows == ()


@pytest.mark.parametrize("reset", [NOW + 9e8, NOW - 9e8, float("nan"), NOW + 300 * 60 + 3600])
def test_an_implausible_reset_is_refused(reset: float) -> None:
    assert plausible_reset(reset, 300 * 60, NOW) is None


def test_headers_do_not_erase_what_only_usage_tells() -> None:
    spark = limits.Window("Spark 5h", 1.0, 300, None, "Spark")
    older = limits.Limits("plus", (limits.Window("5h", 1.0, 300, None), spark), None, "", NOW)
    newer = limits.Limits("", (limits.Window("5h", 2.0, 300, None),), None, "", NOW + 1)
    merged = limits.merge(older, newer)
    assert merged.plan == "plus"
    assert [window.used_percent for window in merged.windows] == [2.0, 1.0]
