import msgspec

from claudex.wire.anthropic import ABSENT, Block, MessagesRequest


def test_long_strings_stay_as_the_client_wrote_them() -> None:
    block = msgspec.json.decode(
        b'{"type":"text","text": "a\\u00e9\\/" ,"cache_control":{"type":"ephemeral"}}', type=Block
    )
    assert bytes(block.text) == b'"a\\u00e9\\/"'
    assert bytes(block.thinking) == bytes(ABSENT) == b""


def test_a_request_needs_a_model_and_messages_only() -> None:
    body = msgspec.json.decode(b'{"model":"m","messages":[]}', type=MessagesRequest)
    assert body.tools is None
    assert body.stream is None
