"""The promise behind the benchmark, with room for a busy machine."""

from .bench_translate_events import measure


def test_whole_chunks_cost_less_than_half_a_json_round_trip() -> None:
    _, ratio = measure(65536)
    assert ratio < 0.5
