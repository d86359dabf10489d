"""What becomes of every field, block and tool of a Messages request: the code's own table, and the documentation's.

`carried` reaches the backend, perhaps in other words; `local` is done here; `ignored` means nothing to another maker's
backend; `lost` means something and cannot be carried: it is counted, and refused in strict mode.
"""

from typing import Literal

from msgspec import Struct

What = Literal["carried", "local", "ignored", "lost"]


class Fate(Struct, frozen=True):
    """`harmless`: values, as JSON, that say no more than the default does."""

    name: str
    fate: What
    how: str
    harmless: tuple[bytes, ...] = (b"null",)


FIELDS = (
    Fate("model", "carried", "by family, alias or name to a model of the catalog; echoed as it was asked"),
    Fate("messages", "carried", "`input` items, in their place; calls and results repaired into pairs"),
    Fate("system", "carried", "the first developer message, a part for each block; the billing line is dropped"),
    Fate("tools", "carried", "functions with `strict:false`, append-only; on the Lite lane an `additional_tools` item"),
    Fate("tool_choice", "carried", "in all four forms on the full lane; on the Lite lane said in words"),
    Fate("thinking", "carried", "a summary is asked for where the client shows thinking; a budget counts as an effort"),
    Fate("output_config", "carried", "`effort` clamped to the model's list; `format` to `text.format`"),
    Fate("output_format", "carried", "as `output_config.format`"),
    Fate("stream", "local", "the backend always streams; the answer is collected when the client does not"),
    Fate("max_tokens", "local", "enforced here where a client means it: 1, or any value not from Claude Code"),
    Fate("stop_sequences", "local", "cut here, and the backend's stream cancelled"),
    Fate("metadata", "local", "the session id in `user_id` becomes `prompt_cache_key`; nothing else leaves"),
    Fate(
        "safeguards", "local", "never forwarded, it holds local paths; no verdict is given, so the client asks the user"
    ),
    Fate("cache_control", "ignored", "the backend caches prefixes by itself"),
    Fate("betas", "ignored", "names of the other maker's experiments"),
    Fate("diagnostics", "ignored", ""),
    Fate(
        "context_management", "ignored", "keeping all thinking is the default; clearing and compaction edits are lost"
    ),
    Fate("temperature", "lost", "the backend refuses the field"),
    Fate("top_p", "lost", "the backend refuses the field"),
    Fate("top_k", "lost", "there is no such field"),
    Fate("service_tier", "lost", "the tier is claudex's own setting", (b"null", b'"auto"')),
    Fate("speed", "lost", "the tier is claudex's own setting", (b"null", b'"standard"')),
    Fate("container", "lost", "code execution at the other maker"),
    Fate("mcp_servers", "lost", "the other maker's MCP connector", (b"null", b"[]")),
    Fate("inference_geo", "lost", "the account decides"),
)

BLOCKS = (
    Fate("text", "carried", "as it is; an empty one is left out"),
    Fate("image", "carried", "`input_image` from base64 or URL; one line for files, other types and text-only models"),
    Fate("document", "carried", "PDF as `input_file`; text and content as text; one line for URLs and files"),
    Fate("search_result", "carried", "as text, with title and source"),
    Fate("tool_use", "carried", "`function_call`; name and id shortened where the backend demands it"),
    Fate("tool_result", "carried", "`function_call_output`, text or parts; an error begins with `[tool error]`"),
    Fate("tool_reference", "carried", "the line `loaded: NAME`; decides the order of deferred tools"),
    Fate("tool_addition", "carried", "the line `tool added: NAME`; its definition joins the tools"),
    Fate("tool_removal", "carried", "the line `tool removed: NAME`; the definition stays, for the cache's sake"),
    Fate("thinking", "carried", "our own of the same account as a `reasoning` item in its place; any other is dropped"),
    Fate("redacted_thinking", "lost", "only its maker can read it; dropped without a word"),
    Fate("server_tool_use", "carried", "a web search as the line `[web search: QUERY]`; others as one line"),
    Fate("web_search_tool_result", "carried", "titles and addresses as text"),
    Fate("compaction", "carried", "its summary as text"),
    Fate("(any other)", "lost", "one bracketed line where it stood"),
)

TOOLS = (
    Fate("(no type), custom", "carried", "a function"),
    Fate(
        "bash_*, text_editor_*, memory_*, computer_*", "carried", "functions, with the schemas that Anthropic publishes"
    ),
    Fate("DeferredToolPlaceholder", "ignored", "dropped: it only keeps tool search switched on"),
    Fate("web_search_*", "carried", "the hosted search, on the full lane, with allowed domains and location"),
    Fate("web_search_*.max_uses, .blocked_domains", "local", "the backend has no field; applied to what it returns"),
    Fate("defer_loading", "ignored", "a tool that is listed is sent"),
    Fate("strict, input_examples", "lost", "functions are sent with `strict:false` and without examples"),
    Fate("(any other type)", "lost", "left out"),
)

LOST = {fate.name: fate.harmless for fate in FIELDS if fate.fate == "lost"}


def markdown() -> str:
    """The three tables as they stand in the documentation."""
    groups = (("Fields of the request", FIELDS), ("Content blocks", BLOCKS), ("Tools", TOOLS))
    return "\n".join(_table(title, fates) for title, fates in groups)


def _table(title: str, fates: tuple[Fate, ...]) -> str:
    rows = [f"| `{fate.name}` | {fate.fate} | {fate.how} |" for fate in fates]
    return "\n".join([f"## {title}", "", "| name | fate | how |", "|---|---|---|", *rows, ""])
