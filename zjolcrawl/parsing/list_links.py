"""Reads the links of a list: the target, title and date of each item."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice, takewhile

from lxml.html import HtmlElement

from zjolcrawl.items import READ_KINDS
from zjolcrawl.parsing.elements import text_of
from zjolcrawl.parsing.fields.dates import (
    china_day,
    find_month_day,
    find_stamp,
    find_time,
    time_span,
)
from zjolcrawl.parsing.fields.text import clean
from zjolcrawl.parsing.urls import absolute, canonical, kind, normalized, url_day
from zjolcrawl.parsing.xpath import Path
from zjolcrawl.site.current import current_site

_ANCHORS = Path(".//a[@href]")
_DATED = ("span", "em", "i", "p", "div", "font", "time", "b", "td", "dd", "small")
_LOOSE = ("li", "dt", "h2", "h3", "h4", "h5")  # may hold a date without a box of its own
_MOST_ALIKE = 5  # links in one row: its picture, its title, a "more" link
_FAR = 31  # days from the URL's day; a date in the item further off is part of the story
_HEADINGS = ("h1", "h2", "h3", "h4", "h5")
_QUOTED = re.compile(r"[\"']([^\"'\s]{4,1000})[\"']")
# Links in scripts: <a href="…">…</a> in a string, or objects with a URL and a title.
_WRITTEN = re.compile(
    r"<a\s[^<>]{0,300}?href=\\?[\"']?([^\"'\\\s<>]{4,1000})[^<>]{0,500}>([^<>]{0,300})<\\?/a",
    re.IGNORECASE,
)
_OBJECT = re.compile(r"\{[^{}]{10,4000}\}")
_PAIR = re.compile(
    r"[\"']?(\w{1,40})[\"']?\s{0,9}:\s{0,9}(?:\"((?:[^\"\\]|\\.){0,1500})\"|'([^']{0,1500})'|(\d{10,13}))"
)


@dataclass(frozen=True, slots=True)
class ListedLink:
    """A link in a list: `url` is canonical for article forms, absolute for others.

    `listed_at` is the list's own date (UTC); `fetch_url` is the absolute URL as the list gives it.
    """

    url: str
    fetch_url: str
    kind: str
    title: str | None
    listed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Here:
    """The column page itself: the base of its references, its URL and its canonical URL."""

    base: str
    url: str
    key: str


@dataclass(frozen=True, slots=True)
class _Target:
    kind: str
    url: str
    key: str
    element: HtmlElement


def links_of_item(item: HtmlElement, here: Here) -> list[ListedLink]:
    """The article links of a list item; without any, one other link (a topic link only as a last resort)."""
    found = list(_targets(_hrefs(_ANCHORS(item)), here))
    articles = [target for target in found if target.kind == "article"]
    if not articles:
        scripted = list(_targets(_scripted(item), here))
        articles = [target for target in scripted if target.kind in READ_KINDS]
    wanted = articles or [target for target in found if target.kind != "topic"] or found
    keys = list(dict.fromkeys(target.key for target in wanted))[: None if articles else 1]
    return [_link([target for target in wanted if target.key == key], item) for key in keys]


def links_of_anchors(anchors: Iterable[HtmlElement], here: Here) -> Iterator[ListedLink]:
    """Each link of a page without a recognised list."""
    for target in _targets(_hrefs(anchors), here):
        link = _link([target], target.element)
        if link.listed_at is None and link.kind in READ_KINDS:
            link = replace(link, listed_at=_date(_row(target.element), target.url))
        yield link


def links_of_scripts(root: HtmlElement, here: Here) -> Iterator[ListedLink]:
    """Article links found only in scripts: in an attribute, a written `<a>` or an object literal."""
    for target in _targets(_scripted(root), here):
        if target.kind in READ_KINDS:
            yield _link([target], target.element)
    for script in root.iter("script"):
        code = script.text or ""
        if not _may_be_article(code):
            continue
        code = code.replace("\\/", "/").replace('\\"', '"') if "<a" in code else code
        for mark in _WRITTEN.finditer(code):
            yield from _listed_link(mark[1], mark[2], None, here)
        for thing in _OBJECT.finditer(code):
            said = {
                m[1].lower(): _unescaped(m[2] or m[3] or m[4] or "")
                for m in _PAIR.finditer(thing[0])
            }
            address = next((v for v in said.values() if _may_be_article(v)), "")
            yield from _listed_link(address, _named(said), _stamped(said), here)


def _may_be_article(text: str) -> bool:
    """Whether a text may be or contain an article's URL: a cheap test without false negatives."""
    return bool(current_site().article_hint.search(text))


def _hrefs(anchors: Iterable[HtmlElement]) -> Iterator[tuple[str, HtmlElement]]:
    for anchor in anchors:
        href = anchor.get("href") or ""
        if "script:" in href[:20].lower():  # javascript:window.open('…')
            yield from ((each, anchor) for each in _QUOTED.findall(href) if _may_be_article(each))
        else:
            yield href, anchor


def _scripted(item: HtmlElement) -> Iterator[tuple[str, HtmlElement]]:
    """URLs in attributes that scripts read: data-url, onclick and the like."""
    for element in item.iter():
        for name, value in element.items() if isinstance(element.tag, str) else ():
            if name.startswith("data-") and _may_be_article(value):
                yield value, element
            elif name == "onclick" and _may_be_article(value):
                yield from ((address, element) for address in _QUOTED.findall(value))


