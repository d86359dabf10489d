"""Who the client says it is decides which model it gets."""

import pytest

from claudex.simulator import Simulator

from .codex import AGENT, Codex, full_body, user


@pytest.mark.parametrize(
    ("header", "value", "status", "words"),
    [
        ("authorization", "", 401, "no `Authorization: Bearer`"),
        ("authorization", "Bearer nonsense", 401, "not issued by this simulator"),
        ("chatgpt_account_id", "", 403, "`chatgpt-account-id` is None"),
        ("chatgpt_account_id", "other", 403, "belongs to 'acct-simulator'"),
        ("x_openai_fedramp", "true", 403, "fedramp=False"),
        ("originator", "", 404, "`originator` ''"),
        ("originator", "claude_code", 404, "codex family"),
        ("originator", "codex_exec", 404, "names 'codex_cli_rs'"),
        ("user_agent", "python-requests/2.0", 404, "does not look like codex"),
        ("version", "", 404, "`version` is missing"),
        ("version", "0.100.0", 400, "needs 0.124.0"),
        ("version", "0.168.0", 404, "`user-agent` says 0.169.0"),
        ("user_agent", AGENT.replace("0.169", "0.100"), 400, "`user-agent` claims 0.100.0"),
        ("content_type", "text/plain", 415, "application/json"),
        ("accept", "application/json", 406, "text/event-stream"),
        ("content_encoding", "br", 415, "content-encoding"),
        ("content_encoding", "zstd", 400, "no valid zstd"),
        ("x_openai_internal_codex_responses_lite", "1", 400, "must be true"),
        ("x_codex_turn_metadata", "[", 400, "not a JSON object"),
    ],
)
async def test_a_wrong_header_is_refused(
    sim: Simulator, codex: Codex, header: str, value: str, status: int, words: str
) -> None:
    answer = await codex.send(full_body("hi"), **{header: value})
    assert answer.status == status
    assert words in sim.violations[0]


async def test_a_gated_model_says_that_it_needs_a_newer_client(codex: Codex) -> None:
    old = {"version": "0.130.0", "user_agent": AGENT.replace("0.169", "0.130")}
    answer = await codex.send(full_body("hi", model="gpt-6-sol"), **old)
    assert answer.json["detail"].startswith("The 'gpt-6-sol' model requires a newer version of Codex.")


async def test_a_fedramp_account_must_say_so(
    sim: Simulator, codex: Codex, tmp_path_factory: pytest.TempPathFactory
) -> None:
    fedramp = Codex(sim, tmp_path_factory.mktemp("fedramp"), account_id="acct-gov", fedramp=True)
    assert (await fedramp.send(full_body("hi"))).status == 403
    assert (await fedramp.send(full_body("hi"), x_openai_fedramp="true")).status == 200


async def test_cookies_and_turn_state_that_should_not_come_back_are_noted(sim: Simulator, codex: Codex) -> None:
    answer = await codex.send(full_body("hi"))
    history = [user("hi"), *answer.items]
    assert [cookie.split("=")[0] for cookie in answer.headers.getall("set-cookie")] == ["__cf_bm", "oai-sim"]
    state = answer.headers["x-codex-turn-state"]
    assert (
        await codex.send(full_body(*history, "more"), x_codex_turn_state=state, cookie="oai-sim=x; __cf_bm=y")
    ).status == 200
    assert len(sim.violations) == 2
    assert "finished turn" in sim.violations[0]
    assert "oai-sim" in sim.violations[1]


async def test_turn_state_is_kept_within_a_turn(sim: Simulator, codex: Codex) -> None:
    first = await codex.send(full_body("run `ls`"))
    state = first.headers["x-codex-turn-state"]
    again = await codex.send(full_body("run `ls`"), x_codex_turn_state=state)
    assert again.headers["x-codex-turn-state"] == state
    await codex.send(full_body("a side call"), x_codex_turn_state=state)
    last = await codex.send(full_body("run `ls`"), x_codex_turn_state=state)
    assert last.headers["x-codex-turn-state"] == state
    assert sim.violations == []
    await codex.send(full_body("hi"), x_codex_turn_state="made up")
    assert "not issued to this account" in sim.violations[0]
