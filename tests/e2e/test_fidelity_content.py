"""What a prompt may hold, as the SDK or the user gives it: blocks of every kind, odd text, and a session's fork."""

import base64

from claudex.simulator import Call, Text

from .conversation import Talk, agent, outputs, parts, pdf, png, spoken, text

ODD = 'Grüße 🦘 "quoted" \\ back\tslash\u2028 and a pair: \U0001f468\u200d\U0001f469\u200d\U0001f467'


def encoded(kind: str, data: bytes) -> dict[str, str]:
    return {"type": "base64", "media_type": kind, "data": base64.b64encode(data).decode()}


def test_blocks_given_by_an_sdk_reach_the_model(talk: Talk) -> None:
    talk.play(agent("Seen."))
    said = talk.ask(
        [
            {"type": "text", "text": "Here are three things."},
            {"type": "image", "source": encoded("image/png", png())},
            {"type": "document", "source": encoded("application/pdf", pdf()), "title": "A page"},
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "Plain words."},
                "title": "Notes",
            },
            {"type": "text", "text": "What are they?"},
        ]
    )
    assert said.text == "Seen."
    asked = next(item for item in talk.last.input if "Here are three things." in text(item.get("content")))
    assert base64.b64encode(png()).decode() in parts(asked["content"], "input_image")[0]["image_url"]
    [file] = parts(asked["content"], "input_file")
    assert (file["filename"], base64.b64encode(pdf()).decode() in file["file_data"]) == ("A page.pdf", True)
    assert "Plain words." in text(asked["content"])


def test_odd_text_survives_in_both_directions(talk: Talk) -> None:
    made = talk.cwd / "odd 🦘.txt"
    raw = "printf '\\377\\376 \\000 \\355\\240\\200 \\033[31mred\\033[0m end'; echo; cat 'odd 🦘.txt'"
    talk.play(
        agent(Text(ODD, phase="commentary"), Call("Write", {"file_path": str(made), "content": ODD})),
        agent(Call("Bash", {"command": raw, "description": "Print bytes"}, call_id="call_raw")),
        agent(Text(ODD)),
    )
    said = talk.ask(ODD)
    assert said.text == ODD
    assert made.read_text() == ODD
    assert ODD in talk.last.user
    raw_said = text(outputs(talk.last)["call_raw"])
    assert "\0" in raw_said
    assert "\ufffd" in raw_said
    assert raw_said.endswith(ODD)
    assert ODD in spoken(talk.last, "assistant")


def test_a_fork_is_a_session_of_its_own(talk: Talk) -> None:
    talk.play(agent("One."), agent("Two."))
    first = talk.ask("count")
    fork = talk.ask("go on", "-r", first.session, "--fork-session")
    before, after = talk.requests
    assert fork.session != first.session
    assert [request.body["prompt_cache_key"] for request in (before, after)] == [first.session, fork.session]
    assert spoken(after, "assistant") == ["One."]
