"""Subagents and web search: requests beside the conversation, each answered in the shape that the client needs."""

from claudex.simulator import Call, Citation, Reasoning, Recorded, Text, WebSearch, turn

from .conversation import Talk, agent, outputs, subagent, text

PAGES = ["https://one.example.test/a", "https://two.example.test/b"]


def of_prompt(talk: Talk, prompt: str) -> list[Recorded]:
    return [request for request in talk.requests if prompt in request.user]


def delegate(name: str) -> Call:
    given: dict[str, object] = {
        "description": f"Do {name}",
        "prompt": f"subtask {name}",
        "subagent_type": "general-purpose",
    }
    given["run_in_background"] = False
    return Call("Agent", given, call_id=f"call_{name}")


def test_two_subagents_work_at_once_with_cache_keys_of_their_own(talk: Talk) -> None:
    for name in ("alpha", "beta"):
        run = Call("Bash", {"command": f"echo {name}", "description": "Speak"}, call_id=f"call_{name}_run")
        talk.play(subagent(f"subtask {name}", Reasoning(["**Sub**"]), Text("I look.", phase="commentary"), run))
        talk.play(subagent(f"subtask {name}", f"Report of {name}."))
    talk.play(subagent("main job", Reasoning(["**Both**"]), delegate("alpha"), delegate("beta")))
    talk.play(agent("Both reported."))
    said = talk.ask("main job")
    assert said.text == "Both reported."
    got = outputs(talk.last)
    keys = {}
    for name in ("alpha", "beta"):
        assert f"Report of {name}." in text(got[f"call_{name}"])
        own = of_prompt(talk, f"subtask {name}")
        assert len(own) == 2
        [keys[name]] = {request.body["prompt_cache_key"] for request in own}
        # A subagent's thinking is kept through its own loop.
        assert [item["type"] for item in own[-1].input].count("reasoning") == 1
    [main] = {request.body["prompt_cache_key"] for request in of_prompt(talk, "main job")}
    assert main == said.session
    assert len({main, *keys.values()}) == 3


def searching(request: Recorded) -> bool:
    return any(tool["type"] == "web_search" for tool in request.body.get("tools") or [])


def test_web_search_lists_its_links_and_is_counted(talk: Talk) -> None:
    words = "Quokkas smile."
    talk.play(
        agent(Call("WebSearch", {"query": "quokka news", "allowed_domains": ["example.test"]}, call_id="call_search")),
        turn(
            WebSearch("quokka news", sources=PAGES),
            Text(words, citations=[Citation(PAGES[0], "Page one", 0, len(words))]),
            when=searching,
        ),
        agent("Found it."),
    )
    said = talk.ask("search for quokkas")
    assert said.text == "Found it."
    [search] = [request for request in talk.stack.simulator.requests if searching(request)]
    [hosted] = [tool for tool in search.body["tools"] if tool["type"] == "web_search"]
    assert hosted["filters"]["allowed_domains"] == ["example.test"]
    found = text(outputs(talk.last)["call_search"])
    assert all(f'"url":"{page}"' in found for page in PAGES)
    assert words in found
    assert said.result["modelUsage"].popitem()[1]["webSearchRequests"] == 1


def test_a_subagent_in_the_background_is_heard_of_when_it_is_done(talk: Talk) -> None:
    call = delegate("alpha")
    talk.play(
        subagent("main job", Call("Agent", {**call.arguments, "run_in_background": True}, call_id="call_alpha")),
        subagent("subtask alpha", "Report of alpha.", delay=1.0),
        subagent("main job", "It runs."),
        agent("It has reported."),
    )
    said = talk.ask("main job")
    assert said.text == "It has reported."
    assert "Report of alpha." in talk.last.user
