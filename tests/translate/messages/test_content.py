"""User and system turns: what each block becomes."""

import base64
import json

import pytest

from claudex.translate import models
from claudex.translate.messages.request import decode, translate
from claudex.translate.models import Target
from claudex.wire.catalog import ModelInfo

from .support import (
    CATALOG,
    MAP,
    PDF,
    PNG,
    TAG,
    Json,
    assistant,
    call,
    encoded,
    image,
    items,
    pdf,
    request,
    result,
    text,
    thought,
    translated,
    upstream,
    user,
)

BLIND = Target("gpt-5.5", "low", ModelInfo(slug="gpt-5.5", input_modalities=["text"]))


def parts(*blocks: Json | str, **options: object) -> list[Json]:
    """The parts of one user message."""
    found: list[Json] = items(request(user(*blocks)), **options)[-1]["content"]
    return found


def output(content: object, **more: object) -> object:
    """The output of one tool call."""
    history = request(user("go"), assistant(call("a")), user(result("a", content, **more)))
    return next(item["output"] for item in items(history) if item["type"] == "function_call_output")


def line(what: str) -> Json:
    return {"type": "input_text", "text": f"[claudex: {what}]"}


def test_texts_stay_apart_and_empty_ones_go() -> None:
    assert parts("a", "", " \n", "b") == [{"type": "input_text", "text": words} for words in ("a", " \n", "b")]


def test_a_conversation_of_nothing_still_asks_something() -> None:
    assert items(request(user("")))[0]["content"][0]["text"] == "(empty message)"


def test_consecutive_user_messages_stay_apart() -> None:
    assert [item["content"][0]["text"] for item in items(request(user("a"), user("b")))] == ["a", "b"]


