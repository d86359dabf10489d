"""Items of `input`: shape by shape, then how calls and outputs pair."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import sealed
from .parts import check_parts
from .refusal import Refusal, detail, invalid, invalid_type, invalid_value, lite, missing, too_long, unknown_parameter
from .schema import check_name, check_tools

Item = dict[str, Any]
ID_LIMIT = 64
CALL_ID_LIMIT = 64
_COMMON = {"type", "id", "internal_chat_message_metadata_passthrough"}
_KEYS = {
    "message": {"role", "content", "phase", "status"},
    "reasoning": {"summary", "content", "encrypted_content", "status"},
    "function_call": {"status", "name", "arguments", "call_id", "namespace"},
    "function_call_output": {"call_id", "output", "status"},
    "custom_tool_call": {"status", "name", "input", "call_id", "namespace"},
    "custom_tool_call_output": {"call_id", "output", "status"},
    "web_search_call": {"status", "action"},
    "additional_tools": {"role", "tools"},
    "compaction_trigger": set(),
    "compaction": {"encrypted_content"},
}
_UNCHECKED = ("tool_search_call", "tool_search_output", "local_shell_call", "image_generation_call")
"""Item types that the official client can send and whose inner shape nobody has described; only ids are checked."""

_PREFIXES = {
    "message": "msg_",
    "reasoning": "rs_",
    "function_call": "fc_",
    "function_call_output": "fco_",
    "custom_tool_call": "ctc_",
    "custom_tool_call_output": "ctco_",
    "web_search_call": "ws_",
    "additional_tools": "at_",
    "compaction": "cmp_",
}


@dataclass(frozen=True)
class Context:
    account_id: str
    lane: str
    foreign_reasoning: bool = False


def check_items(items: object, context: Context) -> None:
    if not isinstance(items, list):
        raise detail("Input must be a list", f"`input` is a {type(items).__name__}, not an array of items")
    if not items:
        raise invalid("Invalid 'input': empty array.", "input", "empty_array")
    for index, item in enumerate(items):
        _check_item(item, f"input[{index}]", index, len(items), context)
    check_pairs(items)


def _check_item(item: object, here: str, index: int, total: int, context: Context) -> None:
    if not isinstance(item, dict):
        raise invalid_type(here, "an object", item)
    kind = item.get("type")
    if kind is None:
        raise missing(f"{here}.type")
    _check_id(item, here)
    if kind in _UNCHECKED:
        return
    if kind not in _KEYS:
        raise invalid_value(f"{here}.type", kind, ", ".join(f"'{name}'" for name in (*_KEYS, *_UNCHECKED)))
    for key in item:
        if key not in _KEYS[kind] and key not in _COMMON:
            raise unknown_parameter(f"{here}.{key}")
    if item.get("status", "completed") not in ("completed", "incomplete", "in_progress"):
        raise invalid_value(f"{here}.status", item["status"], "'in_progress', 'completed', and 'incomplete'")
    if kind == "additional_tools" and index != 0:
        raise invalid("additional_tools must be the first input item.", here, "invalid_value")
    if kind == "compaction_trigger" and index != total - 1:
        raise invalid("compaction_trigger must be the last input item.", here, "invalid_value")
    if check := _CHECKS.get(kind):
        check(item, here, context)


def _check_id(item: Item, here: str) -> None:
    if item.get("id") is None:
        return
    name = item["id"]
    if not isinstance(name, str):
        raise invalid_type(f"{here}.id", "a string", name)
    if len(name) > ID_LIMIT:
        raise too_long(f"{here}.id", ID_LIMIT, len(name))
    prefix = _PREFIXES.get(str(item["type"]), "")
    if not name.startswith(prefix):
        message = f"Invalid '{here}.id': '{name}'. Expected an ID that begins with '{prefix.rstrip('_')}'."
        raise invalid(message, f"{here}.id", "invalid_value")


def _message(item: Item, here: str, context: Context) -> None:
    role = item.get("role")
    if role == "system":
        raise detail("System messages are not allowed", f"{here} has the role `system`; this backend wants `developer`")
    if role not in ("developer", "user", "assistant"):
        raise invalid_value(f"{here}.role", role, "'assistant', 'developer', and 'user'")
    if "phase" in item:
        if role != "assistant":
            raise invalid("Phase is only supported on assistant messages.", f"{here}.phase", "invalid_value")
        if item["phase"] not in ("commentary", "final_answer"):
            raise invalid_value(f"{here}.phase", item["phase"], "'commentary' and 'final_answer'")
    check_parts(item.get("content"), f"{here}.content", role)


def _reasoning(item: Item, here: str, context: Context) -> None:
    if not isinstance(item.get("summary"), list):
        raise invalid_type(f"{here}.summary", "an array", item.get("summary"))
    for number, part in enumerate(item["summary"]):
        if not isinstance(part, dict) or set(part) != {"type", "text"} or part["type"] != "summary_text":
            raise invalid_value(f"{here}.summary[{number}]", part, "{'type': 'summary_text', 'text': …}")
        if not isinstance(part["text"], str):
            raise invalid_type(f"{here}.summary[{number}].text", "a string", part["text"])
    if item.get("content") not in (None, []):
        raise invalid_type(f"{here}.content", "null", item["content"])
    encrypted = item.get("encrypted_content")
    if encrypted is None and item.get("id"):
        raise _not_persisted(item["id"])
    _check_seal(item, here, "reasoning", context)


def _not_persisted(name: str) -> Refusal:
    advice = "Items are not persisted when `store` is set to false. Try again with `store` set to true."
    return invalid(f"Item with id '{name}' not found. {advice}", "input", status=404)


def _compaction(item: Item, here: str, context: Context) -> None:
    _check_seal(item, here, "compaction", context)


def _check_seal(item: Item, here: str, kind: str, context: Context) -> None:
    encrypted = item.get("encrypted_content")
    if not isinstance(encrypted, str) or not encrypted:
        raise missing(f"{here}.encrypted_content")
    if context.foreign_reasoning or sealed.genuine(context.account_id, kind, encrypted):
        return
    raise Refusal(
        400,
        {
            "error": {
                "message": f"The encrypted content {encrypted[:8]}... could not be verified. "
                "Reason: Encrypted content could not be decrypted or parsed.",
                "type": "invalid_request_error",
                "param": None,
                "code": "invalid_encrypted_content",
            }
        },
        f"{here}: the encrypted content was not issued to {context.account_id}, or was changed",
    )


def _call(item: Item, here: str, context: Context) -> None:
    _check_call_id(item, here)
    check_name(item.get("name"), f"{here}.name")
    if item.get("namespace") is not None:
        check_name(item["namespace"], f"{here}.namespace")
    key = "arguments" if item["type"] == "function_call" else "input"
    if not isinstance(item.get(key), str):
        raise invalid_type(f"{here}.{key}", "a string", item.get(key))


def _output(item: Item, here: str, context: Context) -> None:
    _check_call_id(item, here)
    if "output" not in item:
        raise missing(f"{here}.output")
    if not isinstance(item["output"], str):
        check_parts(item["output"], f"{here}.output", "output")


def _check_call_id(item: Item, here: str) -> None:
    call_id = item.get("call_id")
    if not isinstance(call_id, str):
        raise missing(f"{here}.call_id") if call_id is None else invalid_type(f"{here}.call_id", "a string", call_id)
    if not call_id:
        raise invalid(f"Invalid '{here}.call_id': empty string.", f"{here}.call_id", "empty_string")
    if len(call_id) > CALL_ID_LIMIT:
        raise too_long(f"{here}.call_id", CALL_ID_LIMIT, len(call_id))


def _web_search(item: Item, here: str, context: Context) -> None:
    action = item.get("action")
    needed = {"search": {"query"}, "open_page": {"url"}, "find_in_page": {"url", "pattern"}}
    if not isinstance(action, dict) or action.get("type") not in needed:
        raise invalid_value(f"{here}.action", action, "'search', 'open_page', and 'find_in_page'")
    if not needed[action["type"]] <= set(action):
        raise missing(f"{here}.action.{sorted(needed[action['type']] - set(action))[0]}")


def _additional_tools(item: Item, here: str, context: Context) -> None:
    if context.lane != "lite":
        raise invalid_value(f"{here}.type", "additional_tools", "those of the full lane: tools stand in `tools` there")
    if item.get("role") != "developer":
        raise lite("needs additional_tools to have the role developer.", f"{here}.role")
    check_tools(item.get("tools"), f"{here}.tools", lane="lite")


_CHECKS: dict[str, Callable[[Item, str, Context], None]] = {
    "message": _message,
    "reasoning": _reasoning,
    "compaction": _compaction,
    "function_call": _call,
    "custom_tool_call": _call,
    "function_call_output": _output,
    "custom_tool_call_output": _output,
    "web_search_call": _web_search,
    "additional_tools": _additional_tools,
}

_KINDS = {"function_call": "function", "custom_tool_call": "custom tool"}


def check_pairs(items: list[Item]) -> None:
    """Each call has one output after it, before anybody else speaks; no output is without its call."""
    open_calls: dict[str, str] = {}
    seen: set[str] = set()
    answered: set[str] = set()
    for index, item in enumerate(items):
        kind, here = item["type"], f"input[{index}]"
        if kind in _KINDS:
            if item["call_id"] in seen:
                raise invalid(f"Duplicate call_id '{item['call_id']}'.", f"{here}.call_id", "invalid_value")
            seen.add(item["call_id"])
            open_calls[item["call_id"]] = kind
        elif kind.removesuffix("_output") in _KINDS:
            _close(item, here, open_calls, answered)
        elif kind == "message" and item["role"] != "assistant" and open_calls:
            raise _unanswered(open_calls)
    if open_calls:
        raise _unanswered(open_calls)


def _close(item: Item, here: str, open_calls: dict[str, str], answered: set[str]) -> None:
    call_id, kind = item["call_id"], item["type"].removesuffix("_output")
    if call_id in answered:
        raise invalid(f"Duplicate tool output for call_id '{call_id}'.", f"{here}.call_id", "invalid_value")
    if open_calls.get(call_id) != kind:
        word = _KINDS[kind]
        raise invalid(f"No tool call found for {word} call output with call_id {call_id}.", "input")
    del open_calls[call_id]
    answered.add(call_id)


def _unanswered(open_calls: dict[str, str]) -> Refusal:
    call_id, kind = next(iter(open_calls.items()))
    return invalid(f"No tool output found for {_KINDS[kind]} call {call_id}.", "input")
