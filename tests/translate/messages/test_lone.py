"""One delta a chunk has a way of its own, which must give what the long way gives."""

import json

import pytest

from claudex.translate.messages.events import MessageStream

from .playbook import Event, added, call, completed, message, play_bytes, reasoning, sse, stream_for, text_delta

ANSWER = [
    *reasoning(0, "Look", " here", "and there"),
    *message(1, "Hel", "lo", ' "wörld"\n', phase="commentary"),
    *call(2, "Bash", '{"command":', '"ls"}'),
    *message(3, "", "end"),
    completed(),
]


def framed(event: Event, frame: bytes = b"event: %b\ndata: %b\n\n") -> bytes:
    return frame % (event["type"].encode(), json.dumps(event).encode())


def lone(message: MessageStream) -> list[bytes]:
    """What the short way wrote."""
    wrote: list[bytes] = []
    way = message._lone

    def told(chunk: bytes) -> bytes:
        wrote.append(way(chunk))
        return wrote[-1]

    message._lone = told  # type: ignore[method-assign]
    return wrote


def test_an_event_a_chunk_equals_one_chunk() -> None:
    single = stream_for()
    wrote = lone(single)
    played = play_bytes(single, map(framed, ANSWER))
    assert played.sse == play_bytes(stream_for(), [sse(ANSWER)]).sse
    assert sum(map(bool, wrote)) >= 4


@pytest.mark.parametrize(
    "odd",
    [
        b"data: {",
        b"data: " + json.dumps(text_delta(0, "x")).encode() + b"\n\n" + framed(text_delta(0, "y"))[:-1] + b"\n",
        b"event: response.output_text.delta\r\ndata: " + json.dumps(text_delta(0, "x")).encode() + b"\r\n\r\n",
        b"event: response.output_text.delta\ndata: " + json.dumps(text_delta(0, "x")).encode() + b"\r\r\n\n",
        b"event: response.output_text.delta\ndata: " + json.dumps(text_delta(1, "x")).encode() + b"\n\n",
        b"event: response.output_text.delta\ndata: " + json.dumps(text_delta(0, "x", 1)).encode() + b"\n\n",
        b"event: response.output_text.delta\ndata: " + json.dumps(completed()).encode() + b"\n\n",
        b"event: response.output_text.delta\ndata: no json\n\n",
        framed(text_delta(0, "\ud800")),
        framed(text_delta(0, "x")) + framed(text_delta(0, "y")),
        framed(text_delta(0, "x"))[:-1],
        framed(text_delta(0, "x"))[:40],
    ],
)
def test_odd_chunks_take_the_long_way(odd: bytes) -> None:
    first = sse([added(0, "message"), text_delta(0, "a")])
    rest = framed(text_delta(0, "z"))
    short, long = stream_for(), stream_for()
    one = [first, odd, rest, rest]
    assert b"".join(map(short.feed, one)) + short.close() == long.feed(b"".join(one)) + long.close()
