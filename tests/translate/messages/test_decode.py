import json

import pytest

from claudex.errors import BadRequest
from claudex.translate.messages.decode import decode

from .support import assistant, encoded, items, request, result, text, translated, user


def refusal(body: object) -> str:
    with pytest.raises(BadRequest) as error:
        translated(body if isinstance(body, bytes) else encoded(body))  # type: ignore[arg-type]
    return error.value.message


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (request() | {"messages": "hi"}, "messages must be a list"),
        (request() | {"messages": []}, "messages must hold at least one message"),
        (request() | {"model": ""}, "model must not be empty"),
        (request() | {"model": 5}, "model must be a string"),
        ({"messages": [user("hi")]}, "model is required"),
        (request({"role": "user"}), "messages[0].content is required"),
        (request({"role": "user", "content": 5}), "messages[0].content must be a string or a list of blocks"),
        (request({"role": "user", "content": None}), "messages[0].content must be a string or a list of blocks"),
        (request({"role": "tool", "content": "x"}), 'messages[0].role must be "user", "assistant" or "system"'),
        (request(user("a"), user("b"), user({"type": "text"})), "messages[2].content[0].text is required"),
        (request(user({"type": "text", "text": 5})), "messages[0].content[0].text must be a string"),
        (request(user({"text": "x"})), "messages[0].content[0].type is required"),
        (request({"role": "user", "content": ["x"]}), "messages[0].content[0] must be an object"),
        (
            request(user(result("a", [{"type": "text", "text": 1}]))),
            "messages[0].content[0].content[0].text must be a string",
        ),
        (request(user({"type": "tool_result"})), "messages[0].content[0].tool_use_id is required"),
        (request(user({"type": "image"})), "messages[0].content[0].source is required"),
        (request(user({"type": "image", "source": {}})), "messages[0].content[0].source.type is required"),
        (request(user({"type": "image", "source": 3})), "messages[0].content[0].source must be an object"),
        (request(assistant({"type": "tool_use", "name": "x"})), "messages[0].content[0].id is required"),
        (request(system=5), "system must be a string or a list of blocks"),
        (request(system=[{"type": "text"}]), "system[0].text is required"),
        (request(tools=[{"name": "x", "input_schema": "y"}]), "tools[x].input_schema must be an object"),
        (request(tools=[{"name": "x"}]), "tools[x].input_schema must be an object"),
        (request(tools=[{"name": "x\ny"}]), "tools[x_y_a3b8d5ab0723].input_schema must be an object"),
        (request(tools=[{"input_schema": {}}]), "tools[0].name is required"),
        (request(tools={}), "tools must be a list"),
        (request(max_tokens="x"), "max_tokens must be an integer"),
        (request(max_tokens=0), "max_tokens must be at least 1"),
        (request(tool_choice={"type": "some"}), 'tool_choice.type must be "auto", "any", "tool" or "none"'),
        (request(stream="yes"), "stream must be true or false"),
    ],
)
def test_a_wrong_shape_is_named_with_its_place(body: object, says: str) -> None:
    assert refusal(body) == says


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "The request body is not valid JSON"),
        (b"{", "The request body is not valid JSON"),
        (b"[]", "The request body must be an object"),
        (b'{"model":"\xff"}', "The request body is not valid UTF-8 (byte 10)"),
        (b'{"model":"' + b"a" * 40_000 + b"\xe2\x82", "The request body is not valid UTF-8 (byte 40010)"),
        (b"[" * 100_000, "The request body"),
        (b'{"model":"a\nb"}', "The request body is not valid JSON"),
    ],
)
def test_what_is_no_json_is_said_in_one_sentence(body: bytes, says: str) -> None:
    assert refusal(body).startswith(says)


def test_deep_nesting_is_refused_and_does_no_harm() -> None:
    deep = b"[" * 50_000 + b"]" * 50_000
    assert "nested too deeply" in refusal(b'{"model":"x","metadata":' + deep)
    assert "nested too deeply" in refusal(b'{"messages":[{"role":"user","content":[{"type":"x","input":' + deep)


@pytest.mark.parametrize("size", [1, 3, 32766, 32767, 32768, 32769, 70_000])
def test_other_alphabets_may_stand_at_any_offset(size: int) -> None:
    words = "a" * size + "…é漢😀" * 9000
    assert items(request(user(words)))[-1]["content"][0]["text"] == words


@pytest.mark.parametrize(
    ("escaped", "arrives"),
    [
        (rb"\ud83d\ude00", "😀"),
        (rb"\ud800", "\ufffd"),
        (rb"\uDFFFx", "\ufffdx"),
        (rb"\ud800\ud83d\ude00", "\ufffd😀"),
        (rb"\\ud800", "\\ud800"),
        (rb"\\\ud800", "\\\ufffd"),
        (rb"\"\ud800\"", '"\ufffd"'),
        (rb"\udc00\ud800", "\ufffd\ufffd"),
    ],
)
def test_half_a_surrogate_pair_becomes_the_replacement_character(escaped: bytes, arrives: str) -> None:
    body = encoded(request(user("HERE"), user("\ud800 elsewhere".replace("\ud800", "")))).replace(b"HERE", escaped)
    assert items(body)[0]["content"][0]["text"] == arrives


def test_nul_is_legal_json_and_stays() -> None:
    assert items(request(user("a\0b")))[0]["content"][0]["text"] == "a\0b"


def test_a_byte_order_mark_is_no_error() -> None:
    assert items(b"\xef\xbb\xbf" + encoded(request(user("é"))))


def test_unknown_fields_are_named_and_change_nothing() -> None:
    up = translated(request(user("hi"), x=1, y={"z": []}))
    assert up.body == translated(request(user("hi"))).body
    assert up.losses == {"field.unknown": 2}
    assert "x, y" in up.notes[0]


def test_a_count_tokens_body_is_a_request_too() -> None:
    asked = decode(encoded({"model": "opus", "messages": [user("foo")]}))
    assert not asked.stream
    assert asked.wire.max_tokens is None


def test_string_and_block_content_give_the_same_bytes() -> None:
    odd = 'tab\t quote" back\\slash \x7f é \x01\b\f / </script> \u2028'
    strings = request({"role": "user", "content": odd}, {"role": "system", "content": odd}, system=odd)
    blocks = request(user(odd), {"role": "system", "content": [text(odd)]}, system=[text(odd)])
    assert translated(strings).body == translated(blocks).body


def test_the_session_is_found_in_either_form_of_user_id() -> None:
    modern = json.dumps({"device_id": "d", "session_id": "abc"})
    assert decode(encoded(request(metadata={"user_id": modern}))).session == "abc"
    uuid = "00000000-0000-4000-8000-000000000001"
    assert decode(encoded(request(metadata={"user_id": f"user_x_account__session_{uuid}"}))).session == uuid


@pytest.mark.parametrize("metadata", [{}, {"user_id": None}, {"user_id": "{"}, {"user_id": 5}, [], "x", None])
def test_odd_metadata_means_no_session(metadata: object) -> None:
    assert decode(encoded(request(metadata=metadata))).session == ""


def test_the_attribution_line_is_dropped_alone() -> None:
    body = request(system=[text("x-anthropic-billing-header: cc_version=1.abc;"), text("You are"), text("help")])
    assert items(body)[0]["content"] == [
        {"type": "input_text", "text": "You are"},
        {"type": "input_text", "text": "help"},
    ]
