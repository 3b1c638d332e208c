"""Articles on several pages: which pages there are, and their parts as one article."""

from __future__ import annotations

import re
from dataclasses import replace

from zjolcrawl.items import RawArticle
from zjolcrawl.parsing.page import Page
from zjolcrawl.parsing.templates.table import Values
from zjolcrawl.parsing.urls import absolute, canonical, page_number

_HREFS = Values("//a/@href")
_OPTIONS = Values("//option/@value")
# TRS writes its pager by script: createPageHTML(3, 0, "t20180402_6934037", "shtml")          [SIS]
# A number may be a script variable, and the name one too.
_SCRIPT = re.compile(
    r"createPage\w{0,20}\s{0,9}\(\s{0,9}(?:(?:parseInt|Number)\s?\(\s{0,9})?[\"']?(\w{1,40})[\"']?(?:\s{0,9},\s?10)?\s{0,9}\)?\s{0,9},\s{0,9}[\"']?\w{1,40}[\"']?\s{0,9},\s{0,9}[\"']?(\w{1,40})[\"']?\s{0,9},\s{0,9}[\"']?\.?(\w{1,10})[\"']?"
)
_MOST_NUMBER = 999_999  # a page that says more is believed so far
MOST_PAGES = 60
"""A longer pager is a mistake of the page, not an article."""
_FIRST_WINS = (
    "title", "kicker", "subtitle", "published", "source", "breadcrumb", "editors", "tags",
    "editor_note", "abstract", "dateline", "original_title",
)  # fmt: skip


def page_urls(page: Page) -> list[str]:
    """The http URLs of all pages of a page's article that it tells of, in order; [] if it is alone.

    Where they are more than MOST_PAGES, one more is named, so that a reader sees that they are.
    """
    own = canonical(page.url)
    folder, _, file = own.rpartition("/")
    name = file.partition(".")[0]
    found = {own, part_url(page.url)}
    # Both kinds of pager name the article; a search of the text costs a tenth of one for the links.
    is_named = name in page.text
    # A page links hundreds of others, and resolving an address costs more than reading a paragraph.
    named = _HREFS(page.root) if is_named else []
    named += _OPTIONS(page.root) if is_named and "<option" in page.text else []
    for href in (href for href in named if name in href):
        url = absolute(page.base, href)
        if url and page_number(url) and canonical(url) == own:
            found.add(part_url(url))
    for call in _SCRIPT.finditer(page.text) if is_named else ():  # the function itself is another
        if name in (call[2], script_text(call[2], page.text)):
            last = min(script_number(call[1], page.text) or 0, MOST_PAGES + 1)
            ext = script_text(call[3], page.text) or call[3]
            found |= {f"{folder}/{name}_{n}.{ext.lstrip('.')}" for n in range(1, last)}
            break
    ordered = sorted(found, key=page_number)
    return ordered[: MOST_PAGES + 1] if len(ordered) > 1 else []


def script_number(value: str, text: str) -> int | None:
    """A literal, or the value of a script variable (`countPage = 3`, `countPage = parseInt("3")`)."""
    if not re.fullmatch(r"\d{1,40}", value):
        found = re.search(
            rf"\b{re.escape(value)}\s{{0,9}}=\s{{0,9}}(?:(?:parseInt|Number)\s?\(\s{{0,9}}|\+\s?)?[\"']?([0-9]{{1,40}})(?!\d)",
            text,
        )
        value = found[1] if found else ""
    return min(int(value), _MOST_NUMBER) if value else None


def script_text(name: str, text: str) -> str | None:
    """The string that a script variable holds (`name = "t20180402_6934037"`)."""
    found = re.search(rf"\b{re.escape(name)}\s{{0,9}}=\s{{0,9}}[\"'](\w{{1,40}})[\"']", text)
    return found[1] if found else None


def join(pages: list[str], parts: dict[str, RawArticle | None]) -> RawArticle:
    """One article of its parts by page; None, and what is not there, stands for a page without text.

    The head is the first page's; what it lacks, such as an editor named on the last page, is the
    first found. At least one part is read.
    """
    read = [part for url in pages if (part := parts.get(url))]
    whole = replace(read[0], pages=pages)
    for name in _FIRST_WINS:
        setattr(
            whole,
            name,
            next((v for part in read if (v := getattr(part, name))), None) or getattr(whole, name),
        )
    for name in ("bylines", "body", "body_html", "videos", "attachments"):
        setattr(whole, name, [each for part in read for each in getattr(part, name)])
    images = [image for part in read for image in part.images]
    whole.images = [replace(image, position=n) for n, image in enumerate(images, 1)]
    whole.warnings = list(dict.fromkeys(w for part in read for w in part.warnings))
    whole.warnings += [f"pages: {url} has no text" for url in pages if not parts.get(url)]
    return whole


def part_url(url: str) -> str:
    """The http URL of one page of an article; the first has the article's own."""
    if not page_number(url):
        return canonical(url)
    return re.sub("^https:", "http:", url).partition("?")[0]
