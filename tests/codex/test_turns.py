from claudex.codex.turns import Turns


def test_a_state_is_echoed_in_its_turn_and_account_only() -> None:
    turns = Turns()
    turns.keep("turn-1", "tag-1", "state")
    assert turns.state("turn-1", "tag-1") == "state"
    assert turns.state("turn-2", "tag-1") == ""
    assert turns.state("turn-1", "tag-2") == ""


def test_without_a_turn_nothing_is_kept() -> None:
    turns = Turns()
    turns.keep("", "tag", "state")
    turns.keep("turn", "tag", "")
    assert turns.state("", "tag") == turns.state("turn", "tag") == ""


def test_the_oldest_is_forgotten() -> None:
    turns = Turns(limit=2)
    for name in ("a", "b", "c"):
        turns.keep(name, "tag", name)
    assert [turns.state(name, "tag") for name in ("a", "b", "c")] == ["", "b", "c"]
