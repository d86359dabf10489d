"""Old images and files give way when a request grows too large; every turn sends the whole history again.

What is left out follows from the request alone, and in coarse steps: the history stays the same from turn to turn, and
with it the cached prefix, until another quarter of the budget has been filled.
"""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Raw, Struct

from ...wire.anthropic import Block
from .decode import Turn
from .items import encode, note

MARKER = Block(
    "text",
    text=Raw(encode(note("an older image or file was left out to keep the request small; read it again if needed"))),
)
# Smaller ones are not worth a changed prefix.
WORTH_BYTES = 4 << 10

_blocks = msgspec.json.Decoder(list[Block])


class _Place(Struct, frozen=True):
    turn: int
    block: int
    inner: int
    size: int


def trimmed(turns: Sequence[Turn], size: int, budget: int) -> tuple[list[Turn], int]:
    """The turns, without the oldest images if `size` bytes are over `budget`, and how many were left out.

    The current turn is spared: everything from the last prompt on. Only where that alone is a third over the budget do
    its own older images go too, never what this request brings for the first time.
    """
    if size <= budget:
        return list(turns), 0
    places = list(_places(turns))
    prompt, newest = _current(turns)
    chosen = _oldest([place for place in places if place.turn < prompt], size - budget, budget // 4)
    left = size - sum(place.size for place in chosen)
    if left > budget + budget // 3:
        within = [place for place in places if prompt <= place.turn < newest]
        chosen += _oldest(within, left - budget, budget // 4)
    return _without(turns, chosen), len(chosen)


def _oldest(places: Sequence[_Place], excess: int, step: int) -> list[_Place]:
    goal = -(-excess // max(step, 1)) * max(step, 1)
    chosen: list[_Place] = []
    for place in places:
        if goal <= 0:
            break
        chosen.append(place)
        goal -= place.size
    return chosen


def _current(turns: Sequence[Turn]) -> tuple[int, int]:
    """Where the current turn begins (its prompt), and where what is new in this request begins."""
    spoken = (place for place in reversed(range(len(turns))) if turns[place].role == "assistant")
    return prompt_of(turns), next(spoken, 0)


def prompt_of(turns: Sequence[Turn]) -> int:
    """Where the user spoke last; a user's message with tool results only goes on with a turn."""
    for place in range(len(turns) - 1, 0, -1):
        if _is_prompt(turns[place]):
            return place
    return 0


def _is_prompt(turn: Turn) -> bool:
    return turn.role == "user" and "tool_result" not in [block.type for block in turn.blocks]


def _places(turns: Sequence[Turn]) -> Iterator[_Place]:
    for number, turn in enumerate(turns):
        for place, block in enumerate(turn.blocks):
            if _heavy(block):
                yield _Place(number, place, -1, len(bytes(block.source)))
            elif block.type == "tool_result" and bytes(memoryview(block.content)[:1]) == b"[":
                for inner, one in enumerate(_inside(block)):
                    if _heavy(one):
                        yield _Place(number, place, inner, len(bytes(one.source)))


def _heavy(block: Block) -> bool:
    return block.type in ("image", "document") and len(bytes(block.source)) > WORTH_BYTES


def _inside(block: Block) -> list[Block]:
    try:
        return _blocks.decode(block.content)
    except msgspec.DecodeError:
        return []


def _without(turns: Sequence[Turn], chosen: Sequence[_Place]) -> list[Turn]:
    out = list(turns)
    for place in chosen:
        turn = out[place.turn]
        if turn is turns[place.turn]:
            turn = out[place.turn] = Turn(turn.role, list(turn.blocks))
        block = turn.blocks[place.block]
        turn.blocks[place.block] = MARKER if place.inner < 0 else _emptied(block, place.inner)
    return out


def _emptied(block: Block, inner: int) -> Block:
    members = msgspec.json.decode(block.content, type=list[Raw])
    members[inner] = Raw(b'{"type":"text","text":%b}' % bytes(MARKER.text))
    return msgspec.structs.replace(block, content=Raw(encode(members)))
