import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudex.translate.messages import thinking
from claudex.translate.messages.thinking import Meta, Signature

plain = st.text(alphabet="abcXYZ019-_", max_size=20)


@given(tag=plain, encrypted=st.text(), after=st.none() | st.text(), phase=st.none() | st.text())
def test_a_signature_comes_back_as_it_was(tag: str, encrypted: str, after: str | None, phase: str | None) -> None:
    meta = Meta(after, phase)
    assert thinking.decode(thinking.encode(tag, encrypted, meta)) == Signature(tag, encrypted, meta)


def test_the_form_is_fixed() -> None:
    assert thinking.encode("tag", "gAAA") == "cdx1.tag..gAAA"
    assert thinking.encode("tag", "", Meta(after="call_1")) == "cdx1.tag.eyJhIjoiY2FsbF8xIn0."


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "EqQBCgIYAhIM",
        "cdx1",
        "cdx1.",
        "cdx1.tag",
        "cdx1.tag.",
        "cdx2.t..x",
        "cdx1.t.!.x",
        "cdx1.t.e30x.x",
        "cdx1.t.é.x",
    ],
)
def test_what_is_not_ours_is_none(signature: str) -> None:
    assert thinking.decode(signature) is None


def test_unknown_meta_of_a_later_version_is_ignored() -> None:
    assert thinking.decode("cdx1.t.eyJ6IjoxfQ.x") == Signature("t", "x", Meta())
