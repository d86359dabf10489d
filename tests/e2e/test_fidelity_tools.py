"""Tools through the real claude: whatever they give back reaches the model, matched by id, and failures are visible."""

import base64

from claudex.simulator import Call, Text

from .conversation import Talk, agent, outputs, parts, pdf, png, spoken, text

WRAPPED = {
    "tool_uses": [
        {"recipient_name": "functions.Bash", "parameters": {"command": "echo one", "description": "One"}},
        {"recipient_name": "functions.Bash", "parameters": {"command": "echo two", "description": "Two"}},
    ]
}


def data_url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def test_parallel_tools_bring_back_an_image_a_pdf_and_their_failures(talk: Talk) -> None:
    (talk.cwd / "red.png").write_bytes(png())
    (talk.cwd / "page.pdf").write_bytes(pdf())
    talk.play(
        agent(
            Text("All at once.", phase="commentary"),
            Call("Bash", {"command": "sleep 0.3; echo oops >&2; exit 3", "description": "Fail"}, call_id="call_exit"),
            Call("Read", {"file_path": str(talk.cwd / "red.png"), "pages": ""}, call_id="call_png"),
            Call("Read", {"file_path": str(talk.cwd / "page.pdf"), "pages": ""}, call_id="call_pdf"),
            Call("Read", {"file_path": str(talk.cwd / "missing.txt")}, call_id="call_missing"),
            Call("NoSuchTool", {"a": 1}, call_id="call_nobody"),
            Call("Read", {"file": "x"}, call_id="call_wrong"),
            Call("Bash", {"command": "echo fine", "description": "Speak"}, call_id="call_fine"),
        ),
        agent("All seen."),
    )
    said = talk.ask("look at everything")
    assert said.text == "All seen."
    # An empty `pages` would be refused by Read as no page range.
    assert all("pages" not in arguments for _, arguments in said.calls)
    got = outputs(talk.last)
    called = [item["call_id"] for item in talk.last.input if item.get("type") == "function_call"]
    assert called == ["call_exit", "call_png", "call_pdf", "call_missing", "call_nobody", "call_wrong", "call_fine"]
    assert set(got) == set(called)
    for call, words in {
        "call_exit": "oops",
        "call_missing": "does not exist",
        "call_nobody": "No such tool available",
        "call_wrong": "InputValidationError",
    }.items():
        assert text(got[call]).startswith("[tool error]"), got[call]
        assert words in text(got[call])
    assert text(got["call_fine"]) == "fine"
    assert parts(got["call_png"], "input_image")[0]["image_url"] == data_url("image/png", png())
    assert "page.pdf" in text(got["call_pdf"])
    follows = talk.last.input[talk.last.input.index(_output_of(talk, "call_fine")) + 1]
    [document] = parts(follows["content"], "input_file")
    assert (follows["role"], document["file_data"]) == ("user", data_url("application/pdf", pdf()))


def _output_of(talk: Talk, call: str) -> dict[str, object]:
    return next(item for item in talk.last.input if item["type"] == "function_call_output" and item["call_id"] == call)


def test_broken_and_wrapped_calls_come_out_as_the_client_expects_them(talk: Talk) -> None:
    talk.play(
        agent(Call("Bash", '{"command": "echo never', call_id="call_broken")),
        agent(Call("multi_tool_use.parallel", WRAPPED, call_id="call_both")),
        agent(Call("Write", {"file_path": str(talk.cwd / "empty.txt"), "content": ""}, call_id="call_empty")),
        agent("Done."),
    )
    said = talk.ask("go")
    assert said.text == "Done."
    got = outputs(talk.last)
    assert text(got["call_broken"]).startswith("[tool error]")
    assert 'could not be parsed as JSON.\nYou sent (first 23 of 23 bytes): {"command": "echo never' in text(
        got["call_broken"]
    )
    assert [name for name, _ in said.calls] == ["Bash", "Bash", "Bash", "Write"]
    assert sorted(text(output) for call, output in got.items() if call.startswith("call_both")) == ["one", "two"]
    # An empty string that a tool requires is meant.
    assert (talk.cwd / "empty.txt").read_text() == ""


def test_an_image_mentioned_in_the_prompt_is_seen(talk: Talk) -> None:
    (talk.cwd / "red.png").write_bytes(png())
    talk.play(agent("Red."))
    assert talk.ask("what colour is @red.png ?").text == "Red."
    [images] = [found for item in talk.last.input if (found := parts(item.get("content"), "input_image"))]
    assert images[0]["image_url"] == data_url("image/png", png())
    assert "what colour is @red.png ?" in spoken(talk.last, "user")[-1]
