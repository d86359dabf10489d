from claudex.proxy.cache_ledger import CacheLedger, Mark

HEAD = b"t" * 4000


def body(*items: str) -> tuple[bytes, list[Mark]]:
    data, marks = HEAD, [(len(HEAD), "tools")]
    for item in items:
        data += item.encode() * 400
        marks.append((len(data), item))
    return data, marks


def ask(ledger: CacheLedger, *items: str, counted: int = 10_000, cached: int = 0) -> tuple[int | None, str | None]:
    prediction = ledger.predict("session", *body(*items))
    ledger.observe(prediction, session="s", model="m", usage=(counted, cached), facts={"id": "req_1"})
    return prediction.tokens, prediction.broken_at


def test_the_first_request_predicts_nothing() -> None:
    assert ask(CacheLedger(), "user") == (None, None)


def test_an_appended_conversation_keeps_its_whole_prefix() -> None:
    ledger = CacheLedger()
    ask(ledger, "user", counted=10_000)
    assert ask(ledger, "user", "assistant", "user") == (10_000 // 128 * 128, None)


def test_the_item_that_broke_the_prefix_is_named() -> None:
    ledger = CacheLedger()
    ask(ledger, "user", "assistant", "user")
    tokens, broken = ask(ledger, "user", "edited", "user")
    assert broken == "edited #2"
    assert tokens is not None
    assert 0 < tokens < 10_000


def test_a_changed_tool_list_leaves_nothing() -> None:
    ledger = CacheLedger()
    ask(ledger, "user")
    data, marks = body("user")
    prediction = ledger.predict("session", b"T" + data[1:], marks)
    assert (prediction.tokens, prediction.broken_at) == (0, "tools #0")


def test_a_rewound_conversation_names_what_is_gone() -> None:
    ledger = CacheLedger()
    ask(ledger, "user", "assistant")
    assert ask(ledger, "user")[1] == "assistant #2 (gone)"


def test_the_report_sums_up_and_filters() -> None:
    ledger = CacheLedger()
    ask(ledger, "user", counted=10_000)
    ask(ledger, "user", "more", counted=20_000, cached=9_984)
    (known,) = ledger.report("s")
    assert (known["requests"], known["cached"], known["input"], known["hit_ratio"]) == (2, 9_984, 30_000, 0.3328)
    assert ledger.report("another") == []


def test_old_conversations_are_forgotten() -> None:
    ledger = CacheLedger(limit=3)
    for number in range(10):
        prediction = ledger.predict(str(number), *body("user"))
        ledger.observe(prediction, session=str(number), model="m", usage=(1, 0), facts={})
    assert [known["session"] for known in ledger.report()] == ["9", "8", "7"]
