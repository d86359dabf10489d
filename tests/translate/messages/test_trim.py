"""Old images give way when a request grows too large; the current turn never does."""

import base64

from claudex.translate.messages.request import Options

from .support import Json, assistant, call, image, items, request, result, translated, upstream, user

MARKER = "[claudex: an older image or file was left out to keep the request small; read it again if needed]"
BIG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(30_000)).decode()


def shots(count: int) -> list[Json]:
    """Turns with one picture each."""
    turns: list[Json] = []
    for number in range(count):
        turns += [user(f"look {number}", image(BIG)), assistant("seen")]
    return turns


def left(body: Json, budget: int) -> int:
    return str(upstream(body, options=Options(image_budget=budget))["input"]).count("'input_image'")


def test_below_the_budget_nothing_happens() -> None:
    assert left(request(*shots(5), user("now")), 1 << 20) == 5


def test_above_it_the_oldest_go_first() -> None:
    body = request(*shots(5), user("now"))
    found = items(body, options=Options(image_budget=150_000))
    texts = [[part.get("text") for part in item["content"]] for item in found if item["role"] == "user"]
    assert texts[0] == ["look 0", MARKER]
    assert texts[4] == ["look 4", None]
    assert translated(body, options=Options(image_budget=150_000)).losses["image.trimmed"] >= 1


def test_the_same_ones_are_left_out_until_a_step_is_full() -> None:
    sizes = [left(request(*shots(8), *[user("x" * 500), assistant("y")] * n, user("now")), 200_000) for n in range(20)]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) <= 2


def test_the_current_turn_is_never_touched() -> None:
    body = request(*shots(1), user("now", image(BIG)), assistant(call("a")), user(result("a", [image(BIG)])))
    assert left(body, 100_000) == 2


def test_a_loop_far_over_the_budget_gives_up_its_own_older_ones() -> None:
    loop: list[Json] = [user("go")]
    for number in range(10):
        loop += [assistant(call(f"c{number}")), user(result(f"c{number}", [image(BIG)]))]
    body = request(*loop)
    assert 1 <= left(body, 100_000) < 5
    last = items(body, options=Options(image_budget=100_000))[-1]
    assert last["output"][0]["type"] == "input_image"


def test_the_clients_request_is_left_as_it_was() -> None:
    body = request(*shots(5), user("now"))
    assert left(body, 100_000) < left(body, 1 << 20) == 5
