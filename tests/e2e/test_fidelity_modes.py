"""Ways of starting claude that change what it sends or shows: no tools, bare, streamed in pieces; and a refusal."""

from claudex.simulator import Call, Refusal, Text

from .conversation import BETAS, Talk, agent, spoken, tools_of

GRAMMAR = {
    "content_block_start": ("message_start", "content_block_stop"),
    "content_block_delta": ("content_block_start", "content_block_delta"),
    "content_block_stop": ("content_block_delta", "content_block_start"),
    "message_delta": ("content_block_stop",),
    "message_stop": ("message_delta",),
    "message_start": ("message_stop", ""),
}


def test_claude_without_tools_or_with_few_is_answered(talk: Talk) -> None:
    talk.play(agent("Hi from bare."))
    assert talk.ask("hello", "--bare", tools=()).text == "Hi from bare."
    assert list(tools_of(talk.last)) == ["Bash", "Edit", "Read"]
    talk.stack.simulator.play("Miaow.")
    said = talk.ask("hello", "--tools", "", "--system-prompt", "You are a cat.", tools=())
    assert said.text == "Miaow."
    [asked] = [request for request in talk.stack.simulator.requests if not tools_of(request)]
    assert "You are a cat." in spoken(asked, "developer")[0]
    assert spoken(asked, "user")[-1].endswith("hello")


def test_what_the_model_says_in_refusal_can_be_read(talk: Talk) -> None:
    talk.play(agent(Refusal("I will not do that.")), agent("Something else, then."))
    said = talk.ask("do that")
    assert (said.text, said.result["stop_reason"]) == ("I will not do that.", "end_turn")
    assert talk.ask("and this?", "-c").text == "Something else, then."
    assert "I will not do that." in spoken(talk.last, "assistant")


def test_pieces_come_in_the_grammars_order_and_make_up_the_whole(talk: Talk) -> None:
    talk.environ = BETAS
    words = "A long answer, sent in pieces. " * 40
    run = Call("Bash", {"command": "echo a", "description": "Speak"})
    talk.play(agent(Text("Part one.", phase="commentary"), run), agent(Text(words)))
    said = talk.ask("go", "--include-partial-messages")
    events = [event["event"] for event in said.events if event["type"] == "stream_event"]
    before = ""
    for event in events:
        assert before in GRAMMAR[event["type"]], events
        before = event["type"]
    texts = [event["delta"].get("text", "") for event in events if event["type"] == "content_block_delta"]
    assert "".join(texts) == f"Part one.{words}"
    assert said.text.strip() == words.strip()
