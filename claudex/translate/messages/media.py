"""Images and documents, as content parts of the backend or as one line saying what was left out."""

import binascii
from base64 import b64decode
from string import ascii_letters, digits

import msgspec
from msgspec import Raw

from ...wire.anthropic import Block, Source
from .decode import blocks, typed
from .items import INPUT_TEXT, Context, encode, input_text, is_empty, note, spoken, string
from .malformed import Malformed

# By their first bytes: the backend compares them, and clients mislabel a JPEG as a PNG now and then.
IMAGE_STARTS = (
    (b"iVBORw0KGgo", b"image/png"),
    (b"/9j/", b"image/jpeg"),
    (b"R0lGODdh", b"image/gif"),
    (b"R0lGODlh", b"image/gif"),
    (b"UklGR", b"image/webp"),
)
ALPHABET = (ascii_letters + digits + "+/").encode()
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
        data = _base64(source)
        kind = next((name for start, name in IMAGE_STARTS if data and data.startswith(start)), None)
        if data is None or kind is None:
            return _left_out(ctx, "image.media_type", "an image that is no PNG, JPEG, GIF or WebP could not be carried")
        return [b'{"type":"input_image","image_url":"data:%b;base64,%b"}' % (kind, data)]
    if source.type != "url":
        return _left_out(ctx, f"image.{source.type}", f"an image from a {source.type[:60]} source could not be carried")
    url = spoken(string(source.url, "source.url"))
    if url.startswith("https://"):
        return [b'{"type":"input_image","image_url":%b}' % encode(url)]
    return _left_out(ctx, "image.url", f"the image at {url[:200]} could not be carried")


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


def _pdf(source: Source, title: str, ctx: Context) -> list[bytes]:
    if not ctx.images:
        return _left_out(ctx, "document.text_only_model", f"a PDF was left out: {ctx.slug} reads text only")
    data = _base64(source)
    if not data:
        return _left_out(ctx, "document.base64", "a PDF that is not base64 could not be carried")
    # The backend tells a file's kind by the end of its name, and refuses one that it does not know.
    name = title or "document"
    file = encode(name if name.lower().endswith(".pdf") else f"{name}.pdf")
    return [b'{"type":"input_file","filename":%b,"file_data":"data:application/pdf;base64,%b"}' % (file, data)]


def _base64(source: Source) -> bytes | None:
    """The data in the form that the backend takes, which allows no line breaks and wants its padding."""
    data = bytes(string(source.data, "source.data"))[1:-1]
    if len(data) % 4 == 0 and data.translate(None, ALPHABET) in (b"", b"=", b"=="):
        return data
    data = b"".join(spoken(source.data).encode().split()).rstrip(b"=")
    if data.translate(None, ALPHABET) or len(data) % 4 == 1:
        return None
    return data + b"=" * (-len(data) % 4)


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
