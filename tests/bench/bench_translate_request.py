"""Throughput of the request translation, as ratios to a json round trip of the same bytes.

    python -m tests.bench.bench_translate_request

A 1 MB conversation of Claude Code's kind: system prompt, tools, and turns of thinking, text, a call and a long result.
Rounds are interleaved, so that a busy machine slows both sides.
"""

import json
import statistics
import time
from collections.abc import Callable

from claudex.translate.messages import thinking
from claudex.translate.messages.request import decode, translate
from claudex.translate.models import Target
from claudex.wire.catalog import ModelInfo

TARGET = Target("gpt-6.1-sol", "high", ModelInfo(slug="gpt-6.1-sol", use_responses_lite=True))
CODE = 'def handler(event: "Event") -> None:\n    return self.route(event.path, "...", index=0)\n'
LINE = CODE * 9 + CODE.replace("...", "…")


def conversation(size: int) -> bytes:
    """About `size` bytes, like a long session of edits and reads."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": {}}
    tools = [{"name": f"Tool{n}", "description": CODE * 2, "input_schema": schema} for n in range(25)]
    messages: list[dict[str, object]] = [{"role": "user", "content": [{"type": "text", "text": "Go on.\n" + LINE}]}]
    filled = 0
    while filled < size - 60_000:
        messages += turn(len(messages))
        filled += len(json.dumps(messages[-2:], ensure_ascii=False).encode())
    body = {"model": "opus", "system": LINE * 8, "messages": messages, "tools": tools, "max_tokens": 32000}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def turn(number: int) -> list[dict[str, object]]:
    signature = thinking.encode("account1", "gAAAAAB" + "x" * 1500)
    call = {"type": "tool_use", "id": f"call_{number}", "name": "Tool3", "input": {"path": "src/a.py", "new": CODE * 4}}
    result = {"type": "tool_result", "tool_use_id": f"call_{number}", "content": LINE * (2 + number % 6)}
    said = [{"type": "thinking", "thinking": CODE * 2, "signature": signature}, {"type": "text", "text": CODE}, call]
    return [{"role": "assistant", "content": said}, {"role": "user", "content": [result]}]


def measure(jobs: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each job over interleaved rounds."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    order = list(jobs)
    for number in range(rounds):
        # Each job stands behind each other one as often: what ran before leaves its marks on memory.
        for name in order[number % len(order) :] + order[: number % len(order)]:
            job = jobs[name]
            start = time.perf_counter()
            job()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(taken) for name, taken in times.items()}


def run(size: int = 1_000_000, rounds: int = 48) -> dict[str, float]:
    """`ratio` is json's time over ours: how many times as fast the whole translation is as a round trip."""
    body = conversation(size)
    request = decode(body)
    taken = measure(
        {
            "json": lambda: json.dumps(json.loads(body), ensure_ascii=False).encode(),
            "whole": lambda: translate(body, target=TARGET, account_tag="account1"),
            "decode": lambda: decode(body),
            "again": lambda: translate(request, target=TARGET, account_tag="account1"),
        },
        rounds,
    )
    return {
        "bytes": len(body),
        "ratio": taken["json"] / taken["whole"],
        "ratio_decode": taken["json"] / taken["decode"],
        "ratio_again": taken["json"] / taken["again"],
        "mb_per_s": len(body) / taken["whole"] / 1e6,
    }


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:>14} {value:10.1f}")
