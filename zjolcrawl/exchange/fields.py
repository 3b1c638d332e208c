"""The schema of an article as files have it: one table for JSON Lines, CSV, Parquet and README.md.

Names and types are those of the collection. A time is a timestamp of milliseconds in UTC; a field
that an article does not have is absent, null in a table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bson import Code, ObjectId, Regex

from zjolcrawl.storage.documents import url_of

_HALVES = re.compile("[\ud800-\udfff]")
Type = Literal["string", "int", "timestamp", "objectid", "struct"]
_PYTHON: dict[str, type[Any]] = {
    "string": str, "int": int, "timestamp": datetime, "objectid": ObjectId, "struct": dict,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """A field: `many` is a list of its `type`; a struct has `parts`; `meaning` is for a reader."""

    name: str
    type: Type
    meaning: str = ""
    many: bool = False
    parts: tuple[Field, ...] = ()

    def __str__(self) -> str:
        """The type in words: list<struct<name, role, outlet>>; parts that are no string have theirs."""
        parts = ", ".join(
            part.name if part.type == "string" else f"{part.name} {part}" for part in self.parts
        )
        one = f"struct<{parts}>" if self.parts else self.type
        return f"list<{one}>" if self.many else one


def _text(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name, "string") for name in names)


def _whole(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name, "int") for name in names)


_PERSON = _text("name", "role", "outlet")
_MEDIA = _text("url", "ref", "name")
_RECORD = (*_text("file"), *_whole("offset", "length"), *_text("record_id"))
_IMAGE = (
    *_text("url", "ref"), *_whole("position"), *_text("caption", "alt", "status", "sha256", "path"),
    *_whole("width", "height", "bytes"), *_text("content_type"),
)  # fmt: skip

FIELDS: tuple[Field, ...] = (
    Field("_id", "string", "canonical URL; in JSON Lines {url, revision} for a former version"),
    Field("doc_id", "string", "the CMS's id, digits as written"),
    Field("site", "string", "host"),
    Field("site_name", "string", "name of the site"),
    Field("columns", "string", "ids of the columns that listed it", many=True),
    Field("breadcrumb", "string", "where it stands on the site", many=True),
    Field("title", "string", "标题"),
    Field("kicker", "string", "引题"),
    Field("subtitle", "string", "副题"),
    Field("original_title", "string", "原标题 of a reprint"),
    Field("published_at", "timestamp", "publish time"),
    Field("published_precision", "string", "`second`, `minute`, `hour` or `day`"),
    Field("source", "string", "来源"),
    Field("authors", "struct", "reporters", many=True, parts=_PERSON),
    Field("editors", "struct", "editors", many=True, parts=_PERSON),
    Field("tags", "string", "标签", many=True),
    Field("editor_note", "string", "编者按"),
    Field("abstract", "string", "摘要"),
    Field("dateline", "string", "浙江在线8月12日讯"),
    Field("body", "string", "plain text, a paragraph a line"),
    Field("body_html", "string", "the same as clean HTML"),
    Field("images", "struct", "images; their bytes are not in the file", many=True, parts=_IMAGE),
    Field("videos", "struct", "videos", many=True, parts=_MEDIA),
    Field("attachments", "struct", "attached files", many=True, parts=_MEDIA),
    Field("pages", "string", "URLs of a multi-page article", many=True),
    Field("aliases", "string", "other URLs that led here", many=True),
    Field("page_number", "string", "page of a digital paper, as it is called there"),
    Field("page_name", "string", "name of that page"),
    Field("pdf", "string", "address of that page's PDF"),
    Field("content_sha256", "string", "hash of the editorial fields; pictures count by the editor's name or by host and path, whatever their scheme and query"),
    Field("revision", "int", "1, 2, …; the largest of an `_id` is its newest version"),
    Field("status", "string", "`live` or `gone`"),
    Field("first_seen_at", "timestamp", "first sight of the article"),
    Field("last_seen_at", "timestamp", "last sight of this version"),
    Field("changed_at", "timestamp", "first sight of this version"),
    Field("gone_at", "timestamp", "found taken down"),
    Field("returned_at", "timestamp", "found there again"),
    Field("warc", "struct", "the record it was read from", parts=_RECORD),
    Field("pages_warc", "struct", "the same for each of `pages`", many=True, parts=_RECORD),
    Field(
        "parser", "struct", "who read it", parts=(*_text("template"), *_whole("version"))
    ),
    Field("warnings", "string", "fields expected and not found, and other doubts", many=True),
    Field("run_id", "objectid", "the run that wrote this version"),
)  # fmt: skip


def mended(value: Any) -> Any:
    """The value with U+FFFD for each half of a surrogate pair, so that all text can be UTF-8."""
    if isinstance(value, Code):
        return Code(_HALVES.sub("\ufffd", value), mended(value.scope))
    if isinstance(value, str):
        return _HALVES.sub("\ufffd", value)
    if isinstance(value, dict):
        return {mended(name): mended(each) for name, each in value.items()}
    if isinstance(value, Regex):
        return Regex(mended(value.pattern), value.flags)
    return [mended(each) for each in value] if isinstance(value, list) else value


def fitted(document: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """A document's schema fields, and the paths of values that have another type.

    Values of another type are left out, or None within a list. `_id` of a former version becomes its URL.
    """
    wrong: list[str] = []
    row = _struct(FIELDS, {**document, "_id": url_of(document)}, "", wrong)
    return row, wrong


def _struct(
    parts: tuple[Field, ...], values: dict[str, Any], path: str, wrong: list[str]
) -> dict[str, Any]:
    row = {}
    for part in parts:
        if part.name in values:
            value = values[part.name]
            if part.many and not isinstance(value, list):
                wrong.append(f"{path}{part.name}")
            elif part.many:
                row[part.name] = [_one(part, each, path, wrong) for each in value]
            elif (fit := _one(part, value, path, wrong)) is not None:
                row[part.name] = fit
    return row


def _one(field: Field, value: Any, path: str, wrong: list[str]) -> Any:
    if not isinstance(value, _PYTHON[field.type]) or isinstance(value, (bool, Code)):
        wrong.append(f"{path}{field.name}")
        return None
    if field.parts:
        return _struct(field.parts, value, f"{path}{field.name}.", wrong)
    return value
