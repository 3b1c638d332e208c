"""Column (list) page -> the links of its list and the next page.

The kinds of list are those of section 1 of the site document. Links outside the page's own list
(hot news, navigation) are not the column's and are not taken where a list is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from lxml.html import HtmlElement

from zjolcrawl.items import READ_KINDS
from zjolcrawl.parsing.ancestry import Under
from zjolcrawl.parsing.fields.dates import china_midnight, find_time
from zjolcrawl.parsing.fields.text import clean
from zjolcrawl.parsing.page import Page, read_page
from zjolcrawl.parsing.templates.table import Path, has_class, paths
from zjolcrawl.parsing.urls import absolute, canonical, kind, url_day

# Boxes beside the list whose links are not the column's.
_BESIDE = re.compile(
    r"(?:^|[\s_-])(?:hot(?:news|list|box)?|side(?:bar)?|aside|rank(?:ing)?|paihang|nav|menu|foot(?:er)?|header|recommend\w*|"
    r"tuijian|right(?:bar|box)?)(?:$|[\s_-]|(?=[A-Z\d]))"
)
# Each finds list items; the first that yields links of an article's form is the page's list. The lists
# that are named by their class:
CLASSED_LISTS = paths(
    has_class("listUl", "ul") + "//li",  # SEL zjxc, py, china, js …
    has_class("listLi", "li"),  # SEL py, zxrm
    has_class("news_item", "li"),  # SEL zzhz
    "//ul[contains(@class, 'newslist')]/li",  # SEL opinion
)
LISTS = CLASSED_LISTS + paths(
    "//ul[contains(@id, 'Ullist')]/li",  # SEL opinion
    "//*[@id='main']/div[1]//ul/li",  # SEL zjnews/zjxw, china
    "//*[@id='main']//li",  # INF: the same list, other nesting
)
_ANCHORS = Path(".//a[@href]")
_ALL_ANCHORS = Path("//a[@href]")
_LINK_DATE = ("span", "em", "i", "p", "div", "font", "time", "b")
_NEXT = Path("//a[contains(., '下一页') or contains(., '下页') or contains(@class, 'next')]")
_NEXT_PAGE = Path("//a[contains(., '下一页')]")
_PAGE_HTML = re.compile(
    r"createPageHTML\s*\(\s*[\"']?(\w{1,40})[\"']?\s*,\s*[\"']?(\w{1,40})[\"']?\s*,\s*[\"']([\w-]+)[\"']\s*,\s*[\"'](\w+)[\"']"
)
_INDEX = re.compile(
    r"^(?P<stem>.*/)(?P<name>index|list|default)(?:_(?P<page>\d{1,6}))?(?P<ext>\.s?html?)$"
)
_LOGIN = Path("//input[@type='password']")


@dataclass(frozen=True, slots=True)
class ListedLink:
    """A link of a list: `url` canonical for article forms, absolute for others.

    `listed_at` is the list's own date (UTC), `fetch_url` the address as the list gives it.
    """

    url: str
    fetch_url: str
    kind: str
    title: str | None
    listed_at: datetime | None


@dataclass(slots=True)
class ColumnPage:
    """What a column page offers: its links in order, the next page, how many pages there are.

    `fault` says why a page without links has none, where that can be seen.
    """

    links: list[ListedLink] = field(default_factory=list)
    next_url: str | None = None
    pages_total: int | None = None
    fault: str | None = None


def read_column(body: bytes, url: str) -> ColumnPage:
    """Read a column page. Never raises on bad HTML; `url` is the page's own absolute URL."""
    page = read_page(body, url)
    column = ColumnPage(_links(page))
    column.next_url, column.pages_total = _next(page)
    if not column.links:
        column.fault = _fault(page)
    return column


def link_day_of(url: str, listed_at: datetime | None) -> datetime | None:
    """When a link was published as far as the list or its URL tells (UTC), or None."""
    day = url_day(url)
    return listed_at or (china_midnight(day) if day else None)


def _links(page: Page) -> list[ListedLink]:
    here = _Here(page.base, page.url, canonical(page.url))
    is_beside = Under(_is_box_beside)
    best: list[ListedLink] = []
    for path in LISTS:
        items = path(page.root)
        items = [item for item in items if not is_beside(item)] or items
        found = _unique(link for item in items if (link := _of_item(item, here)))
        if any(link.kind in READ_KINDS for link in found):
            return found
        best = best or found
    anchors = _ALL_ANCHORS(page.root)
    found = _unique(link for a in anchors if (link := _of_anchor([a], a, here)))
    articles = [link for link in found if link.kind in READ_KINDS]
    return articles or best


@dataclass(frozen=True, slots=True)
class _Here:
    """The column page itself: what its references start from, its address, that made canonical."""

    base: str
    url: str
    key: str


