"""What the model said goes to the client, is regrouped there, and comes back upstream as it was."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from claudex.translate import models
from claudex.translate.messages.request import decode, translate

from .playbook import Event, call, message, play, reasoning
from .support import CATALOG, MAP, Json, encoded, request, result, user

SAYING = st.one_of(
    st.builds(lambda words: ("reasoning", words), st.sampled_from(["", "why"])),
    st.builds(lambda phase: ("message", phase), st.sampled_from([None, "commentary", "final_answer"])),
    st.just(("call", "")),
)


def events(said: list[tuple[str, Any]]) -> list[Event]:
    out: list[Event] = []
    for index, (kind, more) in enumerate(said):
        if kind == "reasoning":
            out += reasoning(index, *([more] if more else []), encrypted=f"sealed{index}")
        elif kind == "message":
            out += message(index, f"text {index}", phase=more)
        else:
            out += call(index, "Bash", f'{{"n":{index}}}')
    return out


def regrouped(content: list[Json]) -> list[Json]:
    """As Claude Code 2.1.197 and 2.1.329 return a message: everything else in its order, then the tool calls."""
    return sorted(content, key=lambda block: block["type"] == "tool_use")


def replayed(content: list[Json]) -> list[tuple[object, ...]]:
    results = [result(block["id"]) for block in content if block["type"] == "tool_use"]
    body = request(user("go"), {"role": "assistant", "content": content}, user(*results, "on"))
    asked = decode(encoded(body))
    target = models.resolve(asked.model, asked.effort, MAP, CATALOG)
    sent = json.loads(translate(asked, target=target, account_tag="tag00000").body)["input"]
    return [short(item) for item in sent[1:-1] if item["type"] != "function_call_output"]


def short(item: Json) -> tuple[object, ...]:
    if item["type"] == "reasoning":
        return ("reasoning", item["encrypted_content"], bool(item["summary"]))
    if item["type"] == "message":
        return ("message", item["content"][0]["text"], len(item["content"]), item.get("phase"))
    return ("call", item["call_id"], json.loads(item["arguments"]))


def expected(said: list[tuple[str, Any]]) -> list[tuple[object, ...]]:
    names = {"reasoning": "sealed{}", "message": "text {}", "call": "call_{}"}
    more = {
        "reasoning": lambda index, words: (bool(words),),
        "message": lambda index, phase: (1, phase),
        "call": lambda index, _: ({"n": index},),
    }
    return [(kind, names[kind].format(i), *more[kind](i, extra)) for i, (kind, extra) in enumerate(said)]


@settings(max_examples=300, deadline=None)
@given(st.lists(SAYING, min_size=1, max_size=8))
def test_an_answer_comes_back_item_by_item(said: list[tuple[str, Any]]) -> None:
    content = play(*events(said), thinking="shown").content
    assert replayed(regrouped(content)) == expected(said)
    assert replayed(content) == expected(said)
