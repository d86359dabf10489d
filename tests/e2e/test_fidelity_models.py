"""Model names as users write them, and what the other models than the main one are asked."""

from claudex.simulator import Call, Citation, Reasoning, Text, WebSearch, turn

from .conversation import Talk, agent, effort, outputs, subagent, text
from .test_fidelity_agents import searching

SOL, LUNA = "gpt-6.1-sol", "gpt-6-luna"
# `--model X`: the model and the effort that answer, by the map of a new home.
NAMES = {
    "opus": (SOL, "xhigh"),
    "sonnet": (SOL, "medium"),
    "haiku": (LUNA, "low"),
    "opus[1m]": (SOL, "xhigh"),
    "claude-opus-4-8": (SOL, "xhigh"),
    "claude-sonnet-4-5": (SOL, "medium"),
    "claude-haiku-4-5": (LUNA, "low"),
    "gpt-6-sol(low)": ("gpt-6-sol", "low"),
    "gpt-5.5-medium": ("gpt-5.5", "medium"),
}


def test_every_name_answers_with_its_model_and_keeps_its_thinking(talk: Talk) -> None:
    got = {}
    for name in NAMES:
        run = Call("Bash", {"command": "echo ran", "description": "Speak"}, call_id="call_run")
        talk.play(agent(Reasoning(["**One**"]), run), agent("Fine."))
        assert talk.ask("how are you?", "--model", name).text == "Fine."
        got[name] = (talk.last.body["model"], effort(talk.last))
        assert [item["type"] for item in talk.last.input].count("reasoning") == 1, name
        assert text(outputs(talk.last)["call_run"]).startswith("ran")
    assert got == NAMES


def test_a_model_that_cannot_search_has_another_one_search(talk: Talk) -> None:
    talk.losses = {"search.blocked_domain"}
    page = "https://one.example.test/a"
    talk.play(
        agent(Call("WebSearch", {"query": "quokka", "blocked_domains": ["two.example.test"]}, call_id="call_search")),
        turn(
            WebSearch("quokka", sources=[page, "https://two.example.test/b"]),
            Text("They smile. They hop.", citations=[Citation(page, "Page one", 0, 11)]),
            when=searching,
        ),
        agent("Found."),
    )
    assert talk.ask("search", "--model", "haiku").text == "Found."
    [search] = [request for request in talk.stack.simulator.requests if searching(request)]
    assert (search.body["model"], search.lane) == ("gpt-6-sol", "full")
    assert (talk.last.body["model"], talk.last.lane) == (LUNA, "lite")
    found = text(outputs(talk.last)["call_search"])
    assert page in found
    assert "two.example.test" not in found


def test_a_subagent_may_have_a_model_of_its_own(talk: Talk) -> None:
    given = {
        "description": "Look",
        "prompt": "subtask",
        "subagent_type": "general-purpose",
        "model": "haiku",
        "run_in_background": False,
    }
    talk.play(
        subagent("main job", Call("Agent", given, call_id="call_agent")),
        subagent("subtask", "Looked."),
        agent("Heard."),
    )
    assert talk.ask("main job").text == "Heard."
    assert [request.body["model"] for request in talk.requests] == [SOL, LUNA, SOL]
    assert "Looked." in text(outputs(talk.last)["call_agent"])
