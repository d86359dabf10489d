"""Output items that Messages has no block for: one short bracketed line each, so that nothing vanishes silently."""

from ...wire.responses import Item

_LONGEST = 300

# Lists and echoes that say nothing to the user, or belong to the backend's own bookkeeping.
SILENT = frozenset(
    {
        "mcp_list_tools",
        "tool_search_call",
        "tool_search_output",
        "compaction",
        "context_compaction",
        "configuration_update",
        "shell_call_output",
        "local_shell_call_output",
        "function_call_output",
        "custom_tool_call_output",
        "apply_patch_call_output",
        "computer_call_output",
    }
)


def line(item: Item) -> str:
    """The line for `item`, or "" when it carries nothing that could be shown."""
    if item.type in SILENT:
        return ""
    text = _short(_told(item))
    return f"[{text}]" if text else ""


def _told(item: Item) -> str:
    match item.type:
        case "file_search_call":
            return "file search: " + "; ".join(item.queries or ())
        case "code_interpreter_call":
            return f"code run by ChatGPT: {item.code or ''}"
        case "image_generation_call":
            return "ChatGPT made an image, which cannot be shown here"
        case "mcp_call":
            return f"ChatGPT called {item.name or 'a tool'} of the MCP server {item.server_label or '?'}"
        case "mcp_approval_request":
            return f"the MCP server {item.server_label or '?'} asks for approval of {item.name or 'a call'}"
        case "shell_call" | "local_shell_call":
            action = item.action
            return "ChatGPT ran: " + "; ".join((action and (action.commands or action.command)) or ())
        case "computer_call":
            return "ChatGPT wanted to use a computer, which is not offered here"
        case _:
            return _anything(item)


def _anything(item: Item) -> str:
    """The words of an item of an unknown kind."""
    words = [item.text or "", *(part.text or part.refusal or "" for part in (item.content or []))]
    said = " ".join(word for word in words if word)
    return f"{item.type}: {said}" if said else ""


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
