"""Finds the columns that a page links to: in navigation, breadcrumb, "more" (更多) links and headings.

Written with only the front page of 2018 as a sample of the live navigation. A link's position
therefore only labels it: every link to a column front counts, except entries of lists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import Literal
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from zjolcrawl.parsing.breadcrumb import find_position
from zjolcrawl.parsing.elements import HasAncestor, names_of
from zjolcrawl.parsing.fields.text import clean
from zjolcrawl.parsing.page import read_page
from zjolcrawl.parsing.urls import absolute, is_front, is_own_host
from zjolcrawl.parsing.xpath import Path, paths
from zjolcrawl.site.current import for_site

Place = Literal["breadcrumb", "more", "navigation", "heading", "page"]

_ANCHORS = Path("//a[@href]")
_list_items = for_site(lambda site: paths(*site.lists.by_class))
_MORE = re.compile(
    r"^[\[【(（]?\s*(?:更多|查看更多|more)[^\u4e00-\u9fff]{0,6}$|^[>＞»›+\s]+$", re.IGNORECASE
)
_CRUMB = re.compile(r"crumb|weizhi|dqwz|currpos|position|location|CurrChnlCls", re.IGNORECASE)
_NAVIGATION = re.compile(
    r"nav|menu|channel|pindao|daohang|(?:^|[\s_-])(?:top|head|foot)", re.IGNORECASE
)
_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6", "dt", "th"}
_TITLE = re.compile(r"tit|(?:^|[\s_-])hd(?:$|[\s_-])", re.IGNORECASE)  # SEL lmtitle
_INDEX = re.compile(r"index\.s?html?$")
_MONTH = re.compile(r"/\d{6}/$")  # the folder of a month's articles
_LONGEST_NAME = 16
_LONGEST_HEADING = 400  # characters of a box with 更多 and a name; a longer box is not a heading


@dataclass(frozen=True, slots=True)
class ColumnLink:
    """A link to a column's front: its URL as in the catalogue, its name and its place on the page.

    The name is the link's text, or the heading beside a 更多 link.
    """

    url: str
    name: str | None
    place: Place


def read_navigation(body: bytes, url: str) -> list[ColumnLink]:
    """The columns that a page links to, each once, in page order. Never raises on bad HTML.

    `url` is the page's absolute URL. Of several links to one column, the first with a name counts.
    """
    page = read_page(body, url)
    base = page.base
    # Entries of lists lead to articles and topics (专题), not to columns.
    entries = {li for path in _list_items() for li in path(page.root)}
    own, found = column_url(url), dict[str, ColumnLink]()
    is_entry, place = HasAncestor(entries.__contains__), _Places()
    for anchor in _ANCHORS(page.root):
        target = absolute(base, anchor.get("href") or "")
        front = column_url(target) if target else None
        if front is None or front == own or is_entry(anchor):
            continue
        known = found.get(front)
        if known is None or not known.name:
            link = _link(front, anchor, place)
            found[front] = known if known and not link.name else link
    return list(found.values())


def column_url(url: str) -> str | None:
    """The URL of a column's front as in the catalogue, or None for any other page.

    It has the http scheme, no index page and a final slash, which is added if missing.
    """
    parts = urlsplit(url)
    path = _INDEX.sub("", parts.path) or "/"
    if "." not in path.rpartition("/")[2]:
        path = path if path.endswith("/") else f"{path}/"
    front = f"http://{parts.netloc.lower().removesuffix(':80')}{path}"
    fits = is_front(front) and is_own_host(front) and not parts.query
    return front if fits and not _MONTH.search(path) else None


def _link(front: str, anchor: HtmlElement, place: _Places) -> ColumnLink:
    words = _words(anchor)
    if not words or _MORE.match(words):
        heading = _beside(anchor)
        return ColumnLink(front, heading, "more" if words else place(anchor))
    return ColumnLink(front, words if len(words) <= _LONGEST_NAME else None, place(anchor))


def _words(anchor: HtmlElement) -> str:
    text = clean(str(anchor.text_content()))
    image = anchor.find(".//img[@alt]")
    return text or clean(
        anchor.get("title") or (image.get("alt") if image is not None else "") or ""
    )


def _beside(anchor: HtmlElement) -> str | None:
    """The text of the heading around or above a 更多 link."""
    more = clean(str(anchor.text_content()))
    for box in islice(anchor.iterancestors(), 3):
        text = clean(_beginning(box)).replace(more, " ").strip() if more else ""
        if text:
            return clean(text) if len(text) <= _LONGEST_NAME else None
    return None


def _beginning(box: HtmlElement) -> str:
    """The text of a box; if it is too long for a heading, only its beginning."""
    pieces, size = [], 0
    for piece in box.itertext():
        pieces.append(str(piece))
        size += len(piece.strip())
        if size > _LONGEST_HEADING:
            break
    return "".join(pieces)


class _Places:
    """Tells an anchor's place on the page from the nearest box with a telling name, tag or text."""

    def __init__(self) -> None:
        self._known: dict[HtmlElement, Place] = {}

    def __call__(self, anchor: HtmlElement) -> Place:
        if _CRUMB.search(anchor.get("class") or ""):
            return "breadcrumb"
        path: list[HtmlElement] = []
        place: Place = "page"
        for box in anchor.iterancestors():
            if box in self._known:
                place = self._known[box]
                break
            path.append(box)
            if said := _said_by(box):
                place = said
                break
        self._known.update(dict.fromkeys(path, place))
        return place


def _said_by(box: HtmlElement) -> Place | None:
    names = names_of(box)
    if _CRUMB.search(names) or (box.text and find_position(box.text)):
        return "breadcrumb"
    if box.tag in _HEADINGS or _TITLE.search(names):
        return "heading"
    return "navigation" if box.tag == "nav" or _NAVIGATION.search(names) else None
