import json
import time
from pathlib import Path

import pytest

from claudex.translate import tokens
from claudex.translate.tokens import Calibration, estimate, split_blobs, text_tokens

ENGLISH = """It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in
want of a wife. However little known the feelings or views of such a man may be on his first entering a neighbourhood,
this truth is so well fixed in the minds of the surrounding families, that he is considered the rightful property of
some one or other of their daughters."""


def message(text: str) -> dict[str, object]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def body(*items: dict[str, object]) -> bytes:
    return json.dumps({"model": "m", "input": list(items)}, ensure_ascii=False, separators=(",", ":")).encode()


# Counts of o200k_base that are published or that follow from its rules.
@pytest.mark.parametrize(
    ("text", "counted", "slack"),
    [
        ("The quick brown fox jumps over the lazy dog.", 10, 1),
        ("Hello, world!", 4, 1),
        ("お誕生日おめでとう", 7, 1.5),
        (ENGLISH, 78, 10),
    ],
)
def test_known_texts_are_close(text: str, counted: int, slack: float) -> None:
    assert abs(text_tokens(text.encode()) - counted) <= slack


def test_source_code_lies_between_three_and_five_characters_a_token() -> None:
    source = Path(tokens.__file__).read_bytes()
    assert 3.0 <= len(source) / text_tokens(source) <= 5.0


def test_an_image_costs_a_constant_whatever_its_bytes() -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64," + "A" * 400_000}
    small = {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}
    assert abs(estimate(body(image)) - estimate(body(small))) < 5
    assert estimate(body(image)) >= tokens.IMAGE_TOKENS


def test_encrypted_reasoning_is_not_counted_as_text() -> None:
    item = {"type": "reasoning", "encrypted_content": "gAAAA" + "Qx9" * 8000, "summary": []}
    assert estimate(body(item)) < 24_000 / 6


def test_blobs_are_taken_out_whole() -> None:
    text = split_blobs(
        b'{"image_url":"data:image/png;base64,AAAA","file_data":"data:application/pdf;base64,BBBB","c":1}'
    ).text
    assert b"AAAA" not in text
    assert b"BBBB" not in text
    assert text.endswith(b'"c":1}')


def test_a_blob_that_never_ends_does_not_hang() -> None:
    assert split_blobs(b'{"image_url":"data:image/png;base64,AAAA').blob_tokens == tokens.IMAGE_TOKENS


def test_samples_agree_with_the_whole() -> None:
    source = Path(tokens.__file__).read_text() * 40
    whole = text_tokens(source.encode())
    assert abs(estimate(body(message(source))) - whole) < whole * 0.08


def test_two_hundred_thousand_tokens_take_less_than_twenty_milliseconds() -> None:
    source = Path(tokens.__file__).read_text()
    data = body(*[message(source) for _ in range(900_000 // len(source))])
    best = min(_timed(data) for _ in range(5))
    assert estimate(data) > 180_000
    assert best < 0.020


def _timed(data: bytes) -> float:
    began = time.perf_counter()
    estimate(data)
    return time.perf_counter() - began


def test_the_real_vocabulary_corrects_the_guess() -> None:
    data = body(message("word " * 2000))
    assert estimate(data, exact=lambda text: 2 * round(text_tokens(text.encode()))) == pytest.approx(
        2 * estimate(data), rel=0.02
    )


def test_calibration_follows_what_was_counted() -> None:
    calibration = Calibration()
    assert calibration.apply("m", 1000) == 1000
    assert calibration.learn("m", 1000, 1200)
    assert calibration.apply("m", 1000) == 1200
    for _ in range(40):
        calibration.learn("m", 1000, 1000)
    assert calibration.apply("m", 1000) == pytest.approx(1000, rel=0.01)
    assert calibration.apply("another", 1000) == 1000


def test_calibration_ignores_the_small_and_bounds_the_absurd() -> None:
    calibration = Calibration({"m": 900.0})
    assert calibration.ratios["m"] == 2.0
    assert not calibration.learn("m", 10, 500)
    calibration.learn("n", 1000, 1_000_000)
    assert calibration.ratios["n"] == 2.0
