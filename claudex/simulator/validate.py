"""The body of `POST codex/responses`, field by field."""

import re
from collections.abc import Mapping
from typing import Any

from claudex.wire.catalog import ModelInfo

from .items import Context, check_items
from .refusal import detail, invalid, invalid_type, invalid_value, lite, too_long, unknown_parameter, unsupported
from .schema import check_name, check_strict, check_tools, walk

FIELDS = frozenset(
    {
        "model",
        "stream",
        "service_tier",
        "input",
        "instructions",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "reasoning",
        "store",
        "stream_options",
        "include",
        "prompt_cache_key",
        "text",
        "client_metadata",
    }
)
INCLUDES = ("reasoning.encrypted_content", "web_search_call.action.sources")
TIERS = ("priority", "flex")
KEY_LIMIT = 64
_LUNA = re.compile(r"-luna\b")

Body = dict[str, Any]


def check_model(body: Body, models: Mapping[str, ModelInfo], plan: str) -> ModelInfo:
    """The model asked for. Refuses what is unknown or not in the account's plan."""
    slug = body.get("model")
    model = models.get(slug) if isinstance(slug, str) else None
    if model is None or (model.available_in_plans and plan not in model.available_in_plans):
        raise detail(f"The '{slug}' model is not supported when using Codex with a ChatGPT account.")
    return model


def check_body(body: Body, model: ModelInfo, context: Context) -> None:
    for name in body:
        if name not in FIELDS:
            raise unsupported(name)
    if body.get("stream") is not True:
        raise detail("Stream must be set to true")
    if body.get("store") is not False:
        raise detail("Store must be set to false")
    if not isinstance(body.get("instructions", ""), str):
        raise detail("Instructions are not valid", "`instructions` is not a string")
    _check_lane(body, model, context.lane)
    _check_settings(body, model)
    _check_reasoning(body.get("reasoning", {}), model, context.lane)
    if "tools" in body:
        check_tools(body["tools"], "tools", lane=context.lane)
    check_items(body.get("input"), context)
    _check_choice(body, context.lane)
    _check_text(body.get("text", {}), model)
    _check_metadata(body.get("client_metadata", {}))


def _check_lane(body: Body, model: ModelInfo, lane: str) -> None:
    if lane == "full":
        if _LUNA.search(model.slug):
            error = invalid(f"Model not found {model.slug}", "model", status=404)
            raise error
        return
    if not model.use_responses_lite:
        raise lite(f"does not support model {model.slug}.", "model")
    for name in ("tools", "instructions"):
        if name in body:
            raise lite(f"does not support the top-level `{name}`.", name)
    if body.get("parallel_tool_calls") is not False:
        raise lite("does not support parallel tool calls.", "parallel_tool_calls")


def _check_settings(body: Body, model: ModelInfo) -> None:
    parallel = body.get("parallel_tool_calls", True)
    if not isinstance(parallel, bool):
        raise invalid_type("parallel_tool_calls", "a boolean", parallel)
    tier = body.get("service_tier", "flex")
    if tier not in TIERS or (tier == "priority" and tier not in {known.id for known in model.service_tiers}):
        raise detail(f"Unsupported service_tier: {tier}", f"`service_tier` {tier!r} is not offered by {model.slug}")
    include = body.get("include", [])
    if not isinstance(include, list):
        raise invalid_type("include", "an array", include)
    for name in include:
        if name not in INCLUDES:
            raise invalid_value("include", name, " and ".join(INCLUDES))
    options = body.get("stream_options", {"reasoning_summary_delivery": "sequential_cutoff"})
    if options != {"reasoning_summary_delivery": "sequential_cutoff"}:
        raise unsupported("stream_options")
    key = body.get("prompt_cache_key", "")
    if not isinstance(key, str):
        raise invalid_type("prompt_cache_key", "a string", key)
    if len(key) > KEY_LIMIT:
        raise too_long("prompt_cache_key", KEY_LIMIT, len(key))


