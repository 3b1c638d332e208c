"""Entries of feeds, made of events and the versions that they show."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import urlencode

from zjolcrawl.archive.cdx import stamp_of
from zjolcrawl.display.diff import Effort
from zjolcrawl.display.formatting import moment
from zjolcrawl.feeds.content import body, edits
from zjolcrawl.feeds.feed import Page, label_of
from zjolcrawl.feeds.texts import one_line, sound, uri
from zjolcrawl.parsing.urls import is_web
from zjolcrawl.storage.queries.events import EDITED, GONE, NEW, RETURNED, Event

LABELS = {NEW: "新文章", EDITED: "改动", GONE: "撤下", RETURNED: "恢复"}
_MOST_WORDS = 50  # tags, columns and people of an entry


@dataclass(frozen=True, slots=True)
class Entry:
    """One event for a reader. All texts are free of characters that XML or UTF-8 cannot hold.

    `id` is the article's URL with the time of the version or of the takedown. `link` leads to the version in the
    archive, or to `original` if no address of the archive is known; both are empty if they are not safe to
    link. `html` is inert. `categories` are pairs of
    term and label, the kind of the event first, then columns; `tags` are the article's.
    """

    id: str
    kind: str
    title: str
    html: str
    link: str
    original: str
    published: datetime
    updated: datetime
    authors: list[str]
    categories: list[tuple[str, str]]
    tags: list[str]
    sha256: str


def entries(page: Page, archive: str = "") -> list[Entry]:
    """The entries of a page. `archive` is the URL of the web pages of the archive, with a slash at its end."""
    effort = Effort()
    return [_entry(event, page, archive, effort) for event in page.events]


def entry_id(event: Event) -> str:
    """The URL of the article with the time of the event, and its kind if it is no version.

    The number of a version is not in it, nor whether it was the first one: both may change with an import.
    """
    milliseconds = event.at.microsecond // 1000
    time = stamp_of(event.at) + (f".{milliseconds:03}" if milliseconds else "")
    kind = f"{event.kind}-" if event.kind in {GONE, RETURNED} else ""
    name = f"{uri(event.url.replace('#', '%23'))}#{kind}{time}"
    # Another program may have stored an article under anything.
    return name if is_web(name) else uuid.uuid5(uuid.NAMESPACE_URL, name).urn


def _entry(event: Event, page: Page, archive: str, effort: Effort) -> Entry:
    version = page.versions[event.version]
    former = page.versions.get(event.former) if event.former else None
    title = one_line(version.get("title") or "") or uri(event.url)
    original = uri(event.url) if is_web(event.url) else ""
    link = (
        _in_archive(archive, "article", url=event.url, at=stamp_of(event.version.since)) or original
    )
    published = version.get("published_at")
    is_new = event.kind == NEW and isinstance(published, datetime)
    columns = _words(version.get("columns"))
    return Entry(
        id=entry_id(event), kind=event.kind,
        title=title if event.kind == NEW else f"{LABELS[event.kind]}：{title}",
        html=sound(_content(event, version, former, effort).strip() + _footer(event, link, original, archive)),
        link=link, original=original,
        published=published if is_new and isinstance(published, datetime) else event.at, updated=event.at,
        authors=_authors(version),
        categories=[(event.kind, LABELS[event.kind]), *((each, one_line(label_of(each))) for each in columns)],
        tags=_words(version.get("tags")),
        sha256=one_line(version.get("content_sha256") or ""),
    )  # fmt: skip


def _content(
    event: Event, version: Mapping[str, Any], former: Mapping[str, Any] | None, effort: Effort
) -> str:
    if event.kind == EDITED:
        return edits(dict(former), dict(version), effort) if former else body(version)
    if event.kind == GONE:
        notice = f"<p>{moment(event.at)} 访问时原站已无此文；以下是归档中的文字。</p>"
        return notice + body(version)
    if event.kind == RETURNED:
        return f"<p>{moment(event.at)} 访问时原站又有此文。</p>"
    return body(version)


def _footer(event: Event, link: str, original: str, archive: str) -> str:
    links = {"原文": original} if original else {}
    if archive:
        links |= {"归档": link, "修订记录": _in_archive(archive, "history", url=event.url)}
    shown = " · ".join(f'<a href="{escape(url)}">{name}</a>' for name, url in links.items())
    return f"<p>{shown}</p>" if shown else ""


def _in_archive(archive: str, path: str, **fields: str) -> str:
    return f"{archive}{path}?{urlencode(fields, errors='replace')}" if archive else ""


def _authors(version: Mapping[str, Any]) -> list[str]:
    """The names of the authors, or else the source or the site."""
    named = version.get("authors")
    people = [each for each in named if isinstance(each, dict)] if isinstance(named, list) else []
    lists = (
        [each.get("name") for each in people],
        [version.get("source")],
        [version.get("site_name")],
    )
    return next(filter(None, map(_words, lists)), [])


def _words(values: object) -> list[str]:
    """The different texts of a list, each on one line, 50 at most."""
    return list(dict.fromkeys(_texts(values)))[:_MOST_WORDS]


def _texts(values: object) -> Iterator[str]:
    for each in values if isinstance(values, list) else ():
        if isinstance(each, str) and (word := one_line(each)):
            yield word