def _is_box_beside(box: HtmlElement) -> bool:
    if box.tag not in {"div", "aside", "nav", "td", "ul"}:
        return False
    return bool(_BESIDE.search(f"{box.get('class') or ''} {box.get('id') or ''}"))


def _unique(links: Iterable[ListedLink]) -> list[ListedLink]:
    seen: dict[str, ListedLink] = {}
    for link in links:
        known = seen.get(link.url)
        if known is None or (not known.title and link.title):
            seen[link.url] = link
    return list(seen.values())


def _of_item(item: HtmlElement, here: _Here) -> ListedLink | None:
    """The one link of a list item: an article's before others (a category link, a thumbnail)."""
    if item.find(".//li") is not None:
        return None
    return _of_anchor(_ANCHORS(item), item, here)


def _of_anchor(anchors: list[HtmlElement], item: HtmlElement, here: _Here) -> ListedLink | None:
    found: list[tuple[str, str, str, HtmlElement]] = []
    for anchor in anchors:
        url = absolute(here.base, anchor.get("href") or "")
        if url and (key := canonical(url)) != here.key and not _is_pager(url, here.url):
            found.append((kind(url), url, key, anchor))
    articles = [link for link in found if link[0] == "article"]
    wanted = articles or [link for link in found if link[0] != "topic"] or found
    if not wanted:
        return None
    what, url, key = wanted[0][:3]
    titles = (title for *_, k, anchor in wanted if k == key and (title := _title(anchor)))
    title = next(titles, None)
    return ListedLink(key if what in READ_KINDS else url, url, what, title, _date(item))


def _is_pager(url: str, own: str) -> bool:
    index, mine = _INDEX.match(url), _INDEX.match(own)
    stem = mine["stem"] if mine else own
    return bool(index and index["stem"] == stem)


def _title(anchor: HtmlElement) -> str | None:
    heading = anchor.find(".//h2")
    heading = heading if heading is not None else anchor.find(".//h3")
    text = clean(str((anchor if heading is None else heading).text_content()))
    attribute = clean(anchor.get("title") or "")
    # A list cuts long headlines with an ellipsis and keeps the whole in the title attribute.
    if attribute and (
        not text or (text.endswith(("...", "…")) and len(attribute) >= len(text) - 3)
    ):
        return attribute
    return text or None


def _date(item: HtmlElement) -> datetime | None:
    for part in islice(item.iter(*_LINK_DATE), 30):
        text = str(part.text_content())
        if len(text) <= 400 and len(text := clean(text)) <= 40 and (found := find_time(text)):
            return found[0]
    loose = (
        " ".join([item.text or "", *(child.tail or "" for child in item)])
        if item.tag == "li"
        else ""
    )
    found = find_time(loose)
    return found[0] if found else None


def _next(page: Page) -> tuple[str | None, int | None]:
    """The next page by 下一页, else by createPageHTML, else by the index_N that the page links."""
    total, by_script = _by_script(page)
    is_pager = Under(lambda box: "fenye" in (box.get("class") or "").split())
    in_pager = [anchor for anchor in _NEXT_PAGE(page.root) if is_pager(anchor)]
    for anchor in in_pager or _NEXT(page.root):
        url = absolute(page.url, anchor.get("href") or "")
        if url and url != page.url:
            return url, total
    if in_pager:
        return None, total  # 下一页 without a page to go to: this is the last
    if by_script or total:
        return by_script, total
    return _by_index(page), None


def _by_script(page: Page) -> tuple[int | None, str | None]:
    call = _PAGE_HTML.search(page.text)
    if not call:
        return None, None
    count, current = (_number(value, page.text) for value in call.groups()[:2])
    if count is None or current is None:
        return count, None
    if current + 1 >= count:
        return count, None
    return count, absolute(page.url, f"{call[3]}_{current + 1}.{call[4]}")


def _number(value: str, text: str) -> int | None:
    """A literal, or the value of a script variable (`countPage = 3`)."""
    if re.fullmatch(r"\d{1,6}", value):
        return int(value)
    found = re.search(rf"\b{re.escape(value)}\s*=\s*[\"']?(\d{{1,6}})(?!\d)", text)
    return int(found[1]) if found else None


def _by_index(page: Page) -> str | None:
    mine = _INDEX.match(page.url)
    stem = mine["stem"] if mine else page.url
    current = int(mine["page"] or 0) if mine else 0
    following = re.compile(rf"_0*{current + 1}\.")
    for anchor in _ALL_ANCHORS(page.root):
        href = anchor.get("href") or ""
        url = absolute(page.url, href) if following.search(href) else None
        other = _INDEX.match(url) if url else None
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
