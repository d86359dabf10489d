"""Making room for a summary: a conversation that no longer fits gives up its oldest tool outputs first.

Claude Code compacts by sending the whole conversation with one more request, to be summarised. If that one is refused
for its size, nothing the user can do mends the session. So what a summary needs least goes: old tool outputs, then
pictures and long texts, then the oldest items themselves. Level by level, until the backend accepts it.
"""

import json
from collections.abc import Callable
from typing import Any

Item = dict[str, Any]

# How Claude Code 2.1.197 and 2.1.329 end the request for a summary. More text, or a system message, may follow it.
SUMMARISE = b"CRITICAL: Respond with TEXT ONLY"

LEVELS = 8
KEEP_CHARS = 1500
# Shares of the tool outputs' bytes that levels 1 to 4 give up, oldest first.
SHARES = (0.35, 0.65, 0.85, 1.0)
# Shares of the items that levels 6 to 8 drop, oldest first.
DROPS = (0.5, 0.75, 0.9)


def is_summary_request(last_user_text: bytes) -> bool:
    return SUMMARISE in last_user_text


def shed(body: bytes, level: int) -> bytes:
    """The Responses body made smaller. Level 1 takes least, LEVELS most; every result is a valid conversation.

    Level 5 also cuts every long text but the last message's, and levels above drop the oldest items altogether.
    """
    document = json.loads(body)
    items: list[Item] = document["input"]
    _shed_outputs(items, SHARES[min(level, len(SHARES)) - 1])
    if level > len(SHARES):
        for item in items[: _last_message(items)]:
            _cut_texts(item)
    if level > len(SHARES) + 1:
        document["input"] = _without_oldest(items, DROPS[min(level - len(SHARES) - 2, len(DROPS) - 1)])
    return _dump(document)


def _dump(document: Item) -> bytes:
    try:
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # a lone surrogate can only be written as an escape
        return json.dumps(document, separators=(",", ":")).encode()


def _is_output(item: Item) -> bool:
    return str(item.get("type", "")).endswith("_call_output")


def _shed_outputs(items: list[Item], share: float) -> None:
    outputs = [item for item in items if _is_output(item)]
    sizes = [len(json.dumps(item["output"])) for item in outputs]
    wanted, shed_bytes = sum(sizes) * share, 0
    for item, size in zip(outputs, sizes, strict=True):
        if shed_bytes >= wanted:
            return
        shed_bytes += size
        item["output"] = f"[claudex left out this tool output of {size} characters to make room for the summary]"


def _last_message(items: list[Item]) -> int:
    return max((at for at, item in enumerate(items) if item.get("role") == "user"), default=len(items))


def _cut_texts(item: Item) -> None:
    """Long texts keep their beginning and end; pictures and files become a word."""
    if item.get("type") == "additional_tools":
        return
    for key in ("content", "output", "arguments"):
        if key in item and not (key == "arguments" and len(item[key]) <= KEEP_CHARS):
            item[key] = _cut(item[key]) if key != "arguments" else json.dumps({"left_out": len(item[key])})


def _cut(content: Any) -> Any:
    if isinstance(content, str):
        return _cut_text(content)
    if isinstance(content, list):
        return [_cut_part(part) for part in content]
    return content


def _cut_part(part: Item) -> Item:
    if part.get("type") in ("input_image", "input_file"):
        return {"type": "input_text", "text": "[claudex left out an attachment to make room for the summary]"}
    return {**part, "text": _cut_text(part["text"])} if isinstance(part.get("text"), str) else part


def _cut_text(text: str) -> str:
    if len(text) <= KEEP_CHARS:
        return text
    half = KEEP_CHARS // 2
    return f"{text[:half]}\n[claudex left out {len(text) - 2 * half} characters]\n{text[-half:]}"


def _without_oldest(items: list[Item], share: float) -> list[Item]:
    """Drops the oldest items but the opening developer ones; never a call without its output, nor the reverse."""
    opening = next((at for at, item in enumerate(items) if not _is_opening(item)), len(items))
    cut = min(opening + int((len(items) - opening) * share), _last_message(items))
    gone = items[opening:cut]
    calls = {item["call_id"] for item in gone if "call_id" in item}
    note: Item = {
        "type": "message",
        "role": "developer",
        "content": [
            {"type": "input_text", "text": f"[claudex left out the oldest {len(gone)} items of this conversation]"}
        ],
    }
    rest = [item for item in items[cut:] if item.get("call_id") not in calls]
    return [*items[:opening], note, *_without(rest, lambda item: item.get("type") == "reasoning")]


def _is_opening(item: Item) -> bool:
    return item.get("type") == "additional_tools" or item.get("role") == "developer"


def _without(items: list[Item], unwanted: Callable[[Item], bool]) -> list[Item]:
    return [item for item in items if not unwanted(item)]