def _targets(hrefs: Iterable[tuple[str, HtmlElement]], here: Here) -> Iterator[_Target]:
    for href, element in hrefs:
        url = normalized(absolute(here.base, href) or "")
        if url and (key := canonical(url)) != here.key and not is_pager(url, here.url):
            yield _Target(kind(url), url, key, element)


def _link(targets: list[_Target], item: HtmlElement) -> ListedLink:
    first = targets[0]
    title = next((title for each in targets if (title := _title(each.element))), None)
    url = first.key if first.kind in READ_KINDS else first.url
    return ListedLink(url, first.url, first.kind, title, _date([item], first.url))


def _row(anchor: HtmlElement) -> list[HtmlElement]:
    """The boxes around and after a link outside a list that may hold its date: they have no other link."""
    here = anchor
    for box in islice(anchor.iterancestors(), 4):
        links = list(islice(box.iter("a"), _MOST_ALIKE + 1))
        if box.tag == "body" or len(links) > _MOST_ALIKE or _leads_elsewhere(links, anchor):
            break
        here = box
    following = islice(here.itersiblings(*_DATED), 3)
    return [here, *takewhile(lambda box: box.find(".//a") is None, following)]


def _leads_elsewhere(links: list[HtmlElement], anchor: HtmlElement) -> bool:
    own = anchor.get("href") or ""
    others = (href for link in links if (href := link.get("href") or "") != own)
    return any(_may_be_article(href) or not _may_be_article(own) for href in others)


def _listed_link(
    address: str, title: str, listed_at: datetime | None, here: Here
) -> Iterator[ListedLink]:
    url = normalized(absolute(here.base, address) or "")
    if url and kind(url) in READ_KINDS:
        yield ListedLink(canonical(url), url, kind(url), clean(title) or None, listed_at)


_INDEX = re.compile(
    r"^(?P<stem>.*/)(?P<name>index|list|default)(?:_(?P<page>\d{1,6}))?(?P<ext>\.s?html?)$"
)


def index_of(url: str) -> re.Match[str] | None:
    """The parts of a list page's URL (groups stem, name, page, ext), or None."""
    return _INDEX.match(url)


def is_pager(url: str, own: str) -> bool:
    """Whether `url` is a page of the same list as `own`."""
    index, mine = _INDEX.match(url), _INDEX.match(own)
    stem = mine["stem"] if mine else own
    return bool(index and index["stem"] == stem)


def _title(anchor: HtmlElement) -> str | None:
    text = clean(text_of(_headed(anchor)))
    attribute = clean(anchor.get("title") or "")
    # A list shortens long headlines with an ellipsis and has the full one in the title attribute.
    if attribute and (
        not text or (text.endswith(("...", "…")) and len(attribute) >= len(text) - 3)
    ):
        return attribute
    image = anchor.find(".//img[@alt]") if not text else None
    return text or (clean(image.get("alt") or "") if image is not None else "") or None


def _headed(anchor: HtmlElement) -> HtmlElement:
    """The headline inside a link: a heading, or the first of several blocks (then summary and date)."""
    for tag in _HEADINGS:
        if (heading := anchor.find(f".//{tag}")) is not None:
            return heading
    blocks = [each for each in anchor if each.tag in {"p", "div"} and text_of(each).strip()]
    return blocks[0] if len(blocks) > 1 and not (anchor.text or "").strip() else anchor


def _date(row: list[HtmlElement], url: str) -> datetime | None:
    """The list's date for a link: the one nearest to the day in its URL, if the URL has a day."""
    found: list[tuple[float, datetime]] = []
    day = url_day(url)
    for text in (text for item in row for text in _dated_texts(item)):
        span, time = time_span(text), find_time(text)
        if day and not span and (time := find_month_day(text, day)):
            span = 0, len(text)
        if span and time:
            away = abs((china_day(time[0]) - day).days) if day else 0
            # Without a day in the URL, a date that stands alone beats one in a sentence.
            found.append((away if day else -(span[1] - span[0]) / len(text), time[0]))
    best = min(found, default=None, key=lambda each: each[0])
    return best[1] if best and best[0] <= _FAR else None


def _dated_texts(item: HtmlElement) -> Iterator[str]:
    for part in islice(item.iter(*_DATED), 30):
        text = text_of(part)
        if len(text) <= 400 and len(text := clean(text)) <= 40:
            yield text
    if item.tag in _LOOSE:
        yield clean(" ".join([item.text or "", *(child.tail or "" for child in item)]))
    elif item.tag == "a":
        yield clean(item.tail or "")


def _unescaped(value: str) -> str:
    try:
        return str(json.loads(f'"{value}"')) if "\\" in value else value
    except ValueError:
        return value


def _named(said: dict[str, str]) -> str:
    names = [name for name in said if "title" in name] or [n for n in said if "name" in n]
    return said[names[0]] if names else ""


def _stamped(said: dict[str, str]) -> datetime | None:
    for name, value in said.items():
        if ("time" in name or "date" in name) and (stamp := find_stamp(value)):
            found = find_time(stamp)
            return found[0] if found else None
    return None
