"""Hosted web search as Claude Code lists it: what was searched, where, and what the text cites."""

from typing import Any

from claudex.translate.messages.tools import WebSearch

from .playbook import Event, Played, added, completed, done, play, text_delta

ASKED = WebSearch(name="web_search")


def searched(index: int, query: str, *urls: str, status: str = "completed") -> list[Event]:
    sources = [{"type": "url", "url": url} for url in urls]
    action: Event = {"type": "search", "query": query, "sources": sources or None}
    return [
        added(index, "web_search_call", id=f"ws{index}", status="in_progress"),
        {"type": "response.web_search_call.searching", "output_index": index, "item_id": f"ws{index}"},
        done(index, "web_search_call", id=f"ws{index}", status=status, action=action),
    ]


def cited(index: int, text: str, url: str, title: str, start: int, end: int) -> list[Event]:
    note = {"type": "url_citation", "url": url, "title": title, "start_index": start, "end_index": end}
    return [
        added(index, "message"),
        text_delta(index, text),
        {
            "type": "response.output_text.annotation.added",
            "output_index": index,
            "content_index": 0,
            "annotation": note,
        },
        done(index, "message", content=[{"type": "output_text", "text": text, "annotations": [note]}]),
    ]


def links(played: Played) -> list[list[tuple[str, str]]]:
    return [
        [(page["title"], page["url"]) for page in block["content"]]
        for block in played.content
        if block["type"] == "web_search_tool_result"
    ]


def kinds(played: Played) -> list[str]:
    return [block["type"] for block in played.content]


def test_a_search_with_sources_is_use_and_result() -> None:
    played = play(*searched(0, "python", "https://a.test", "https://a.test", "https://b.test"), search=ASKED)
    use, result = played.content
    assert use == {"type": "server_tool_use", "id": "srvtoolu_ws0", "name": "web_search", "input": {"query": "python"}}
    assert result["tool_use_id"] == "srvtoolu_ws0"
    assert links(played) == [[("https://a.test", "https://a.test"), ("https://b.test", "https://b.test")]]
    assert played.message["usage"]["server_tool_use"] == {"web_search_requests": 1}
    assert played.stream.stop_reason == "end_turn"


def test_without_sources_the_citations_are_the_links() -> None:
    text = "See (a.test)."
    played = play(*searched(0, "q"), *searched(1, "r"), *cited(2, text, "https://a.test/x", "A", 4, 12), search=ASKED)
    assert kinds(played)[:3] == ["server_tool_use", "server_tool_use", "text"]
    assert links(played) == [[], [("A", "https://a.test/x")]]


def test_citations_stand_in_the_text_block_once() -> None:
    played = play(*cited(0, "See (a.test).", "https://a.test", "A", 4, 12))
    assert played.content[0]["citations"] == [
        {
            "type": "web_search_result_location",
            "cited_text": "(a.test)",
            "url": "https://a.test",
            "title": "A",
            "encrypted_index": "",
        }
    ]


def test_citations_that_come_only_with_the_done_item_count_too() -> None:
    played = play(*[event for event in cited(0, "x y", "https://a.test", "A", 0, 1) if "annotation" not in event])
    assert [citation["cited_text"] for citation in played.content[0]["citations"]] == ["x"]


def test_blocked_domains_are_left_out_and_counted() -> None:
    asked = WebSearch(name="web_search", blocked=("bad.test",))
    events = searched(0, "q", "https://www.bad.test/a", "https://notbad.test", "https://bad.test", "::nonsense")
    played = play(*events, search=asked)
    assert [url for _, url in links(played)[0]] == ["https://notbad.test", "::nonsense"]
    assert played.stream.losses == {"search.blocked_domain": 2}


def test_more_searches_than_asked_for_are_reported() -> None:
    played = play(
        *searched(0, "a", "https://a.test"), *searched(1, "b", "https://b.test"), search=WebSearch("s", max_uses=1)
    )
    assert played.stream.losses == {"search.max_uses": 1}
    assert played.stream.usage.searches == 2


def test_a_failed_search_is_an_error_result() -> None:
    played = play(*searched(0, "q", status="failed"))
    assert played.content[1]["content"] == {"type": "web_search_tool_result_error", "error_code": "unavailable"}


def test_searches_without_ids_of_their_own_are_told_apart() -> None:
    played = play(*searched(0, "a", "https://a.test"), done(1, "web_search_call", id="ws0", status="completed"))
    assert len({block["id"] for block in played.content if block["type"] == "server_tool_use"}) == 2


def test_reading_a_page_is_no_search_of_its_own() -> None:
    action: dict[str, Any] = {"type": "open_page", "url": "https://a.test"}
    played = play(done(0, "web_search_call", id="ws", status="completed", action=action))
    assert played.content == []
    assert played.stream.usage.searches == 0


def test_a_search_that_was_cut_short_still_has_its_result() -> None:
    played = play(added(0, "web_search_call", id="ws"), completed(), end=False)
    assert kinds(played) == ["server_tool_use", "web_search_tool_result"]
