"""Throughput of the request translation, as ratios to a json round trip of the same bytes.

    python -m tests.bench.bench_translate_request

A 1 MB conversation of Claude Code's kind: system prompt, tools, and turns of thinking, text, a call and a long result.
Rounds are interleaved, so that a busy machine slows both sides.
"""

import json
import random
import statistics
import time
from collections.abc import Callable

from claudex.translate.messages import names, pairing, schema, thinking
from claudex.translate.messages.request import decode, translate
from claudex.translate.models import Target
from claudex.wire.catalog import ModelInfo

TARGET = Target("gpt-6.1-sol", "high", ModelInfo(slug="gpt-6.1-sol", use_responses_lite=True))
CODE = 'def handler(event: "Event") -> None:\n    return self.route(event.path, "...", index=0)\n'
LINE = CODE * 9 + CODE.replace("...", "…")


def conversation(size: int, turns_more: int = 0) -> bytes:
    """About `size` bytes, like a long session of edits and reads; with `turns_more` as it is some turns later."""
    inputs = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": {}}
    tools = [{"name": f"Tool{n}", "description": CODE * 2, "input_schema": inputs} for n in range(25)]
    messages: list[dict[str, object]] = [{"role": "user", "content": [{"type": "text", "text": "Go on.\n" + LINE}]}]
    filled = 0
    while filled < size - 60_000:
        messages += turn(len(messages))
        filled += len(json.dumps(messages[-2:], ensure_ascii=False).encode())
    for _ in range(turns_more):
        messages += turn(len(messages))
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
    order, chance = list(jobs), random.Random(0)
    for _ in range(rounds):
        chance.shuffle(order)  # each job behind each other one: what ran before leaves its marks on memory
        for name in order:
            job = jobs[name]
            start = time.perf_counter()
            job()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(taken) for name, taken in times.items()}


def forget() -> None:
    """As in a new process. What is kept between requests are tool schemas, names and ids; never a conversation."""
    for kept in (schema._kept, pairing._calling, names._long_call_id, thinking._unpacked):
        kept.cache_clear()


def translated(body: bytes) -> object:
    return translate(body, target=TARGET, account_tag="account1")


def run(size: int = 1_000_000, rounds: int = 48) -> dict[str, float]:
    """How many times as fast as a json round trip of the same bytes: the whole translation at first sight and one turn
    later, decoding alone, and translating once more what is decoded (a retry on another lane or account)."""
    body = conversation(size)
    later = conversation(size, turns_more=1)
    request = decode(body)

    def first() -> object:
        forget()
        return translated(body)

    taken = measure(
        {
            "json": lambda: json.dumps(json.loads(body), ensure_ascii=False).encode(),
            "first": first,
            "next": lambda: translated(later),
            "decode": lambda: decode(body),
            "again": lambda: translate(request, target=TARGET, account_tag="account1"),
        },
        rounds,
    )
    ratios = {f"ratio_{name}": taken["json"] / taken[name] for name in ("first", "next", "decode", "again")}
    return {"bytes": len(body), **ratios, "mb_per_s": len(body) / taken["first"] / 1e6}


if __name__ == "__main__":
    for label, value in run().items():
        print(f"{label:>14} {value:10.1f}")
