"""The hosted web search as Messages has it: server_tool_use, web_search_tool_result, citations in the text.

The backend tells what it searched when a call is done, the pages only if sources were included, and titles only with
the citations of the text that follows. So a call without sources keeps its result back until the message is done, and
then lists what was cited: Claude Code builds its links from the results, wherever they stand.
"""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ...wire.responses import Annotation, Item, Source
from .blocks import Blocks, quote
from .usage import Usage

if TYPE_CHECKING:
    from .tools import WebSearch

_CITED = 150  # characters of the cited text, as Anthropic limits it


class Search:
    def __init__(self, blocks: Blocks, usage: Usage, losses: "Counter[str]", asked: "WebSearch | None") -> None:
        self._blocks = blocks
        self._usage = usage
        self._losses = losses
        self._name = asked.name if asked else "web_search"
        self._blocked = tuple(asked.blocked) if asked else ()
        self._max_uses = asked.max_uses if asked else None
        self._ids: set[str] = set()
        self._waiting: list[str] = []  # calls whose result is still to come
        self._pages: dict[str, str] = {}  # url -> title, cited since

    def call(self, item: Item, fallback_id: str) -> None:
        """A finished web_search_call. Opening and reading a page are steps of a search and no search of their own."""
        action = item.action
        if action and action.type in ("open_page", "find_in_page"):
            return
        call_id = f"srvtoolu_{item.id or fallback_id}"
        if call_id in self._ids:
            call_id += f"_{len(self._ids) + 1}"
        self._ids.add(call_id)
        query = (action and (action.query or ", ".join(action.queries or ()))) or ""
        use: dict[str, object] = {"type": "server_tool_use", "id": call_id, "name": self._name, "input": {}}
        self._blocks.whole(use, quote({"query": query}).decode())
        self._usage.searches += 1
        if self._max_uses is not None and self._usage.searches > self._max_uses:
            self._losses["search.max_uses"] += 1
        if item.status == "failed":
            self._result(call_id, {"type": "web_search_tool_result_error", "error_code": "unavailable"})
        elif action and action.sources:
            self._result(call_id, self._listed(_titled(action.sources)))
        else:
            self._waiting.append(call_id)

    def cite(self, note: Annotation, text: str) -> None:
        """A citation in `text`, the text of its part so far."""
        if note.type != "url_citation" or not note.url or not self._allowed(note.url):
            return
        title = note.title or note.url
        self._pages.setdefault(note.url, title)
        start, end = note.start_index or 0, note.end_index or 0
        cited = text[start:end][:_CITED] if 0 <= start < end else ""
        self._blocks.cite(
            {
                "type": "web_search_result_location",
                "cited_text": cited,
                "url": note.url,
                "title": title,
                "encrypted_index": "",
            }
        )

    def settle(self) -> None:
        """A message is done, or the answer is: the calls that wait list what has been cited, under the last of them."""
        waiting, self._waiting = self._waiting, []
        for call_id in waiting[:-1]:
            self._result(call_id, [])
        if waiting:
            self._result(waiting[-1], self._listed(self._pages.items()))
        self._pages.clear()

    def _listed(self, pages: Iterable[tuple[str, str]]) -> list[dict[str, object]]:
        return [
            {"type": "web_search_result", "title": title, "url": url, "encrypted_content": "", "page_age": None}
            for url, title in pages
            if self._allowed(url)
        ]

    def _result(self, call_id: str, content: object) -> None:
        self._blocks.whole({"type": "web_search_tool_result", "tool_use_id": call_id, "content": content})

    def _allowed(self, url: str) -> bool:
        try:
            host = (urlsplit(url).hostname or "").lower()
        except ValueError:
            host = ""
        if any(host == domain.lower() or host.endswith("." + domain.lower()) for domain in self._blocked):
            self._losses["search.blocked_domain"] += 1
            return False
        return True


def _titled(sources: Iterable[Source]) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for source in sources:
        if source.url:
            found.setdefault(source.url, source.title or source.url)
    return list(found.items())
