"""Cost of translating a stream, per event, as a ratio to a json round trip of the same bytes in the same run.

python -m tests.bench.bench_translate_events [--chunk BYTES]
"""

import argparse
import json
import time
from collections.abc import Callable

from claudex.translate.messages.events import MessageStream
from claudex.translate.messages.facts import Facts

EVENTS = 4000
ROUNDS = 9
# A proxy reads what the socket has: one event (0) when the model is slow, tens of kilobytes when it is not.
CHUNKS = (0, 4096, 65536)


def text_stream() -> bytes:
    """A long answer as the backend sends it, obfuscation and all."""
    item = {"id": "msg_0cc96ac817fdc57e006933374a84348198a4e1ac9bc0c4607b", "type": "message", "role": "assistant"}
    events = [{"type": "response.output_item.added", "output_index": 1, "item": item}]
    events += [
        {
            "type": "response.output_text.delta",
            "content_index": 0,
            "delta": f" word{number % 97}",
            "item_id": item["id"],
            "logprobs": [],
            "obfuscation": "abcdefghij"[: number % 11],
            "output_index": 1,
            "sequence_number": number,
        }
        for number in range(EVENTS)
    ]
    events += [{"type": "response.completed", "response": {"status": "completed"}}]
    return b"".join(
        b"event: %b\ndata: %b\n\n" % (str(event["type"]).encode(), json.dumps(event).encode()) for event in events
    )


def translate(chunks: list[bytes]) -> int:
    message = MessageStream(message_id="msg_1", model="opus", facts=Facts(tag="tag00000"))
    message.start()
    return sum(map(len, map(message.feed, chunks)))


def cut(stream: bytes, chunk: int) -> list[bytes]:
    if not chunk:
        return [block + b"\n\n" for block in stream.split(b"\n\n")[:-1]]
    return [stream[at : at + chunk] for at in range(0, len(stream), chunk)]


def round_trip(stream: bytes) -> int:
    """What a translator made of json.loads and json.dumps costs before it does anything."""
    size = 0
    for block in stream.split(b"\n\n")[:-1]:
        size += len(json.dumps(json.loads(block.partition(b"data: ")[2])))
    return size


def fastest(work: Callable[[], object]) -> float:
    """Seconds of process time, the best of several rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def measure(chunk: int) -> tuple[float, float]:
    """Microseconds per event, and the ratio to the round trip."""
    stream = text_stream()
    base = fastest(lambda: round_trip(stream))
    chunks = cut(stream, chunk)
    ours = fastest(lambda: translate(chunks))
    return ours / EVENTS * 1e6, ours / base


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunk", type=int, action="append", help="bytes per chunk (may be given more than once)")
    for chunk in parser.parse_args().chunk or CHUNKS:
        cost, ratio = measure(chunk)
        size = f"chunks of {chunk:5} bytes" if chunk else "an event at a time   "
        print(f"{size}: {cost:5.2f} µs an event, {ratio:.2f} of a json round trip")


if __name__ == "__main__":
    main()
