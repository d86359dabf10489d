"""The decoder follows the WHATWG grammar at every split of the bytes, in linear time."""

import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudex.wire.sse import Decoder, EventTooLarge, encode

VECTORS = sorted((Path(__file__).parents[1] / "data" / "vectors").glob("*/*.sse"))


def decode(*chunks: bytes) -> list[bytes]:
    decoder = Decoder()
    return [payload for chunk in chunks for payload in decoder.feed(chunk)] + decoder.rest()


def by_the_letter(stream: bytes) -> list[bytes]:
    """The grammar, spelled out line by line."""
    stream = stream.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    payloads, data = [], []
    for line in [*stream.split(b"\n"), b""]:
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        if not line and data:
            payloads.append(b"\n".join(data))
            data = []
    return payloads


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_every_split_gives_the_same_payloads(path: Path) -> None:
    stream = path.read_bytes()
    whole = by_the_letter(stream)
    assert decode(stream) == whole
    step = max(1, len(stream) // 1500)
    assert all(decode(stream[:at], stream[at:]) == whole for at in range(0, len(stream), step))
    assert decode(*(stream[at : at + 1] for at in range(len(stream)))) == whole


LINE_ENDS = [b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n"]
LINES = [b"data: x", b"data:y", b"data", b"event: e", b": c", b"id: 7", b"retry: 1", b"", "data: ü€😀".encode()]
EVENTS = [b"event: e\ndata: {}\n\n", b"event: e\r\ndata: {}\r\n\r\n", b"\xef\xbb\xbf"]
PIECES = st.sampled_from([*LINE_ENDS, *LINES, *EVENTS])


@given(st.lists(PIECES, max_size=30), st.lists(st.integers(0, 200), max_size=8))
def test_any_lines_at_any_splits_follow_the_grammar(pieces: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(pieces)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    assert decode(*(stream[a:b] for a, b in pairwise(edges))) == by_the_letter(stream)


@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\r\n"])
def test_all_line_ends_count(line_end: bytes) -> None:
    stream = line_end.join([b"event: a", b"data: 1", b"data: 2", b"", b"data: 3", b"", b""])
    assert decode(stream) == [b"1\n2", b"3"]


def test_crlf_split_between_its_bytes_ends_one_line() -> None:
    assert decode(b"data: 1\r", b"\n\r", b"\ndata: 2\r\n\r\n") == [b"1", b"2"]


def test_an_event_is_given_as_soon_as_its_blank_line_is_there() -> None:
    decoder = Decoder()
    assert decoder.feed(b"data: 1\n") == []
    assert decoder.feed(b"\n") == [b"1"]


def test_a_byte_order_mark_is_no_data_even_in_pieces() -> None:
    assert decode(b"\xef", b"\xbb", b"\xbfdata: 1\n\n") == [b"1"]


def test_a_last_event_without_blank_line_is_in_the_rest() -> None:
    decoder = Decoder()
    assert decoder.feed(b"event: e\ndata: 1") == []
    assert decoder.rest() == [b"1"]
    assert decoder.rest() == []


def test_an_endless_event_is_refused() -> None:
    decoder = Decoder(limit=1000)
    decoder.feed(b"data: " + b"x" * 900)
    with pytest.raises(EventTooLarge):
        decoder.feed(b"x" * 100)


def test_encode_is_what_decode_reads() -> None:
    assert decode(encode("message_stop", b'{"type":"message_stop"}')) == [b'{"type":"message_stop"}']


def _seconds(stream: bytes, step: int) -> float:
    decoder = Decoder()
    start = time.process_time()
    for at in range(0, len(stream), step):
        decoder.feed(stream[at : at + step])
    return time.process_time() - start


def test_one_event_in_small_pieces_costs_linear_time() -> None:
    """Eight times the bytes may cost about eight times the time; a buffer scanned anew would cost sixty-four."""
    small = min(_seconds(b"data: " + b"x" * 250_000 + b"\n\n", 100) for _ in range(5))
    large = min(_seconds(b"data: " + b"x" * 2_000_000 + b"\n\n", 100) for _ in range(3))
    assert large < small * 24
