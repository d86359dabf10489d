"""The default agent: what it does with the client's own tools, and the shapes that side calls want."""

import json
from typing import Any

import pytest

from claudex.simulator import Simulator
from claudex.simulator.agent import HONEST
from claudex.simulator.prompts import Edit, Read, Run, Search, Task, Use, Write, tasks
from claudex.simulator.sample import sample

from .codex import EXEC_TOOL, Answered, Codex, full_body, lite_body, user

Body = dict[str, Any]


def function(tool: str, **properties: str) -> Body:
    schema = {"type": "object", "properties": {key: {"type": kind} for key, kind in properties.items()}}
    return {"type": "function", "name": tool, "strict": False, "parameters": schema}


CLAUDE = [
    function("Bash", command="string", description="string"),
    function("Edit", file_path="string", old_string="string", new_string="string"),
    function("Read", file_path="string"),
    function("Write", file_path="string", content="string"),
]
FOLDER = {
    "type": "message",
    "role": "developer",
    "content": [{"type": "input_text", "text": "# Environment\n - Primary working directory: /home/me/work\n - other"}],
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write 'hello' to hello.txt and run `ls`", [Write("hello.txt", "hello"), Run("ls")]),
        (
            "Write hello world to a file named out.txt, then run ls -la",
            [Write("out.txt", "hello world"), Run("ls -la")],
        ),
        ('Create a file called a/b.md containing "x y".', [Write("a/b.md", "x y")]),
        ("read src/main.py", [Read("src/main.py")]),
        ("replace 'a' with 'b' in x.txt", [Edit("x.txt", "a", "b")]),
        ('call get_weather with {"city": "Paris"}', [Use("get_weather", '{"city": "Paris"}')]),
        ("Perform a web search for the query: capital of france", [Search("capital of france")]),
        ("execute the command \"echo 'hi there'\"", [Run("echo 'hi there'")]),
        ("please run the tests", []),
        ("write a poem to me", []),
        ("say hello", []),
    ],
)
def test_prompts_are_read_sensibly(text: str, expected: list[Task]) -> None:
    assert tasks(text) == expected


def calls(answer: Answered) -> list[Body]:
    return [item for item in answer.items if item["type"] in ("function_call", "custom_tool_call")]


def arguments(answer: Answered) -> list[Body]:
    return [json.loads(call["arguments"]) for call in calls(answer)]


def outputs(answer: Answered, *said: str) -> list[Body]:
    kind = {"function_call": "function_call_output", "custom_tool_call": "custom_tool_call_output"}
    return [
        {"type": kind[call["type"]], "call_id": call["call_id"], "output": text}
        for call, text in zip(calls(answer), said, strict=True)
    ]


async def test_plain_text_is_answered_honestly(codex: Codex) -> None:
    reminder = "<system-reminder>\nwrite 'x' to y.txt\n</system-reminder>"
    answer = await codex.send(full_body(reminder, "say hello"))
    assert answer.text == f"{HONEST} You said: say hello"


async def test_claude_code_tools_are_called_in_parallel_and_reported(sim: Simulator, codex: Codex) -> None:
    prompt = user("write 'hello' to hello.txt and run `ls -l`")
    first = await codex.send(full_body(FOLDER, prompt, tools=CLAUDE))
    assert [call["name"] for call in calls(first)] == ["Write", "Bash"]
    write, bash = arguments(first)
    assert write == {"file_path": "/home/me/work/hello.txt", "content": "hello"}
    assert bash["command"] == "ls -l"
    history = [FOLDER, prompt, *first.items, *outputs(first, "File created", "total 1")]
    reminder = user("<system-reminder>be good</system-reminder>")
    second = await codex.send(full_body(*history, reminder, tools=CLAUDE))
    assert second.text == f"{HONEST} The tools said:\n- Write: File created\n- Bash: total 1"
    third = await codex.send(full_body(*history, *second.items, "thanks", tools=CLAUDE))
    assert third.text == f"{HONEST} You said: thanks"
    assert sim.violations == []


async def test_an_edit_waits_for_its_read(codex: Codex) -> None:
    prompt = user("replace 'a' with 'b' in /x.txt")
    first = await codex.send(full_body(prompt, tools=CLAUDE))
    assert [call["name"] for call in calls(first)] == ["Read"]
    second = await codex.send(full_body(prompt, *first.items, *outputs(first, "a"), tools=CLAUDE))
    assert arguments(second) == [{"file_path": "/x.txt", "old_string": "a", "new_string": "b"}]


async def test_on_the_lite_lane_calls_come_one_by_one(sim: Simulator, codex: Codex) -> None:
    prompt = user("write 'hello' to hello.txt and run `ls`")
    first = await codex.send(lite_body(prompt))
    assert [call["name"] for call in calls(first)] == ["exec_command"]
    assert arguments(first)[0]["cmd"] == "printf %s 'hello\n' > hello.txt"
    second = await codex.send(lite_body(prompt, *first.items, *outputs(first, "")))
    assert arguments(second)[0]["cmd"] == "ls"
    assert sim.violations == []


