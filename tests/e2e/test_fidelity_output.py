"""What the user asks of the answer: its form, how hard the model thinks, and limits that are not meant as limits."""

import json

from claudex.simulator import Call, Text

from .conversation import Talk, agent, effort, outputs, text, tools_of

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "legs": {"type": "integer"}, "note": {"type": "string"}},
    "required": ["name", "legs"],
}


def test_structured_output_is_asked_for_again_until_it_fits(talk: Talk) -> None:
    talk.play(
        agent("A quokka has four legs."),
        agent(Call("StructuredOutput", {"name": "quokka", "legs": "four"}, call_id="call_wrong")),
        agent(Call("StructuredOutput", {"name": "quokka", "legs": 4, "note": ""})),
    )
    said = talk.ask("describe a quokka", "--json-schema", json.dumps(SCHEMA))
    # An empty string in a field that need not be there says nothing.
    assert said.result["structured_output"] == {"name": "quokka", "legs": 4}
    assert set(tools_of(talk.last)["StructuredOutput"]["parameters"]["properties"]) == {"name", "legs", "note"}
    assert text(outputs(talk.last)["call_wrong"]).startswith("[tool error]")
    assert "StructuredOutput" in talk.requests[1].user
    assert len(talk.requests) == 3


# What `claude --effort X` reaches the backend as when a slot's own effort is what "high", claude's default, means.
EFFORTS = {"": "xhigh", "low": "low", "medium": "medium", "high": "xhigh", "xhigh": "xhigh", "max": "max"}


def test_each_effort_reaches_the_backend(talk: Talk) -> None:
    got = {}
    for asked in EFFORTS:
        talk.play(agent("Fine."))
        talk.ask("how are you?", *(["--effort", asked] if asked else []))
        got[asked] = effort(talk.last)
    assert got == EFFORTS


def test_what_claude_calls_max_tokens_cuts_nothing(talk: Talk) -> None:
    long = "word " * 4000
    talk.play(agent(Text(long)))
    said = talk.ask("write a lot", CLAUDE_CODE_MAX_OUTPUT_TOKENS="1000")
    assert said.text.strip() == long.strip()
    assert len(talk.requests) == 1
    talk.play(agent("Half", incomplete="max_output_tokens"), agent(" and the rest."))
    said = talk.ask("write more", CLAUDE_CODE_MAX_OUTPUT_TOKENS="64000")
    assert said.text.strip() == "and the rest."
    assert "Output token limit hit" in talk.last.user
    assert "Half" in talk.last.data.decode()
