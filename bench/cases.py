"""Scores small inputs that the parser once got wrong, each with its expected fields.

A JSON file has the page's `url`, the `kind` of fault it stands for, and `expected`: a field's value
or its count in words (`3 addresses`). For a list page `expected` has `links`. Inputs without a page
of their own (a crawl, a cut response) are left out; they have their own tests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from zjolcrawl.items import Article, RawArticle
from zjolcrawl.parsing.article_page import NotArticle, Stub, read_article
from zjolcrawl.parsing.column_page import ColumnPage, read_column
from zjolcrawl.pipelines.normalize import normalize
from zjolcrawl.storage.documents import article_document

_CHINA = timezone(timedelta(hours=8))
_COUNTED = re.compile(r"(\d{1,3}) [a-z]+")
# The value of a field, of an article as it is stored.
_FIELDS: dict[str, Callable[[Article], Any]] = {
    "body": lambda article: article.body.split("\n"),
    "captions": lambda article: [image.caption for image in article.images],
    "images": lambda article: [image.url for image in article.images],
    "att": lambda article: [media.url for media in article.attachments],
    "authors": lambda article: [person.name for person in article.authors],
    "editors": lambda article: [person.name for person in article.editors],
    "published": lambda article: _in_china(article.published_at, article.published_precision),
    "ot": lambda article: article.original_title,
}
_LENGTH = {"second": 19, "minute": 16, "hour": 13, "day": 10}


@dataclass(slots=True)
class Case:
    """One small input; `wrong` lists the fields that differ from the expected, with both values."""

    name: str
    wrong: list[str]


def score_cases(folder: Path) -> list[Case]:
    """The cases of a folder that have a page, sorted by name."""
    return [
        Case(path.stem, _wrong(json.loads(path.read_text()), page.read_bytes()))
        for path in sorted(folder.glob("*.json"))
        if (page := path.with_suffix(".html")).exists()
    ]


def _wrong(case: dict[str, Any], page: bytes) -> list[str]:
    expected = case["expected"]
    if {"links", "listed_at"} & expected.keys():
        return _differing(expected, _of_list(read_column(page, case["url"])))
    found = read_article(page, case["url"])
    if isinstance(found, RawArticle):
        values = _of_article(normalize(found), found.encoding)
        if "content_sha256" in expected:  # the same page with http:// for https:// is the same text
            other = read_article(page.replace(b"https://", b"http://"), case["url"])
            same = (
                isinstance(other, RawArticle)
                and article_document(normalize(other))["content_sha256"]
            )
            values["content_sha256"] = (
                expected["content_sha256"] if same == values["content_sha256"] else "another"
            )
        return _differing(expected, values)
    return _differing(expected, _of_none(found, case["url"]))


def _of_list(column: ColumnPage) -> dict[str, Any]:
    dates = [link.listed_at for link in column.links]
    return {"links": len(column.links), "listed_at": _in_china(dates[0] if dates else None, "day")}


def _of_article(article: Article, encoding: str) -> dict[str, Any]:
    values = {name: getattr(article, name) for name in Article.__slots__}
    values |= {name: read(article) for name, read in _FIELDS.items()}
    return values | {"enc": encoding, "content_sha256": article_document(article)["content_sha256"]}


def _of_none(found: Stub | NotArticle, url: str) -> dict[str, Any]:
    if isinstance(found, Stub):
        # `the script address` is that of the page itself or of another article.
        is_own = found.target == url or "/t20" in found.target
        return {"stub": "the script address" if is_own else found.target}
    return {"refused": f"missing={found.missing}"}


def _in_china(moment: datetime | None, precision: str | None) -> str | None:
    text = moment.astimezone(_CHINA).strftime("%Y-%m-%d %H:%M:%S") if moment else None
    return text and text[: _LENGTH[precision or "second"]]


def _differing(expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    return [
        f"{name}: {found.get(name)!r} for {value!r}"
        for name, value in expected.items()
        if not _is_right(value, found.get(name))
    ]


def _is_right(expected: Any, found: Any) -> bool:
    if isinstance(expected, str) and (counted := _COUNTED.fullmatch(expected)):
        return isinstance(found, list) and len(found) == int(counted[1])
    if isinstance(expected, str) and expected.endswith(")"):  # … and what is said of it
        kept = expected.partition(" (")[0]
        return bool(re.fullmatch(re.escape(kept).replace("…", ".{1,4}"), found or ""))
    return bool(found == expected)
