"""Images and documents, as content parts of the backend or as one line saying what was left out."""

import binascii
from base64 import b64decode

import msgspec
from msgspec import Raw

from ...wire.anthropic import Block, Source
from .decode import blocks, typed
from .items import INPUT_TEXT, Context, encode, input_text, is_empty, note, spoken, string
from .malformed import Malformed

IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
PDF = "application/pdf"
_source = msgspec.json.Decoder(Source)


def source_of(block: Block) -> Source:
    if not len(block.source):
        raise Malformed("source", "is required")
    return typed(_source, block.source, "source")


def image(block: Block, ctx: Context) -> list[bytes]:
    source = source_of(block)
    if not ctx.images:
        return _left_out(ctx, "image.text_only_model", f"an image was left out: {ctx.slug} reads text only")
    if source.type == "base64":
        if source.media_type not in IMAGE_TYPES:
            return _left_out(ctx, "image.media_type", f"an image of type {source.media_type} could not be carried")
        return [_image(_data_url(source, source.media_type))]
    if source.type == "url":
        return [_image(string(source.url, "source.url"))]
    return _left_out(ctx, f"image.{source.type}", f"an image from a {source.type[:60]} source could not be carried")


def document(block: Block, ctx: Context) -> list[bytes]:
    source = source_of(block)
    title, context = spoken(block.title), spoken(block.context)
    parts = [input_text(context)] if context else []
    if source.type == "base64" and source.media_type == PDF:
        return parts + _pdf(source, title, ctx)
    heading = [input_text(f"[document: {title}]")] if title else []
    if source.type == "text":
        return parts + heading + _text(string(source.data, "source.data"))
    if source.type == "base64" and (source.media_type or "").startswith("text/"):
        return parts + heading + [input_text(_decoded(string(source.data, "source.data")))]
    if source.type == "content":
        return parts + heading + _content(source.content, ctx)
    where = spoken(source.url) or title or source.file_id or source.media_type or "unknown"
    kind = "media_type" if source.type == "base64" else source.type
    return parts + _left_out(ctx, f"document.{kind}", f"the document {where} could not be carried")


def _image(url: bytes | Raw) -> bytes:
    return b'{"type":"input_image","image_url":%b}' % url


def _pdf(source: Source, title: str, ctx: Context) -> list[bytes]:
    if not ctx.images:
        return _left_out(ctx, "document.text_only_model", f"a PDF was left out: {ctx.slug} reads text only")
    return [
        b'{"type":"input_file","filename":%b,"file_data":%b}'
        % (encode(title or "document.pdf"), _data_url(source, PDF))
    ]


def _data_url(source: Source, media_type: str) -> bytes:
    data = string(source.data, "source.data")
    if is_empty(data):
        raise Malformed("source.data", "must not be empty")
    return b'"data:%b;base64,%b' % (media_type.encode(), bytes(data)[1:])


def _text(data: Raw) -> list[bytes]:
    return [] if is_empty(data) else [b"%b%b}" % (INPUT_TEXT, data)]


def _decoded(data: Raw) -> str:
    try:
        return b64decode(msgspec.json.decode(data, type=str)).decode("utf-8", "replace")
    except (binascii.Error, ValueError) as error:
        raise Malformed("source.data", "is not base64") from error


def _content(content: Raw, ctx: Context) -> list[bytes]:
    parts: list[bytes] = []
    for block in blocks(content, "source.content"):
        if block.type == "text":
            parts += _text(string(block.text, "source.content.text"))
        elif block.type == "image":
            parts += image(block, ctx)
        else:
            parts += _left_out(ctx, f"block.{block.type}", f'a block of type "{block.type[:60]}" could not be carried')
    return parts


def _left_out(ctx: Context, kind: str, what: str) -> list[bytes]:
    ctx.losses.add(kind)
    return [input_text(note(what))]
