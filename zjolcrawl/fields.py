"""The fields of an article: one table for the database, the files, the hash, the search and the documentation.

Adding a field takes a row here and more: docs/how-to/field.md lists the places.
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

    Type: `type`, `many` (a list of it), `parts` of a struct. Documentation: `meaning`, for users, and
    `term`, the Chinese word that a comparison of versions shows. Validation: `required` (every document has
    it), `checked` (MongoDB checks this optional part), `empty` (a text may be empty), `choices`, `least`,
    `pattern`. Use: `editorial` (a change of it makes a new revision), `expected` (a PAGE or PAPER without it
    gets a warning), `searched` (full text finds it; single strings only).
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
_PROVENANCE = (
    Field("kind", "string", required=True, choices=("import", "backfill")),
    _string("from", required=True),
    Field("url", "string", checked=True),
    Field("sha256", "string", checked=True),
    Field("record", "string", checked=True),
    Field("offset", "long", checked=True, least=0),
)
_PARSER = (_string("template", required=True), Field("version", "int", required=True))

FIELDS: tuple[Field, ...] = (
    Field("_id", "string", "canonical URL; a former version in JSON Lines has {url, revision}", required=True),
    Field("doc_id", "string", "id in the site's CMS, digits as written"),
    Field("site", "string", "host name", required=True),
    Field("site_name", "string", "Chinese name of that host"),
    Field("columns", "string", "ids of the columns (栏目) that listed the article", many=True),
    Field("breadcrumb", "string", "path of sections on the page, such as 浙江在线, 浙江新闻", many=True, expected=(PAGE,)),
    Field("title", "string", "headline (标题)", term="标题", required=True, editorial=True, expected=(PAGE, PAPER), searched=True),
    Field("kicker", "string", "line above the headline (引题)", term="引题", editorial=True, searched=True),
    Field("subtitle", "string", "line below the headline (副题)", term="副题", editorial=True, searched=True),
    Field("original_title", "string", "original headline of a reprint (原标题)", searched=True),
    Field("published_at", "timestamp", "publish time", term="时间", editorial=True, expected=(PAGE, PAPER)),
    Field("published_precision", "string", "how precise that time is: `second`, `minute`, `hour` or `day`", choices=("second", "minute", "hour", "day")),
    Field("source", "string", "source (来源), without its label", term="来源", editorial=True, expected=(PAGE, PAPER), searched=True),
    Field("authors", "struct", "reporters and other authors; roles in the page's own words", many=True, parts=_PERSON, term="作者", editorial=True, expected=(PAGE, PAPER), searched=True),
    Field("editors", "struct", "editors, likewise", many=True, parts=_PERSON, term="编辑", editorial=True, expected=(PAGE,), searched=True),
    Field("tags", "string", "tags (标签), in page order", many=True, term="标签", editorial=True, expected=(PAGE,), searched=True),
    Field("editor_note", "string", "editor's note (编者按), not part of the body", term="编者按", editorial=True, searched=True),
    Field("abstract", "string", "abstract (摘要), not part of the body", term="摘要", editorial=True, searched=True),
    Field("dateline", "string", "dateline, such as 浙江在线8月12日讯; also part of the body", searched=True),
    Field("body", "string", "plain text, one paragraph per line", term="正文", required=True, empty=True, editorial=True, searched=True),
    Field("body_html", "string", "the body as clean HTML"),
    Field("images", "struct", "images, without their bytes", many=True, parts=_IMAGE, term="图片", editorial=True, searched=True),
    Field("videos", "struct", "videos", many=True, parts=_MEDIA, searched=True),
    Field("attachments", "struct", "attached files", many=True, parts=_MEDIA, searched=True),
    Field("pages", "string", "URLs of all pages of a multi-page article; their texts form one body", many=True),
    Field("aliases", "string", "other URLs that lead to the article", many=True),
    Field("page_number", "string", "number of the newspaper page, such as 01 (digital papers)", expected=(PAPER,)),
    Field("page_name", "string", "name of that page, such as 要闻", expected=(PAPER,)),
    Field("pdf", "string", "URL of that page's PDF"),
    Field("content_sha256", "string", "hash of the editorial fields; an image counts by the editor's file name, or by host and path", required=True, pattern="^[0-9a-f]{64}$"),
    Field("revision", "int", "version number: 1, 2, …; the largest one is the newest version", required=True, least=1),
    Field("status", "string", "`live` or `gone`", required=True, choices=("live", "gone")),
    Field("first_seen_at", "timestamp", "when the article was first seen", required=True),
    Field("last_seen_at", "timestamp", "when this version was last seen", required=True),
    Field("changed_at", "timestamp", "when this version was first seen", required=True),
    Field("gone_at", "timestamp", "when it was found taken down"),
    Field("returned_at", "timestamp", "when it was found to be back"),
    Field("warc", "struct", "WARC record that this version was parsed from", parts=_RECORD),
    Field("pages_warc", "struct", "the records of all `pages`", many=True, parts=_RECORD),
    Field("provenance", "struct", "where a capture that others made comes from: `kind` is `import` or `backfill`, `from` the file or archive, `url` the capture there; absent for a version that a crawl saw first", parts=_PROVENANCE),
    Field("parser", "struct", "template and parser version that read it", parts=_PARSER, required=True),
    Field("warnings", "string", "expected fields that were not found, and other doubts", many=True),
    Field("run_id", "objectid", "the run that wrote this version", required=True),
)  # fmt: skip
"""In the order in which files and the documentation have them."""


def expected_of(kind: str) -> tuple[str, ...]:
    """The names of the fields that a PAGE or a PAPER should have."""
    return tuple(field.name for field in FIELDS if kind in field.expected)
