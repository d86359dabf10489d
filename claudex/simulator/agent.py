"""The default agent: what is answered when no turn is queued.

It has no state. What it has done so far it reads in the conversation: calls and outputs after the last prompt.
"""

import json
import re
from typing import Any

from .prompts import Edit, Read, Task, instructions, prompt, prompt_index, tasks
from .recorded import Recorded, text_of
from .sample import sample
from .script import Call, Citation, Compaction, Item, Reasoning, Text, Turn, WebSearch
from .toolbox import Made, Toolbox

HONEST = "This is the claudex simulator: no model was asked."
SHOWN = 400
"""Characters of a tool's output that a report repeats."""

COMPACTION = "CRITICAL: Respond with TEXT ONLY"
SUMMARY = f"""<analysis>
{HONEST} Nothing was analysed.
</analysis>

<summary>
1. Primary Request and Intent: the user said: {{said}}
2. Note: {HONEST} Everything before this point was dropped.
</summary>"""


def answer(request: Recorded) -> Turn:
    items = _side_call(request) or _work(request)
    effort = (request.body.get("reasoning") or {}).get("effort")
    thinking: tuple[Item, ...] = () if effort == "none" else (_thinking(request),)
    return Turn((*thinking, *items))


def _thinking(request: Recorded) -> Reasoning:
    asked = (request.body.get("reasoning") or {}).get("summary")
    return Reasoning(
        ["**Simulating**\n\nNo model thinks here; the answer follows from the prompt's words."] if asked else ()
    )


def _side_call(request: Recorded) -> list[Item] | None:
    """Answers whose shape the request dictates."""
    if request.input[-1]["type"] == "compaction_trigger":
        return [Compaction()]
    form = (request.body.get("text") or {}).get("format") or {}
    if form.get("type") == "json_schema":
        return [Text(json.dumps(sample(form["schema"]), ensure_ascii=False))]
    if form.get("type") == "json_object":
        return [Text(json.dumps({"simulator": True, "said": prompt(request)}))]
    if COMPACTION in request.user:
        return [Text(SUMMARY.format(said=_first_prompt(request)))]
    toolbox = Toolbox(request)
    if verdict := _verdict(request, toolbox):
        return [Text(verdict)]
    return _forced(request, toolbox)


def _verdict(request: Recorded, toolbox: Toolbox) -> str:
    """What a permission classifier wants to read, and nothing else: Claude Code 2.1.329 takes no further word.

    All that the simulator ever calls was spelled out by the user, so there is nothing to block.
    """
    if toolbox.tools or toolbox.hosted:
        return ""
    asked = instructions(request) + request.user
    if "<block>" in asked or "</block>" in asked:
        return "<block>no</block>"
    if "<severity>" in asked:
        return "<severity>0</severity>"
    return ""


def _forced(request: Recorded, toolbox: Toolbox) -> list[Item] | None:
    choice = request.body.get("tool_choice", "auto")
    if isinstance(choice, dict):
        made = toolbox.search(_query(request)) if choice["type"] == "web_search" else toolbox.forced(choice["name"])
        return _spoken_search(made) if isinstance(made, WebSearch) else [made] if made else None
    if choice == "required" and not _made_since(request):
        made = next(iter(_steps(request, toolbox)), None)
        named = next(iter(toolbox.tools), "")
        made = made or (toolbox.forced(named) if named else toolbox.search(_query(request)))
        return _spoken_search(made) if isinstance(made, WebSearch) else [made] if made else None
    return None


def _work(request: Recorded) -> list[Item]:
    """The next calls that the prompt asks for; when all are made, a report."""
    toolbox = Toolbox(request)
    if request.body.get("tool_choice") == "none":
        return [_plain(request)]
    steps = _steps(request, toolbox)
    made = _made_since(request)
    left = steps[len(made) :]
    if left and isinstance(left[0], WebSearch):
        return _spoken_search(left[0])
    if left:
        calls = _round(left) if toolbox.parallel else left[:1]
        announced: list[Item] = [] if made else [Text(f"{HONEST} I shall {_names(steps)}.", phase="commentary")]
        return [*announced, *calls]
    if "StructuredOutput" in toolbox.tools and not any(call["name"] == "StructuredOutput" for call in made):
        return [call] if (call := toolbox.forced("StructuredOutput")) else []
    return [Text(_report(request, made))] if made else [_plain(request)]


def _steps(request: Recorded, toolbox: Toolbox) -> list[Made]:
    wanted: list[Task] = []
    for task in tasks(prompt(request)):
        if isinstance(task, Edit) and "Edit" in toolbox.tools:
            wanted.append(Read(task.path))  # Claude Code edits only what was read before
        wanted.append(task)
    return [made for task in wanted if (made := toolbox.call_for(task))]


def _round(left: list[Made]) -> list[Made]:
    """Calls that do not need each other's results: an edit waits for what comes before it."""
    edit = next((index for index, made in enumerate(left) if index and _is_edit(made)), len(left))
    search = next((index for index, made in enumerate(left) if isinstance(made, WebSearch)), len(left))
    return left[: min(edit, search)]


def _is_edit(made: Made) -> bool:
    return isinstance(made, Call) and made.name == "Edit"


def _names(steps: list[Made]) -> str:
    return ", then ".join(
        f"search for {step.query}" if isinstance(step, WebSearch) else f"call {step.name}" for step in steps
    )


def _made_since(request: Recorded) -> list[dict[str, Any]]:
    """The calls after the last prompt."""
    later = request.input[prompt_index(request) + 1 :]
    return [item for item in later if item["type"] in ("function_call", "custom_tool_call")]


def _report(request: Recorded, made: list[dict[str, Any]]) -> str:
    outputs = {item["call_id"]: item["output"] for item in request.input if item["type"].endswith("_call_output")}
    lines = [f"{HONEST} The tools said:"]
    for call in made:
        said = text_of(outputs[call["call_id"]]).strip() or "(nothing)"
        lines.append(f"- {call['name']}: {said[:SHOWN]}{'…' if len(said) > SHOWN else ''}")
    return "\n".join(lines)


def _plain(request: Recorded) -> Text:
    return Text(f"{HONEST} You said: {prompt(request) or '(nothing)'}")


def _spoken_search(made: WebSearch) -> list[Item]:
    text = f"{HONEST} Nothing was searched for {made.query!r}."
    url = made.sources[0]
    return [made, Text(text, citations=[Citation(url, "A simulated page", 0, len(HONEST))])]


def _query(request: Recorded) -> str:
    said = prompt(request)
    match = re.search(r"query:\s*(.+)", said)
    return match[1].strip() if match else said


def _first_prompt(request: Recorded) -> str:
    for index, item in enumerate(request.input):
        if item.get("role") == "user":
            trimmed = Recorded("", "", {}, {}, body={"input": request.input[: index + 1]})
            if said := prompt(trimmed):
                return said[:SHOWN]
    return ""
