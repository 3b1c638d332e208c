"""Reads a page's machine-readable metadata: `<meta>`, itemprop and JSON-LD.

Readers never see it, so it may be stale or a default value. It is used only for keywords and for fields
that the visible page lacks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml.html import HtmlElement

from zjolcrawl.parsing.elements import text_of
from zjolcrawl.parsing.fields.dates import find_stamp
from zjolcrawl.parsing.fields.text import DIVIDER, clean, squeeze
from zjolcrawl.parsing.xpath import Path

# Names in lower case without spaces, best first. The first of each group comes from TRS WCM's
# government pages (docs/site.md), the others from Open Graph, schema.org and news portals.
_TITLES = ("articletitle", "og:title", "headline", "twitter:title")
_TIMES = (
    "pubdate", "article:published_time", "og:article:published_time", "datepublished", "publishdate",
    "publish_date", "publishtime", "publish_time", "og:release_date", "og:time", "weibo:article:create_at",
    "bytedance:published_time", "firstpublishedtime", "pubtime", "pub_time", "pub_date", "release_date", "releasedate", "releasetime", "publication_date", "dc.date.issued",
    "dcterms.issued", "dateupdate", "datecreated",
)  # fmt: skip
_SOURCES = ("contentsource", "source", "article:source", "mediaid")
_META = Path("//meta[@content]")
_ITEMS = Path("//*[@itemprop and not(self::meta)]")
_JSON = Path("//script[translate(@type, 'LDJSON', 'ldjson') = 'application/ld+json']")
_ARTICLE = re.compile(r"Article|BlogPosting|Report$")
_MOST_JSON = 200_000  # characters; longer scripts are not article descriptions
# Keywords with markup or template code are errors, and a sentence is not a keyword.
_BROKEN = re.compile("[<>{}=。！？]")
_NO_KEYWORDS = {"null", "undefined", "keyword", "keywords", "description", "无", "关键词", "关键字"}


@dataclass(slots=True)
class Stated:
    """The metadata of an article as written on the page; None for a field without a valid value."""

    title: str | None = None
    published: str | None = None
    source: str | None = None


def read_metadata(root: HtmlElement) -> Stated:
    """The metadata that a page gives about its article."""
    said = _said(root)

    def first(names: tuple[str, ...]) -> str | None:
        return next((value for name in names if (value := said.get(name))), None)

    published = (stamp for name in _TIMES if name in said and (stamp := find_stamp(said[name])))
    return Stated(first(_TITLES), next(published, None), first(_SOURCES))


def _said(root: HtmlElement) -> dict[str, str]:
    said: dict[str, str] = {}
    for meta in _META(root):
        value = clean(meta.get("content") or "")
        for attribute in ("name", "property", "itemprop"):
            name = re.sub(r"\s+", "", meta.get(attribute) or "").lower().strip("_")
            if name and value:
                said.setdefault(name, value)
    for article in _articles(root):
        for name in ("headline", "datePublished"):
            if isinstance(stated := article.get(name), str) and stated.strip():
                said.setdefault(name.lower(), clean(stated))
    for item in _ITEMS(root)[:40]:
        value = clean(item.get("datetime") or item.get("content") or _short(item))
        if value:
            said.setdefault((item.get("itemprop") or "").strip().lower(), value)
    return said


def _short(item: HtmlElement) -> str:
    text = clean("".join(str(piece) for piece in item.itertext()))
    return text if len(text) <= 120 else ""


def _articles(root: HtmlElement) -> Iterator[dict[str, Any]]:
    """The articles in a page's JSON-LD, including those inside an `@graph`."""
    for script in _JSON(root)[:8]:
        text = script.text or ""
        if len(text) > _MOST_JSON:
            continue
        try:
            found = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            continue  # invalid, such as hand-written JSON with a trailing comma
        things = found if isinstance(found, list) else [found]
        for thing in things[:20]:
            graph = thing.get("@graph") if isinstance(thing, dict) else None
            for node in [thing, *(graph if isinstance(graph, list) else [])]:
                if isinstance(node, dict) and _ARTICLE.search(str(node.get("@type"))):
                    yield node


def keywords_in(root: HtmlElement, title: str | None) -> list[str]:
    """The meta keywords as written, without those that name the site or column.

    These are the parts of the `<title>` after the headline. Without a divider, all keywords are one
    string.
    """
    said, content = [], ""
    for element in root.iter("title", "meta"):
        if element.tag == "title":
            said.append(text_of(element))
        elif (element.get("name") or "").lower() == "keywords":
            # A TRS page has the site's keywords first, then the article's own (often empty).
            content = element.get("content", content)
    surroundings = DIVIDER.split(clean(" ".join(said)).partition(title)[2]) if title else []
    content = clean(content)
    pieces = [piece for piece in re.split(r"[,，;；、|｜]", content) if piece.strip()]
    if _BROKEN.search(content) or content.lower() in _NO_KEYWORDS:
        return []
    if title and squeeze(content) == squeeze(title):
        return []
    kept = [piece for piece in pieces if piece.strip() not in surroundings]
    return kept if len(pieces) > 1 else pieces
