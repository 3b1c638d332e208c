"""Parses a column (list) page into the links of its list and the URL of the next page.

docs/site.md describes the kinds of list. Links outside the list (hot news, navigation) do not belong
to the column and are ignored if a list is recognised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from lxml.html import HtmlElement

from zjolcrawl.items import READ_KINDS
from zjolcrawl.parsing.elements import HasAncestor, names_of
from zjolcrawl.parsing.fields.dates import china_midnight
from zjolcrawl.parsing.list_links import (
    Here,
    ListedLink,
    index_of,
    links_of_anchors,
    links_of_item,
    links_of_scripts,
)
from zjolcrawl.parsing.multipage import script_number
from zjolcrawl.parsing.page import Page, read_page
from zjolcrawl.parsing.urls import absolute, canonical, url_day
from zjolcrawl.parsing.xpath import Path, paths
from zjolcrawl.site.current import for_site

# Boxes beside the list; their links do not belong to the column.
_BESIDE = re.compile(
    r"(?:^|[\s_-])(?:hot(?:news|list|box)?|side(?:bar)?|aside|rank(?:ing)?|paihang|nav|menu|foot(?:er)?|header|recommend\w*|"
    r"tuijian|right(?:bar|box)?)(?:$|[\s_-]|(?=[A-Z\d]))"
)
list_items = for_site(lambda site: paths(*site.lists.by_class, *site.lists.by_place))
"""XPaths of list items; the first one that yields article links is the page's list."""
_ALL_ANCHORS = Path("//a[@href]")
_NEXT = Path("//a[contains(., '下一页') or contains(., '下页') or contains(@class, 'next')]")
_NEXT_PAGE = Path("//a[contains(., '下一页')]")
_PAGE_HTML = re.compile(
    r"createPageHTML\s*\(\s*[\"']?(\w{1,40})[\"']?\s*,\s*[\"']?(\w{1,40})[\"']?\s*,\s*[\"']([\w-]+)[\"']\s*,\s*[\"'](\w+)[\"']"
)
_LOGIN = Path("//input[@type='password']")


@dataclass(slots=True)
class ColumnPage:
    """A parsed column page: its links in order, the next page's URL and the number of pages.

    `fault` is set only if there are no links and gives the likely reason.
    """

    links: list[ListedLink] = field(default_factory=list)
    next_url: str | None = None
    pages_total: int | None = None
    fault: str | None = None


def read_column(body: bytes, url: str) -> ColumnPage:
    """Parse a column page. Never raises on bad HTML; `url` is the page's absolute URL."""
    page = read_page(body, url)
    column = ColumnPage(_links(page))
    column.next_url, column.pages_total = _next(page)
    if not column.links:
        column.fault = _fault(page)
    return column


def link_day_of(url: str, listed_at: datetime | None) -> datetime | None:
    """The publication time (UTC) according to the list, else midnight of the day in the URL, or None."""
    day = url_day(url)
    return listed_at or (china_midnight(day) if day else None)


def _links(page: Page) -> list[ListedLink]:
    here = Here(page.base, page.url, canonical(page.url))
    is_beside = HasAncestor(_is_box_beside)
    best: list[ListedLink] = []
    for path in list_items():
        items = path(page.root)
        items = [item for item in items if not is_beside(item)] or items
        alone = (item for item in items if item.find(".//li") is None)
        found = _unique(link for item in alone for link in links_of_item(item, here))
        if any(link.kind in READ_KINDS for link in found):
            return found
        best = best or found
    found = _unique(links_of_anchors(_ALL_ANCHORS(page.root), here))
    articles = [link for link in found if link.kind in READ_KINDS]
    return articles or _unique(links_of_scripts(page.root, here)) or best


def _is_box_beside(box: HtmlElement) -> bool:
    if box.tag not in {"div", "aside", "nav", "td", "ul"}:
        return False
    return bool(_BESIDE.search(names_of(box)))


def _unique(links: Iterable[ListedLink]) -> list[ListedLink]:
    seen: dict[str, ListedLink] = {}
    for link in links:
        known = seen.get(link.url)
        if known is None or (not known.title and link.title):
            seen[link.url] = link
    return list(seen.values())


def _next(page: Page) -> tuple[str | None, int | None]:
    """The next page's URL and the page count: from the 下一页 (next) link, createPageHTML or index_N."""
    total, by_script = _by_script(page)
    is_pager = HasAncestor(lambda box: "fenye" in (box.get("class") or "").split())
    in_pager = [anchor for anchor in _NEXT_PAGE(page.root) if is_pager(anchor)]
    for anchor in in_pager or _NEXT(page.root):
        url = absolute(page.base, anchor.get("href") or "")
        if url and url != page.url:
            return url, total
    if in_pager:
        return None, total  # a 下一页 without a target: this is the last page
    if by_script or total:
        return by_script, total
    return _by_index(page), None


def _by_script(page: Page) -> tuple[int | None, str | None]:
    call = _PAGE_HTML.search(page.text)
    if not call:
        return None, None
    count, current = (script_number(value, page.text) for value in call.groups()[:2])
    if count is None or current is None:
        return count, None
    if current + 1 >= count:
        return count, None
    return count, absolute(page.base, f"{call[3]}_{current + 1}.{call[4]}")


def _by_index(page: Page) -> str | None:
    mine = index_of(page.url)
    stem = mine["stem"] if mine else page.url
    current = int(mine["page"] or 0) if mine else 0
    following = re.compile(rf"_0*{current + 1}\.")
    for anchor in _ALL_ANCHORS(page.root):
        href = anchor.get("href") or ""
        url = absolute(page.base, href) if following.search(href) else None
        other = index_of(url) if url else None
        if other and other["stem"] == stem and int(other["page"] or 0) == current + 1:
            return url
    return None


def _fault(page: Page) -> str:
    if _LOGIN(page.root):
        return "a login page"
    if not _ALL_ANCHORS(page.root):
        return (
            "script only: a challenge page" if "<script" in page.text.lower() else "an empty page"
        )
    return "no list found"
