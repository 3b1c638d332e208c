"""Checks feeds by the published rules: Atom (RFC 4287, RFC 3339 dates, RFC 5005 pages) and JSON Feed 1.1."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import feedparser
from lxml import etree, html

ATOM = "{http://www.w3.org/2005/Atom}"
HARMLESS = {
    "p", "h2", "h3", "strong", "em", "a", "table", "tbody", "tr", "td", "th", "ul", "ol", "li", "blockquote",
    "br", "del", "ins", "div", "figure", "figcaption",
}  # fmt: skip
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_URI = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+"
)
_RELATIONS = {"self", "alternate", "via", "first", "previous", "next"}


def checked_atom(content: bytes) -> Any:
    """The feed as feedparser reads it, after all checks."""
    root = etree.fromstring(content, etree.XMLParser(resolve_entities=False))
    assert root.tag == f"{ATOM}feed"
    assert root.getroottree().docinfo.encoding.lower() == "utf-8"
    _element(root, [], is_feed=True)
    ids = [one(entry, "id") for entry in root.findall(f"{ATOM}entry")]
    for entry in root.findall(f"{ATOM}entry"):
        _element(entry, root.findall(f"{ATOM}author"), is_feed=False)
        (content_of,) = entry.findall(f"{ATOM}content")
        assert content_of.get("type") == "html"
        check_inert(content_of.text or "")
    assert len(ids) == len(set(ids))
    # Our content as it is, not what feedparser would make of it.
    read = feedparser.parse(
        content, response_headers={"content-type": "application/atom+xml"},
        sanitize_html=False, resolve_relative_uris=False,
    )  # fmt: skip
    assert not read.bozo, read.get("bozo_exception")
    assert read.version == "atom10"
    assert [each.id for each in read.entries] == ids
    return read


def checked_json(content: bytes) -> dict[str, Any]:
    """The JSON Feed after all checks."""
    feed: dict[str, Any] = json.loads(content.decode())
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert_text(feed["title"])
    assert feed.get("next_url") is None or feed["next_url"] != feed["feed_url"]
    for name in {"home_page_url", "feed_url", "next_url"} & feed.keys():
        assert_uri(feed[name])
    _people(feed)
    ids = [item["id"] for item in feed["items"]]
    assert len(ids) == len(set(ids))
    for item in feed["items"]:
        assert_text(item["id"])
        assert {"content_html", "content_text"} & item.keys()
        for name in {"url", "external_url", "image", "banner_image"} & item.keys():
            assert_uri(item[name])
        for name in {"date_published", "date_modified"} & item.keys():
            assert_time(item[name])
        assert all(isinstance(tag, str) and tag for tag in item.get("tags", []))
        _people(item)
        check_inert(item["content_html"])
        known = {
            "id", "url", "external_url", "title", "content_html", "summary", "date_published", "date_modified",
            "authors", "tags", "language",
        }  # fmt: skip
        assert all(name in known or name.startswith("_") for name in item)
    return feed


def check_inert(markup: str) -> None:
    """HTML of few tags and attributes: nothing is loaded or run."""
    root = html.fromstring(f"<div>{markup}</div>")
    for element in root.iter():
        assert element.tag in HARMLESS, element.tag
        assert set(element.attrib) <= ({"href", "rel"} if element.tag == "a" else set())
        if href := element.get("href"):
            assert href.startswith(("http://", "https://")), href


def assert_text(text: object) -> None:
    assert isinstance(text, str)
    assert text.strip()


def assert_uri(text: str) -> None:
    """An absolute URI (RFC 3986)."""
    assert _URI.fullmatch(text), text
    assert urlsplit(text).scheme


def assert_time(text: str) -> None:
    assert _TIME.fullmatch(text), text
    datetime.fromisoformat(text)


def one(element: Any, name: str) -> str:
    """The text of the only child of this name."""
    (found,) = element.findall(f"{ATOM}{name}")
    assert_text(found.text)
    return str(found.text)


def _element(element: Any, authors: list[Any], *, is_feed: bool) -> None:
    """RFC 4287, 4.1.1 and 4.1.2."""
    assert_uri(one(element, "id"))
    one(element, "title")
    assert_time(one(element, "updated"))
    for published in element.findall(f"{ATOM}published"):
        assert_time(published.text)
    assert authors or element.findall(f"{ATOM}author")
    for author in element.findall(f"{ATOM}author"):
        one(author, "name")
    links = list(_links(element))
    alternates = [link for link in links if link[0] == "alternate"]
    assert len(alternates) == len(set(alternates))
    if not is_feed:
        assert alternates
        assert len(element.findall(f"{ATOM}published")) <= 1
    for category in element.findall(f"{ATOM}category"):
        assert_text(category.get("term"))


def _links(element: Any) -> Iterator[tuple[str, str]]:
    for link in element.findall(f"{ATOM}link"):
        assert_uri(link.get("href"))
        assert link.get("rel") in _RELATIONS
        yield link.get("rel"), link.get("type")


def _people(part: dict[str, Any]) -> None:
    for each in part.get("authors", []):
        assert_text(each["name"])
