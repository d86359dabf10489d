"""The table of fates is whole, and the documentation says the same."""

from claudex.translate.messages import content, fields
from claudex.wire.anthropic import MessagesRequest

from .support import ROOT

IN_TURNS = {"tool_use", "tool_result", "thinking", "redacted_thinking", "server_tool_use", "compaction"}


def test_every_field_has_its_fate() -> None:
    assert {fate.name for fate in fields.FIELDS} == set(MessagesRequest.__struct_fields__)


def test_every_block_has_its_fate() -> None:
    assert {fate.name for fate in fields.BLOCKS} == {*content.CARRIED, *IN_TURNS, "(any other)"}


def test_the_documentation_holds_the_tables() -> None:
    assert (ROOT / "references/translation.md").read_text().endswith(fields.markdown())
