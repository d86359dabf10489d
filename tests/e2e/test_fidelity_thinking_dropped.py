"""Thinking that cannot be used: another account's, what the backend refuses, and a client that wants none."""

from claudex.simulator import Reasoning, Text, fault

from .conversation import Talk, agent, outputs, spoken, text
from .test_fidelity_thinking import echo, emitted, restored, thought

REFUSED = {"error": {"code": "invalid_encrypted_content", "message": "The encrypted content could not be verified."}}


def test_a_client_without_thinking_loses_none_in_its_tool_loop(talk: Talk) -> None:
    talk.environ = {"MAX_THINKING_TOKENS": "0"}
    items = (thought(1), Text("On it.", phase="commentary"), echo("a"), thought(2), echo("b"))
    talk.play(agent(*items), agent("Done."))
    said = talk.ask("do it")
    assert said.text == "Done."
    assert restored(talk.last) == emitted(*items)


def test_another_login_keeps_the_conversation_and_not_the_thinking(talk: Talk) -> None:
    talk.losses = {"thinking.other_account"}
    talk.play(agent(Reasoning(["**Mine**"]), Text("On it.", phase="commentary"), echo("a")), agent("Done."))
    talk.ask("do it")
    talk.stack.simulator.login(talk.stack.codex_home, account_id="acct-other", email="other@example.test")
    talk.play(agent(Reasoning(["**Theirs**"]), "Still here."))
    assert talk.ask("and now?", "-c").text == "Still here."
    assert talk.last.account is not None
    assert talk.last.account.account_id == "acct-other"
    assert restored(talk.last) == [
        ("message", "commentary", "On it."),
        ("call", "call_a"),
        ("message", "final_answer", "Done."),
    ]
    assert text(outputs(talk.last)["call_a"]) == "a"
    assert talk.counted() == {"thinking.other_account": 1}


def test_thinking_that_the_backend_refuses_is_left_out_once_and_nobody_notices(talk: Talk) -> None:
    talk.losses = {"thinking.stripped"}
    talk.play(agent(thought(1), echo("a")), fault(400, REFUSED), agent("Done."))
    said = talk.ask("do it")
    assert said.text == "Done."
    refused, again = talk.requests[1:]
    assert (refused.status, again.status) == (400, 200)
    assert restored(again) == [("call", "call_a")]
    assert outputs(again) == outputs(refused)
    assert spoken(again, "user") == spoken(refused, "user")