def _check_reasoning(reasoning: object, model: ModelInfo, lane: str) -> None:
    if not isinstance(reasoning, dict):
        raise invalid_type("reasoning", "an object", reasoning)
    for key in reasoning:
        if key not in ("effort", "summary", "context"):
            raise unknown_parameter(f"reasoning.{key}")
    supported = ["none", *model.efforts]
    if "effort" in reasoning and reasoning["effort"] not in supported:
        message = f"Unsupported value: '{reasoning['effort']}' is not supported with the '{model.slug}' model."
        listed = ", ".join(f"'{effort}'" for effort in supported)
        raise invalid(f"{message} Supported values are: {listed}.", "reasoning.effort", "unsupported_value")
    if reasoning.get("summary", "auto") not in ("auto", "concise", "detailed"):
        raise invalid_value("reasoning.summary", reasoning["summary"], "'auto', 'concise', and 'detailed'")
    if "context" in reasoning:
        if lane == "full":
            raise unknown_parameter("reasoning.context")
        if reasoning["context"] not in ("auto", "current_turn", "all_turns"):
            raise invalid_value("reasoning.context", reasoning["context"], "'auto', 'current_turn', and 'all_turns'")


def _check_choice(body: Body, lane: str) -> None:
    choice = body.get("tool_choice", "auto")
    if choice == "auto":
        return
    if lane == "lite":
        raise lite("only supports tool_choice auto.", "tool_choice")
    if choice == "none":
        return
    tools = body.get("tools") or []
    if choice == "required":
        if not tools:
            raise invalid("Tool choice 'required' must be specified with 'tools' parameter.", "tool_choice")
        return
    if not isinstance(choice, dict):
        raise invalid_value("tool_choice", choice, "'none', 'auto', and 'required'")
    kind, name = choice.get("type"), choice.get("name")
    declared = {(tool["type"], tool.get("name")) for _, tool in walk(tools)}
    if kind not in ("function", "custom", "web_search") or set(choice) - {"type", "name"}:
        raise invalid_value("tool_choice.type", kind, "'function', 'custom', and 'web_search'")
    if (kind, name) not in declared:
        raise invalid(f"Tool choice '{name or kind}' not found in 'tools' parameter.", "tool_choice")


def _check_text(text: object, model: ModelInfo) -> None:
    if not isinstance(text, dict):
        raise invalid_type("text", "an object", text)
    for key in text:
        if key not in ("verbosity", "format"):
            raise unknown_parameter(f"text.{key}")
    if "verbosity" in text and not (model.support_verbosity and text["verbosity"] in ("low", "medium", "high")):
        raise invalid_value("text.verbosity", text["verbosity"], "'low', 'medium', and 'high'")
    form = text.get("format", {"type": "text"})
    if not isinstance(form, dict):
        raise invalid_type("text.format", "an object", form)
    kind = form.get("type")
    if kind == "json_schema":
        _check_format(form)
    elif kind not in ("text", "json_object"):
        raise invalid_value("text.format.type", kind, "'json_object', 'json_schema', and 'text'")


def _check_format(form: Body) -> None:
    for key in form:
        if key not in ("type", "name", "schema", "strict", "description"):
            raise unknown_parameter(f"text.format.{key}")
    check_name(form.get("name"), "text.format.name")
    schema = form.get("schema")
    if not isinstance(schema, dict):
        raise invalid_type("text.format.schema", "an object", schema)
    if not isinstance(form.get("strict", False), bool):
        raise invalid_type("text.format.strict", "a boolean", form["strict"])
    if form.get("strict"):
        if schema.get("type") != "object":
            why = f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{schema.get('type')}\"'."
            raise invalid(f"Invalid schema for response_format '{form['name']}': {why}", None, "invalid_json_schema")
        check_strict(schema, form["name"])


def _check_metadata(metadata: object) -> None:
    if not isinstance(metadata, dict):
        raise invalid_type("client_metadata", "an object", metadata)
    for key, value in metadata.items():
        if not isinstance(value, str):
            raise invalid_type(f"client_metadata.{key}", "a string", value)
