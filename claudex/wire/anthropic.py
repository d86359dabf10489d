"""Requests of the Anthropic Messages API (2023-06-01), as Claude Code 2.1.197 and 2.1.329 and the SDKs send them.

Long strings and free-form values stay `Raw`: a request is mostly text that is copied through. `ABSENT` stands for a key
that is not there. Keys nobody reads (cache_control, citations) are skipped by the decoder.
"""

from msgspec import Raw, Struct

ABSENT = Raw(b"")


class Block(Struct, gc=False):
    """Any content block, in any role: one flat shape, told apart by `type`."""

    type: str
    text: Raw = ABSENT
    thinking: Raw = ABSENT
    signature: Raw = ABSENT
    id: str | None = None
    name: str | None = None
    input: Raw = ABSENT
    tool_use_id: str | None = None
    content: Raw = ABSENT
    is_error: bool | None = None
    source: Raw = ABSENT
    title: Raw = ABSENT
    context: Raw = ABSENT
    tool_name: str | None = None
    tool: Raw = ABSENT


class Source(Struct, gc=False):
    """Where an image or document comes from: base64, url, text, content or file."""

    type: str
    media_type: str | None = None
    data: Raw = ABSENT
    url: Raw = ABSENT
    content: Raw = ABSENT
    file_id: str | None = None


class SearchHit(Struct, gc=False):
    """One entry of a web_search_tool_result."""

    type: str = ""
    url: str | None = None
    title: str | None = None
    error_code: str | None = None


class Message(Struct, gc=False):
    role: str
    content: str | list[Block]


class Tool(Struct):
    """A client tool (no type, or "custom"), or a server tool by its dated type."""

    name: str = ""
    type: str | None = None
    description: Raw = ABSENT
    input_schema: Raw = ABSENT
    defer_loading: bool | None = None
    strict: bool | None = None
    input_examples: Raw = ABSENT
    max_uses: int | None = None
    allowed_domains: list[str] | None = None
    blocked_domains: list[str] | None = None
    user_location: Raw = ABSENT
    display_width_px: int | None = None
    display_height_px: int | None = None


class ToolChange(Struct):
    """The `tool` of a tool_addition or tool_removal block in a system message (known to 2.1.329, never seen sent)."""

    type: str = ""
    definition: Tool | None = None
    name: str | None = None
    tool_name: str | None = None


class ToolChoice(Struct):
    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class Thinking(Struct):
    type: str = ""
    display: str | None = None
    budget_tokens: int | None = None


class OutputFormat(Struct):
    type: str
    schema: Raw = ABSENT
    name: str | None = None


class OutputConfig(Struct):
    effort: str | None = None
    format: OutputFormat | None = None


class MessagesRequest(Struct, forbid_unknown_fields=True):
    """The body of POST /v1/messages and of /v1/messages/count_tokens (which has no max_tokens)."""

    model: str
    messages: list[Message]
    system: Raw = ABSENT
    tools: list[Tool] | None = None
    tool_choice: ToolChoice | None = None
    metadata: Raw = ABSENT
    max_tokens: int | None = None
    stop_sequences: list[str] | None = None
    stream: bool | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    output_format: OutputFormat | None = None
    temperature: Raw = ABSENT
    top_p: Raw = ABSENT
    top_k: Raw = ABSENT
    service_tier: Raw = ABSENT
    speed: Raw = ABSENT
    container: Raw = ABSENT
    mcp_servers: Raw = ABSENT
    inference_geo: Raw = ABSENT
    context_management: Raw = ABSENT
    safeguards: Raw = ABSENT
    cache_control: Raw = ABSENT
    betas: Raw = ABSENT
    diagnostics: Raw = ABSENT
