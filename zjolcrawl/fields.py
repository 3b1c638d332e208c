"""The fields of an article: one table for the database, the files, the hash, the search and the documentation.

Adding a field takes a row here, the rule that reads it (parsing/) and a fixture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Type = Literal["string", "int", "long", "timestamp", "objectid", "struct"]
PAGE, PAPER = "page", "paper"
"""Where a field may be expected: on the site's own pages, on those of a digital paper."""
_BSON = {"string": "string", "int": "int", "timestamp": "date", "objectid": "objectId"}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an article, or a part of one.

    Type: `type`, `many` (a list of it), `parts` of a struct. Documentation: `meaning`, and `term`, the Chinese
    word that a comparison of versions shows. Validation: `required` (every document has it), `checked` (MongoDB
    checks this optional part), `empty` (a text may be empty), `choices`, `least`, `pattern`. Use: `editorial` (a
    change of it makes a new revision), `expected` (a PAGE or PAPER without it gets a warning), `searched` (full
    text finds it).
    """

    name: str
    type: Type
    meaning: str = ""
    many: bool = False
    parts: tuple[Field, ...] = ()
    term: str = ""
    required: bool = False
    checked: bool = False
    empty: bool = False
    choices: tuple[str, ...] = ()
    least: int | None = None
    pattern: str = ""
    editorial: bool = False
    expected: tuple[str, ...] = ()
    searched: bool = False

    def __str__(self) -> str:
        """The type in words: list<struct<name, role, outlet>>; parts that are no string have theirs."""
        parts = ", ".join(
            part.name if part.type == "string" else f"{part.name} {part}" for part in self.parts
        )
        one = f"struct<{parts}>" if self.parts else self.type
        return f"list<{one}>" if self.many else one

    def schema(self) -> dict[str, Any]:
        """The field in a MongoDB validator ($jsonSchema)."""
        if self.parts:
            one = object_schema([part for part in self.parts if part.required or part.checked])
        elif self.choices:
            one = {"enum": list(self.choices)}
        elif self.type == "string":
            one = {"bsonType": "string"} if self.empty else {"bsonType": "string", "minLength": 1}
        else:
            one = {"bsonType": ["int", "long"] if self.type == "long" else _BSON[self.type]}
        if self.least is not None:
            one["minimum"] = self.least
        if self.pattern:
            one = {"bsonType": "string", "pattern": self.pattern}
        if not self.many:
            return one
        # An empty list of texts is an absent field.
        return {"bsonType": "array", "items": one, **({} if self.parts else {"minItems": 1})}


def object_schema(fields: Sequence[Field]) -> dict[str, Any]:
    """A document of these fields as a MongoDB validator ($jsonSchema)."""
    return {
        "bsonType": "object",
        "required": [field.name for field in fields if field.required],
        "properties": {field.name: field.schema() for field in fields},
    }


def _string(name: str, *, required: bool = False) -> Field:
    return Field(name, "string", required=required)


_PERSON = (
    _string("name", required=True),
    _string("role", required=True),
    Field("outlet", "string", checked=True),
)
_MEDIA = (_string("url", required=True), _string("ref", required=True), _string("name"))
_RECORD = (
    _string("file", required=True),
    Field("offset", "long", required=True),
    Field("length", "long", required=True),
    _string("record_id", required=True),
)
_STATUS = ("referenced", "stored", "missing", "failed")
_IMAGE = (
    *_MEDIA[:2], Field("position", "int", required=True, least=1),
    _string("caption"), _string("alt"), Field("status", "string", required=True, choices=_STATUS),
    _string("sha256"), _string("path"), Field("width", "int"), Field("height", "int"),
    Field("bytes", "int"), _string("content_type"),
)  # fmt: skip
_PARSER = (_string("template", required=True), Field("version", "int", required=True))

FIELDS: tuple[Field, ...] = (
    Field("_id", "string", "canonical URL; in JSON Lines {url, revision} for a former version", required=True),
    Field("doc_id", "string", "the CMS's id, digits as written"),
    Field("site", "string", "host", required=True),
    Field("site_name", "string", "name of the site"),
    Field("columns", "string", "ids of the columns that listed it", many=True),
    Field("breadcrumb", "string", "where it stands on the site", many=True, expected=(PAGE,)),
    Field("title", "string", "标题", term="标题", required=True, editorial=True, expected=(PAGE, PAPER), searched=True),
    Field("kicker", "string", "引题", term="引题", editorial=True, searched=True),
    Field("subtitle", "string", "副题", term="副题", editorial=True, searched=True),
    Field("original_title", "string", "原标题 of a reprint", searched=True),
    Field("published_at", "timestamp", "publish time", term="时间", editorial=True, expected=(PAGE, PAPER)),
    Field("published_precision", "string", "`second`, `minute`, `hour` or `day`", choices=("second", "minute", "hour", "day")),
    Field("source", "string", "来源", term="来源", editorial=True, expected=(PAGE, PAPER), searched=True),
    Field("authors", "struct", "reporters", many=True, parts=_PERSON, term="作者", editorial=True, expected=(PAGE, PAPER), searched=True),
    Field("editors", "struct", "editors", many=True, parts=_PERSON, term="编辑", editorial=True, expected=(PAGE,), searched=True),
    Field("tags", "string", "标签", many=True, term="标签", editorial=True, expected=(PAGE,), searched=True),
    Field("editor_note", "string", "编者按", term="编者按", editorial=True, searched=True),
    Field("abstract", "string", "摘要", term="摘要", editorial=True, searched=True),
    Field("dateline", "string", "浙江在线8月12日讯", searched=True),
    Field("body", "string", "plain text, a paragraph a line", term="正文", required=True, empty=True, editorial=True, searched=True),
    Field("body_html", "string", "the same as clean HTML"),
    Field("images", "struct", "images; their bytes are not in the file", many=True, parts=_IMAGE, term="图片", editorial=True, searched=True),
    Field("videos", "struct", "videos", many=True, parts=_MEDIA, searched=True),
    Field("attachments", "struct", "attached files", many=True, parts=_MEDIA, searched=True),
    Field("pages", "string", "URLs of a multi-page article", many=True),
    Field("aliases", "string", "other URLs that led here", many=True),
    Field("page_number", "string", "page of a digital paper, as it is called there", expected=(PAPER,)),
    Field("page_name", "string", "name of that page", expected=(PAPER,)),
    Field("pdf", "string", "address of that page's PDF"),
    Field("content_sha256", "string", "hash of the editorial fields; pictures count by the editor's name or by host and path, whatever their scheme and query", required=True, pattern="^[0-9a-f]{64}$"),
    Field("revision", "int", "1, 2, …; the largest of an `_id` is its newest version", required=True, least=1),
    Field("status", "string", "`live` or `gone`", required=True, choices=("live", "gone")),
    Field("first_seen_at", "timestamp", "first sight of the article", required=True),
    Field("last_seen_at", "timestamp", "last sight of this version", required=True),
    Field("changed_at", "timestamp", "first sight of this version", required=True),
    Field("gone_at", "timestamp", "found taken down"),
    Field("returned_at", "timestamp", "found there again"),
    Field("warc", "struct", "the record it was read from", parts=_RECORD),
    Field("pages_warc", "struct", "the same for each of `pages`", many=True, parts=_RECORD),
    Field("parser", "struct", "who read it", parts=_PARSER, required=True),
    Field("warnings", "string", "fields expected and not found, and other doubts", many=True),
    Field("run_id", "objectid", "the run that wrote this version", required=True),
)  # fmt: skip
"""In the order in which files and the documentation have them."""


def expected_of(kind: str) -> tuple[str, ...]:
    """The names of the fields that a PAGE or a PAPER should have."""
    return tuple(field.name for field in FIELDS if kind in field.expected)
