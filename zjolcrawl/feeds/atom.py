"""Writes a feed as Atom (RFC 4287), in pages (RFC 5005, 3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lxml import etree

from zjolcrawl import __version__
from zjolcrawl.clock import EPOCH, iso_time
from zjolcrawl.feeds.entries import Entry
from zjolcrawl.feeds.feed import Feed
from zjolcrawl.feeds.texts import one_line, uri

MEDIA_TYPE = "application/atom+xml"
NAMESPACE = "http://www.w3.org/2005/Atom"
AUTHOR = "浙江在线归档"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def render(feed: Feed, entries: list[Entry], links: Mapping[str, str]) -> bytes:
    """The feed with the URLs `links` by relation: self, alternate (a web page), first, previous, next."""
    root = etree.Element(f"{{{NAMESPACE}}}feed", {_LANGUAGE: "zh-CN"}, nsmap={None: NAMESPACE})  # type: ignore[dict-item]
    _add(root, "id", feed.id)
    _add(root, "title", one_line(feed.title))
    _add(root, "updated", time(max((each.updated for each in entries), default=EPOCH)))
    _add(_add(root, "author"), "name", AUTHOR)
    _add(root, "generator", "zjolcrawl", version=__version__)
    for relation, url in links.items():
        kind = "text/html" if relation == "alternate" else MEDIA_TYPE
        _add(root, "link", rel=relation, type=kind, href=uri(url))
    for each in entries:
        _entry(root, each)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8"))


def time(at: datetime) -> str:
    """A time as RFC 3339 has it, in UTC."""
    return iso_time(at).replace(".000Z", "Z")


def _entry(root: Any, entry: Entry) -> None:
    element = _add(root, "entry")
    _add(element, "id", entry.id)
    _add(element, "title", entry.title)
    _add(element, "published", time(entry.published))
    _add(element, "updated", time(entry.updated))
    for name in entry.authors:
        _add(_add(element, "author"), "name", name)
    for relation, url in {"alternate": entry.link, "via": entry.original}.items():
        if url and (relation, url) != ("via", entry.link):
            _add(element, "link", rel=relation, type="text/html", href=url)
    for term, label in entry.categories:
        _add(element, "category", term=term, label=label)
    for tag in entry.tags:
        _add(element, "category", term=tag)
    _add(element, "content", entry.html, type="html")


def _add(parent: Any, name: str, text: str | None = None, **attributes: str) -> Any:
    element = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}", attributes)
    element.text = text
    return element
