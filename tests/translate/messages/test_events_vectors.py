"""Each recorded and hand-made stream: valid by grammar and SDK, streamed equal to not streamed, at any split."""

import importlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest

from claudex.errors import ClaudexError
from claudex.translate.messages.aggregate import Fold
from claudex.translate.messages.events import MessageStream

from . import grammar
from .playbook import play_bytes, stream_for

VECTORS = sorted((Path(__file__).parents[2] / "data" / "vectors").glob("*/*.sse"))
SPLITS = 50
# Streams that end badly: a failure, an error event, or no terminal event.
FAILING = {
    "ai-openai-error-1",
    "ai-parallel-tool-call-wrapper-1",
    "10-failed-context-length",
    "11-failed-overloaded",
    "13-error-event-mid-stream",
    "14-truncated-no-completed",
    "20-failed-usage-limit",
    "22-failed-server-error",
}

# The HTTP library that the SDK is made for: its newer versions have one of their own.
httpx = importlib.import_module(anthropic.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0])

every_vector = pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)


def pieces(stream: bytes, seed: int) -> Iterator[bytes]:
    """`stream` cut into chunks of random size; the first seed gives single bytes."""
    chance = random.Random(seed)
    largest = 1 if seed == 0 else chance.choice([5, 20, 200, 3000])
    at = 0
    while at < len(stream):
        size = chance.randint(1, largest)
        yield stream[at : at + size]
        at += size


def run(chunks: Iterator[bytes] | list[bytes]) -> tuple[bytes, MessageStream]:
    stream = stream_for()
    out = stream.start() + b"".join(stream.feed(chunk) for chunk in chunks) + stream.close()
    return out, stream


def sdk(stream: bytes) -> dict[str, Any]:
    """The message as the official SDK puts it together."""

    def answer(request: Any) -> Any:
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=stream)

    http = httpx.Client(transport=httpx.MockTransport(answer))
    client = anthropic.Anthropic(api_key="x", base_url="http://127.0.0.1:9", http_client=http, max_retries=0)
    with client.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}]) as events:
        return events.get_final_message().to_dict(mode="json")


def same(ours: object, theirs: object) -> bool:
    """Equal but for fields that the SDK adds as null or default."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return all(same(value, theirs.get(key)) for key, value in ours.items())
    return ours == theirs


@every_vector
def test_the_grammar_holds_and_every_split_gives_the_same_bytes(path: Path) -> None:
    data = path.read_bytes()
    whole, stream = run([data])
    grammar.check(whole, failed=path.stem in FAILING)
    assert isinstance(stream.error, ClaudexError) == (path.stem in FAILING)
    for seed in range(SPLITS):
        assert run(pieces(data, seed))[0] == whole


@every_vector
def test_the_sdk_reads_the_same_message(path: Path) -> None:
    out, stream = run([path.read_bytes()])
    if stream.error:
        with pytest.raises(anthropic.APIError, match="claudex self logs req_1"):
            sdk(out)
        return
    fold = Fold()
    fold.feed(out)
    message, theirs = fold.message(), sdk(out)
    assert len(message["content"]) == len(theirs["content"])
    for block, other in zip(message["content"], theirs["content"], strict=True):
        assert same(block, other), (block, other)
    assert same(message["usage"], theirs["usage"])
    assert [message[key] for key in ("id", "model", "stop_reason")] == [
        theirs[key] for key in ("id", "model", "stop_reason")
    ]


@every_vector
def test_folding_does_not_depend_on_splits(path: Path) -> None:
    out, _ = run([path.read_bytes()])
    whole = Fold()
    whole.feed(out)
    for seed in range(5):
        fold = Fold()
        for piece in pieces(out, seed):
            fold.feed(piece)
        assert fold.body() == whole.body()


@every_vector
def test_keepalives_between_any_two_chunks_change_nothing_visible(path: Path) -> None:
    data, stream = path.read_bytes(), stream_for()
    parts = [stream.start()]
    for at in range(0, len(data), 211):
        parts += [stream.feed(data[at : at + 211]), stream.keepalive()]
    out = b"".join([*parts, stream.close()])
    grammar.check(out, failed=path.stem in FAILING)
    plain = play_bytes(stream_for(), [data])
    fold = Fold()
    fold.feed(out)
    assert _visible(fold.message()) == _visible(plain.message)


def _visible(message: dict[str, Any]) -> list[Any]:
    return [
        (block["type"], block.get("text"), block.get("thinking"), block.get("input"))
        for block in message["content"]
        if block["type"] != "thinking" or block["thinking"]
    ]
