from hypothesis import given
from hypothesis import strategies as st

from claudex.translate.messages import names
from claudex.translate.messages.names import Names

LONG = "mcp__demo__" + "a_very_long_tool_name_" * 6


def test_an_allowed_name_is_its_own() -> None:
    assert Names(["Bash"]).wire("Bash") == "Bash"
    assert Names().client("Bash") == "Bash"


def test_a_long_name_maps_and_comes_back() -> None:
    some = Names([LONG])
    assert names.allowed(some.wire(LONG))
    assert some.client(some.wire(LONG)) == LONG


def test_a_short_form_never_takes_a_real_tools_name() -> None:
    some = Names([names.short(LONG), LONG])
    assert some.wire(LONG) != names.short(LONG)
    assert some.client(names.short(LONG)) == names.short(LONG)
    assert some.client(some.wire(LONG)) == LONG


def test_a_name_met_later_is_mapped_too() -> None:
    some = Names()
    assert some.client(some.wire("ä b")) == "ä b"


@given(st.sets(st.text(max_size=100), max_size=12))
def test_names_are_reversible_without_collisions(every: set[str]) -> None:
    some = Names(every)
    wire = {name: some.wire(name) for name in every}
    assert len(set(wire.values())) == len(every)
    assert all(names.allowed(value) and some.client(value) == name for name, value in wire.items())
    assert wire == {name: Names(every).wire(name) for name in every}


@given(st.text(max_size=100))
def test_call_ids_are_allowed_and_stable(client_id: str) -> None:
    assert names.allowed(names.call_id(client_id))
    assert names.call_id(names.call_id(client_id)) == names.call_id(client_id)


def test_the_backends_own_long_call_id_is_shortened() -> None:
    assert len(names.call_id("call_" + "x" * 64)) == 45
    assert names.call_id("toolu_01") == "toolu_01"