async def test_code_mode_gets_a_script(codex: Codex) -> None:
    body = lite_body("run `ls`")
    custom = {"type": "custom", "name": "exec", "description": "", "format": {"type": "text"}}
    body["input"][0]["tools"] = [{"type": "namespace", "name": "functions", "description": "", "tools": [custom]}]
    (call,) = calls(await codex.send(body))
    assert (call["name"], call["namespace"]) == ("exec", "functions")
    assert 'tools.exec_command({"cmd": "ls"})' in call["input"]


async def test_apply_patch_writes_files(codex: Codex) -> None:
    patch = {"type": "custom", "name": "apply_patch", "description": ""}
    (call,) = calls(await codex.send(full_body("write 'a' to b.txt", tools=[EXEC_TOOL, patch])))
    assert call["input"] == "*** Begin Patch\n*** Add File: b.txt\n+a\n*** End Patch"


async def test_any_tool_can_be_called_by_name_or_by_force(codex: Codex) -> None:
    weather = [function("get_weather", city="string", days="integer")]
    named = await codex.send(full_body('call get_weather with {"city": "Oslo"}', tools=weather))
    assert arguments(named) == [{"city": "Oslo"}]
    for choice in ({"type": "function", "name": "get_weather"}, "required"):
        forced = await codex.send(full_body("hm", tools=weather, tool_choice=choice))
        assert arguments(forced) == [{"city": "simulated city", "days": 1}]
    refrained = await codex.send(full_body("call get_weather", tools=weather, tool_choice="none"))
    assert calls(refrained) == []


async def test_json_schema_is_obeyed(codex: Codex) -> None:
    schema = {"type": "object", "properties": {"title": {"type": "string"}, "n": {"enum": [3, 4]}}}
    form = {"type": "json_schema", "name": "out", "schema": schema}
    answer = await codex.send(full_body("hi", text={"format": form}))
    assert json.loads(answer.text) == {"title": "simulated title", "n": 3}


async def test_structured_output_is_called_once(codex: Codex) -> None:
    tools = [function("StructuredOutput", name="string")]
    first = await codex.send(full_body("give name", tools=tools))
    assert arguments(first) == [{"name": "simulated name"}]
    second = await codex.send(full_body("give name", *first.items, *outputs(first, "ok"), tools=tools))
    assert "StructuredOutput: ok" in second.text


async def test_classifiers_and_compaction_get_their_shape(codex: Codex) -> None:
    for mark, verdict in (("<block>", "<block>no</block>"), ("<severity>", "<severity>0</severity>")):
        answer = await codex.send(full_body(FOLDER, f"Answer with {mark}", tools=[], instructions="You judge."))
        assert answer.text == verdict
    compaction = await codex.send(
        full_body("first words", "CRITICAL: Respond with TEXT ONLY. Summarise.", tools=CLAUDE)
    )
    assert compaction.text.startswith("<analysis>")
    assert "the user said: first words" in compaction.text
    assert compaction.text.endswith("</summary>")
    trigger = await codex.send(full_body("hi", {"type": "compaction_trigger"}))
    (item,) = [item for item in trigger.items if item["type"] == "compaction"]
    assert (await codex.send(full_body("hi", item))).status == 200


async def test_a_web_search_has_citations(codex: Codex) -> None:
    body = full_body("Perform a web search for the query: oslo", tools=[{"type": "web_search"}])
    for choice in ("auto", {"type": "web_search"}):
        answer = await codex.send({**body, "tool_choice": choice})
        search = next(item for item in answer.items if item["type"] == "web_search_call")
        assert search["action"]["query"] == "oslo"
        assert answer.items[-1]["content"][0]["annotations"][0]["type"] == "url_citation"


async def test_thinking_follows_the_request(codex: Codex) -> None:
    silent = await codex.send(full_body("hi", reasoning={"effort": "none"}))
    spoken = await codex.send(full_body("hi", reasoning={"effort": "low", "summary": "auto"}))
    hidden = await codex.send(full_body("hi", reasoning={"effort": "low"}))
    assert [item["type"] for item in silent.items] == ["message"]
    assert spoken.items[0]["summary"][0]["text"].startswith("**Simulating**")
    assert hidden.items[0]["summary"] == []


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "array", "items": {"type": "boolean"}, "minItems": 2}, [True, True]),
        ({"type": ["null", "integer"], "minimum": 5}, 5),
        ({"anyOf": [{"type": "null"}, {"const": 7}]}, 7),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "number"}}}, 1.0),
        ({"allOf": [{"properties": {"a": {"type": "null"}}}]}, {"a": None}),
        ({"type": "string", "maxLength": 3}, "sim"),
        ({"default": "x"}, "x"),
    ],
)
def test_samples_fit_their_schema(schema: Body, value: object) -> None:
    assert sample(schema) == value


def test_a_recursive_schema_ends() -> None:
    node: Body = {"type": "object", "properties": {"next": {"$ref": "#"}}}
    assert isinstance(sample(node), dict)
