"""What count_tokens costs for a prompt of 200,000 tokens: everything between the body and the number.

    python -m tests.bench.bench_count

In milliseconds, and as a ratio to a json round trip of the same bytes, interleaved.
"""

import json

from claudex.proxy.count import estimate
from claudex.translate.messages.request import translate

from .bench_translate_request import TARGET, conversation, measure

BYTES = 1_000_000


def run(rounds: int = 24) -> dict[str, float]:
    body = conversation(BYTES)
    taken = measure(
        {
            "json": lambda: json.dumps(json.loads(body), ensure_ascii=False).encode(),
            "count": lambda: estimate(translate(body, target=TARGET)),
        },
        rounds,
    )
    return {
        "tokens": estimate(translate(body, target=TARGET)),
        "ms": taken["count"] * 1000,
        "ratio": taken["count"] / taken["json"],
    }


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:>14} {value:10.1f}")
