"""Writes a feed as JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from zjolcrawl.feeds.atom import AUTHOR, time
from zjolcrawl.feeds.entries import Entry
from zjolcrawl.feeds.feed import Feed
from zjolcrawl.feeds.texts import one_line, uri

MEDIA_TYPE = "application/feed+json"
VERSION = "https://jsonfeed.org/version/1.1"
# `feed_url` identifies the feed, so it is that of the first page.
_RELATIONS = {"home_page_url": "alternate", "feed_url": "first", "next_url": "next"}


def render(feed: Feed, entries: list[Entry], links: Mapping[str, str]) -> bytes:
    """The feed with the URLs `links` by relation, as `atom.render` has them."""
    document = {
        "version": VERSION,
        "title": one_line(feed.title),
        **{name: uri(links[each]) for name, each in _RELATIONS.items() if each in links},
        "language": "zh-CN",
        "authors": [{"name": AUTHOR}],
        "items": [_item(each) for each in entries],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def _item(entry: Entry) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": entry.id,
        "url": entry.link,
        "external_url": entry.original,
        "title": entry.title,
        "content_html": entry.html,
        "date_published": time(entry.published),
        "date_modified": time(entry.updated),
        "authors": [{"name": name} for name in entry.authors],
        "tags": entry.tags,
        "_zjolcrawl": {
            "event": entry.kind,
            "columns": [term for term, _ in entry.categories[1:]],
            "content_sha256": entry.sha256,
        },
    }
    if entry.original == entry.link:
        del item["external_url"]
    return {name: value for name, value in item.items() if value not in ([], "")}
