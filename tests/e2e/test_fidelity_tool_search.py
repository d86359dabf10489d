"""Tool search, with the client's experimental betas on: deferred tools load, or run unloaded; the cache stays whole."""

import json
from itertools import pairwise

import pytest

from claudex.simulator import Call, Reasoning, Recorded

from .conversation import BETAS, Talk, agent, outputs, text, tools_of
from .test_fidelity_mcp import server

PLACEHOLDER = "DeferredToolPlaceholder"
# The simulated cache works in steps of 128 tokens of four bytes.
STEP = 128


def find(query: str, call: str) -> Call:
    return Call("ToolSearch", {"query": query, "max_results": 5}, call_id=call)


def tokens_of_tools(request: Recorded) -> int:
    return len(json.dumps(list(tools_of(request).values()), separators=(",", ":"))) // 4


def test_deferred_tools_load_and_run_and_the_cache_survives(talk: Talk) -> None:
    talk.environ = BETAS
    talk.play(
        agent(Reasoning(["**Search**"]), find("select:CronList,mcp__odd__bare", "call_find")),
        agent(Call("CronList", {}, call_id="call_cron"), Call("mcp__odd__bare", {"a": 1}, call_id="call_bare")),
        agent(find("select:WebFetch", "call_again"), find("select:NoSuchTool", "call_nothing")),
        agent(Call("mcp__odd__references", {"at": {"x": 2}}, call_id="call_unloaded")),
        agent("Done."),
    )
    assert talk.ask("go", *server()).text == "Done."
    got = {call: text(output) for call, output in outputs(talk.last).items()}
    assert got["call_find"] == "loaded: CronList, mcp__odd__bare"
    assert got["call_bare"] == 'bare got {"a": 1}'
    assert got["call_again"] == "loaded: WebFetch"
    assert got["call_nothing"] == "No matching deferred tools found"
    assert got["call_unloaded"] == 'references got {"at": {"x": 2}}'

    lists = [list(tools_of(request)) for request in talk.requests]
    assert not any(PLACEHOLDER in request.data.decode() for request in talk.requests)
    assert "ToolSearch" in lists[0]
    assert not {"CronList", "WebFetch", "mcp__odd__bare"} & set(lists[0])
    assert all(later[: len(earlier)] == earlier for earlier, later in pairwise(lists))
    assert lists[-1][len(lists[0]) :] == ["CronList", "mcp__odd__bare", "WebFetch"]

    # What stands before the tools that joined is still in the cache; without new tools, all of it is.
    for (earlier, later), (before, now) in zip(pairwise(talk.requests), pairwise(talk.lines()), strict=True):
        kept = before["input"] if tools_of(earlier) == tools_of(later) else tokens_of_tools(earlier)
        assert now["cached"] >= kept - 2 * STEP, (before, now)


def test_tools_that_come_late_are_named_and_the_list_stays(talk: Talk) -> None:
    if not talk.newer:
        pytest.skip("2.1.197 with tool search does not hear of tools that come late")
    talk.environ = BETAS
    talk.play(
        agent(Call("mcp__odd__bare", {})),
        agent(Call("Bash", {"command": "sleep 0.5", "description": "Wait"})),
        agent(find("select:mcp__odd__aardvark", "call_find")),
        agent(Call("mcp__odd__aardvark", {"now": 1}, call_id="call_late")),
        agent("Done."),
    )
    talk.ask("go", *server("late"))
    assert text(outputs(talk.last)["call_late"]) == 'aardvark got {"now": 1}'
    lists = [list(tools_of(request)) for request in talk.requests]
    assert lists[2] == lists[0]
    assert lists[-1] == [*lists[0], "mcp__odd__aardvark"]
