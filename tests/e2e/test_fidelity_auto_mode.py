"""Auto mode: a classifier through the proxy when the betas are off, and never a verdict that nobody gave."""

from pathlib import Path

from claudex.simulator import Call, Recorded, turn

from .conversation import BETAS, Talk, agent, effort, outputs, text, tools_of

AUTO = ("--permission-mode", "auto")
# As often as claude asks again, in each of two stages, when it cannot read the answer.
ASKED_AGAIN = 5


def marked(talk: Talk) -> Path:
    return talk.cwd / "marked.txt"


def mark(talk: Talk) -> None:
    """The model runs a command that auto mode checks, and ends."""
    given = {"command": f"touch {marked(talk)} && chmod 777 {marked(talk)}", "description": "Mark"}
    talk.play(agent(Call("Bash", given, call_id="call_mark")), agent("That was it."))


def verdicts(talk: Talk) -> list[Recorded]:
    return [request for request in talk.stack.simulator.requests if is_verdict(request)]


def is_verdict(request: Recorded) -> bool:
    return not tools_of(request) and b"<block>" in request.data


def told(talk: Talk) -> str:
    return text(outputs(talk.last)["call_mark"])


def test_the_classifier_is_asked_through_the_proxy_and_its_no_lets_the_tool_run(talk: Talk) -> None:
    # Stage one thinks, and ends where the client wants it cut; 64 or 2,112 tokens would not be a reasoning model's.
    talk.play(turn("<block>no</block> because it only touches a file", when=is_verdict))
    mark(talk)
    talk.ask("mark it", tools=AUTO)
    assert marked(talk).exists()
    [asked] = verdicts(talk)
    assert effort(asked) == "low"

    marked(talk).unlink()
    talk.play(
        turn("<block>yes</block>", when=is_verdict), turn("On second thought.\n<block>no</block>", when=is_verdict)
    )
    mark(talk)
    talk.ask("mark it again", tools=AUTO)
    assert len(verdicts(talk)) == 3
    assert marked(talk).exists()


def test_a_classifiers_yes_and_its_mumbling_keep_the_tool_from_running(talk: Talk) -> None:
    talk.play(turn("<block>yes</block>", when=is_verdict, repeat=2))
    mark(talk)
    talk.ask("mark it", tools=AUTO)
    assert "denied by the Claude Code auto mode classifier" in told(talk)
    assert len(verdicts(talk)) == 2
    talk.stack.simulator.clear()

    talk.play(turn("I cannot say.", when=is_verdict, repeat=0))
    mark(talk)
    talk.ask("mark it", tools=AUTO)
    assert "Auto mode could not evaluate this action" in told(talk)
    assert len(verdicts(talk)) == 2 * ASKED_AGAIN
    assert not marked(talk).exists()


def test_no_verdict_is_invented_for_a_client_that_asks_its_server(talk: Talk) -> None:
    talk.environ = BETAS
    mark(talk)
    talk.ask("mark it", tools=AUTO)
    assert b"safeguards" not in b"".join(request.data for request in talk.requests)
    assert b"live_cwd" not in b"".join(request.data for request in talk.requests)
    if talk.newer:
        assert verdicts(talk) == []
        assert "its safety check does not run for this session, so Bash was not run" in told(talk)
    else:  # this one knows no server-side check, and goes on asking its classifier
        assert len(verdicts(talk)) == 1
    assert marked(talk).exists() is not talk.newer