def test_images_travel_by_data_and_by_address() -> None:
    url = {"type": "image", "source": {"type": "url", "url": "https://a.example/x.png"}}
    assert parts(image(), url, "see") == [
        {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"},
        {"type": "input_image", "image_url": "https://a.example/x.png"},
        {"type": "input_text", "text": "see"},
    ]


def test_a_mislabelled_image_gets_its_real_type() -> None:
    assert parts(image(media_type="image/jpeg"))[0]["image_url"].startswith("data:image/png;")


def test_base64_with_line_breaks_or_no_padding_is_mended() -> None:
    assert parts(image(PNG[:40] + "\n" + PNG[40:].rstrip("=")))[0]["image_url"].endswith(PNG)


@pytest.mark.parametrize(
    ("block", "says", "loss"),
    [
        (image("PHN2Zz4="), "an image that is no PNG, JPEG, GIF or WebP could not be carried", "image.media_type"),
        (image("iVBORw0KGgo*"), "an image that is no PNG, JPEG, GIF or WebP could not be carried", "image.media_type"),
        (image(""), "an image that is no PNG, JPEG, GIF or WebP could not be carried", "image.media_type"),
        (
            {"type": "image", "source": {"type": "url", "url": "http://a.example/x"}},
            "the image at http://a.example/x could not be carried",
            "image.url",
        ),
        (
            {"type": "image", "source": {"type": "file", "file_id": "f"}},
            "an image from a file source could not be carried",
            "image.file",
        ),
        (
            {"type": "document", "source": {"type": "url", "url": "https://a.example/x.pdf"}},
            "the document https://a.example/x.pdf could not be carried",
            "document.url",
        ),
        (
            {"type": "document", "title": "T", "source": {"type": "file", "file_id": "f"}},
            "the document T could not be carried",
            "document.file",
        ),
        (
            {"type": "container_upload", "file_id": "f"},
            'a block of type "container_upload" could not be carried',
            "block.container_upload",
        ),
        (call("a"), 'a block of type "tool_use" could not be carried', "block.tool_use"),
    ],
)
def test_what_cannot_be_carried_is_one_line_where_it_stood(block: Json, says: str, loss: str) -> None:
    assert parts("before", block, "after")[1] == line(says)
    assert translated(request(user(block))).losses == {loss: 1}


def test_a_model_that_reads_text_only_is_told_what_it_misses() -> None:
    found = parts(image(), pdf(), target=BLIND)
    assert found == [
        line("an image was left out: gpt-5.5 reads text only"),
        line("a PDF was left out: gpt-5.5 reads text only"),
    ]


def test_a_pdf_is_a_file() -> None:
    sent = {"type": "input_file", "filename": "document.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}
    assert parts(pdf()) == [sent]
    assert parts(pdf(title="a.pdf", context="scan")) == [
        {"type": "input_text", "text": "scan"},
        {**sent, "filename": "a.pdf"},
    ]
    assert parts(pdf(title="A page")) == [{**sent, "filename": "A page.pdf"}]


def test_text_documents_are_text() -> None:
    plain = {"type": "text", "media_type": "text/plain", "data": "words"}
    coded = {"type": "base64", "media_type": "text/plain", "data": base64.b64encode("wörds".encode()).decode()}
    inner = {"type": "content", "content": [text("words"), image()]}
    said = {"type": "input_text", "text": "words"}
    assert parts({"type": "document", "source": plain, "title": "T"}) == [
        {"type": "input_text", "text": "[document: T]"},
        said,
    ]
    assert parts({"type": "document", "source": coded}) == [{"type": "input_text", "text": "wörds"}]
    assert [part["type"] for part in parts({"type": "document", "source": inner})] == ["input_text", "input_image"]
    assert parts({"type": "document", "source": {"type": "content", "content": "words"}}) == [said]


def test_a_search_result_keeps_title_and_source() -> None:
    block = {"type": "search_result", "title": "T", "source": "https://a.example", "content": [text("x")]}
    assert [part["text"] for part in parts(block)] == ["[search result: T, https://a.example]", "x"]


@pytest.mark.parametrize("content", ["done", [{"type": "text", "text": "done"}]])
def test_a_result_of_one_text_is_that_text(content: object) -> None:
    assert output(content) == "done"
    assert output(content, is_error=False) == "done"
    assert output(content, is_error=True) == "[tool error]\ndone"


@pytest.mark.parametrize("content", ["", [], None, [text("")]])
def test_an_empty_result_is_an_empty_text(content: object) -> None:
    assert output(content) == ""
    assert output(content, is_error=True) == "[tool error]"


def test_a_result_without_content_is_empty() -> None:
    history = request(user("go"), assistant(call("a")), user({"type": "tool_result", "tool_use_id": "a"}))
    assert items(history)[-1]["output"] == ""


def test_images_stay_inside_their_result() -> None:
    assert output([text("here"), image(), text("there")], is_error=True) == [
        {"type": "input_text", "text": "[tool error]"},
        {"type": "input_text", "text": "here"},
        {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"},
        {"type": "input_text", "text": "there"},
    ]


def test_a_file_stands_beside_its_result() -> None:
    history = request(user("go"), assistant(call("a")), user(result("a", [text("read"), pdf()]), "and?"))
    outcome, message = items(history)[-2:]
    assert outcome["output"][1] == line("a document of this result follows in the next user message")
    assert [part["type"] for part in message["content"]] == ["input_text", "input_file", "input_text"]


def test_loaded_tools_are_named_as_the_model_must_call_them() -> None:
    long = "mcp__demo__" + "x" * 80
    references = [{"type": "tool_reference", "tool_name": name} for name in ("WebFetch", long)]
    said = output(references)
    assert isinstance(said, str)
    assert said.startswith("loaded: WebFetch, mcp__demo__xxx")
    assert len(said.split(", ")[1]) <= 64
    assert output([*references[:1], text("ok")]) == [
        {"type": "input_text", "text": "loaded: WebFetch"},
        {"type": "input_text", "text": "ok"},
    ]


def test_system_messages_stay_where_they_are() -> None:
    history = request(user("a"), {"role": "system", "content": "note"}, assistant("b"), user("c"), system="base")
    assert [item["role"] for item in items(history)] == ["developer", "user", "developer", "assistant", "user"]


def test_a_developer_message_holds_text_only() -> None:
    history = request(user("a"), {"role": "system", "content": [text("x"), image()]})
    assert items(history)[-1]["content"][1] == line('a block of type "image" could not be carried')


def test_tool_changes_inside_the_conversation_are_said_and_done() -> None:
    definition = {"name": "Late", "description": "d", "input_schema": {"type": "object", "properties": {}}}
    added = {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": definition}}
    removed = {"type": "tool_removal", "tool": {"type": "tool_reference", "name": "Old"}}
    body = request(user("a"), {"role": "system", "content": [added, removed]}, model="gpt-5.5")
    sent = upstream(body)
    assert [part["text"] for part in sent["input"][-1]["content"]] == ["tool added: Late", "tool removed: Old"]
    assert [tool["name"] for tool in sent["tools"]] == ["Late"]


def test_large_results_pass() -> None:
    words = "x\n" * 5_000_000
    assert output(words) == words


def test_a_large_body_stays_valid_json() -> None:
    up = translated(request(user(*["é" * 1000] * 1000)))
    assert len(json.loads(up.body)["input"][0]["content"]) == 1000


def test_ten_megabytes_nul_and_a_signature_of_300_000_characters_arrive_whole() -> None:
    output = "\x00é\n" * 2_600_000
    sealed = "gAAAA" + "S" * 300_000
    history = request(user("go"), assistant(thought(sealed_as=sealed), call("a")), user(result("a", output)))
    body = decode(encoded(history))
    target = models.resolve(body.model, body.effort, MAP, CATALOG)
    sent = json.loads(translate(body, target=target, account_tag=TAG, catalog=CATALOG).body)["input"]
    assert sent[1]["encrypted_content"] == sealed
    assert sent[-1]["output"] == output
