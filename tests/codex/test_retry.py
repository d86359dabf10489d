import random

import pytest

from claudex import errors
from claudex.codex.retry import Retries

BUSY = errors.Overloaded("busy")


def test_the_delays_double_with_little_jitter_and_end() -> None:
    retries = Retries(3, random.Random(1))
    delays = [retries.delay(BUSY) for _ in range(4)]
    assert delays[3] is None
    assert delays[:3] == [pytest.approx(base, rel=0.101) for base in (0.2, 0.4, 0.8)]


def test_a_delay_that_the_backend_asks_for_is_kept() -> None:
    assert Retries(3).delay(errors.RateLimited("slow", retry_after=2.0)) == 2.0


def test_a_delay_that_is_too_long_is_left_to_the_caller() -> None:
    assert Retries(3).delay(errors.RateLimited("slow", retry_after=3600.0)) is None


@pytest.mark.parametrize(
    "error",
    [
        errors.PlanLimit("used up", retry_after=1.0),
        errors.ContextOverflow("long"),
        errors.PolicyRefused("no"),
        errors.InvalidUpstreamRequest("bad"),
        errors.ModelUnavailable("none"),
        errors.UpstreamForbidden("no"),
        errors.UpstreamTimeout("silent"),
        errors.UpstreamFailed("404", upstream_status=404),
        errors.UpstreamFailed("302", upstream_status=302),
        errors.NetworkError("tls", code="untrusted_certificate"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_would_fail_again_is_not_tried_again(error: errors.UpstreamError) -> None:
    assert Retries(3).delay(error) is None


@pytest.mark.parametrize(
    "error",
    [
        BUSY,
        errors.RateLimited("slow"),
        errors.NetworkError("reset"),
        errors.StreamTruncated("cut"),
        errors.UpstreamFailed("500", upstream_status=500),
        errors.UpstreamFailed("in stream", upstream_status=200),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_passes_is_tried_again(error: errors.UpstreamError) -> None:
    assert Retries(1).delay(error) is not None


def test_a_connection_that_cannot_be_made_in_time_is_tried_twice_in_all() -> None:
    retries = Retries(5)
    error = errors.NetworkError("slow", code="connect_timeout")
    assert retries.delay(error) is not None
    assert retries.delay(error) is None
