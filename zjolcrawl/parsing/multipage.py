"""Multi-page articles: finds the URLs of all pages and joins their parts into one article."""

from __future__ import annotations

import re
from dataclasses import replace

from zjolcrawl.items import RawArticle
from zjolcrawl.parsing.page import Page
from zjolcrawl.parsing.urls import absolute, canonical, page_number
from zjolcrawl.parsing.xpath import Values

_HREFS = Values("//a/@href")
_OPTIONS = Values("//option/@value")
# TRS writes its pager by script: createPageHTML(3, 0, "t20180402_6934037", "shtml")          [SIS]
# The number and the name may each be a script variable.
_SCRIPT = re.compile(
    r"createPage\w{0,20}\s{0,9}\(\s{0,9}(?:(?:parseInt|Number)\s?\(\s{0,9})?[\"']?(\w{1,40})[\"']?(?:\s{0,9},\s?10)?\s{0,9}\)?\s{0,9},\s{0,9}[\"']?\w{1,40}[\"']?\s{0,9},\s{0,9}[\"']?(\w{1,40})[\"']?\s{0,9},\s{0,9}[\"']?\.?(\w{1,10})[\"']?"
)
_MOST_NUMBER = 999_999  # larger numbers are capped to this
MOST_PAGES = 60
"""Maximum pages of an article. A longer pager is an error in the page."""
_FIRST_WINS = (
    "title", "kicker", "subtitle", "published", "source", "breadcrumb", "editors", "tags",
    "keywords", "editor_note", "abstract", "dateline", "original_title",
)  # fmt: skip


def page_urls(page: Page) -> list[str]:
    """The http URLs of all pages of this article that the page names, in order; [] for a single page.

    The list has at most MOST_PAGES + 1 entries; the extra one tells the caller that it was cut off.
    """
    own = canonical(page.url)
    folder, _, file = own.rpartition("/")
    name = file.partition(".")[0]
    found = {own, part_url(page.url)}
    # Both kinds of pager contain the article's file name, and a text search is much cheaper than
    # collecting the links.
    is_named = name in page.text
    # A page has hundreds of links and resolving a URL is slow, so filter by name first.
    named = _HREFS(page.root) if is_named else []
    named += _OPTIONS(page.root) if is_named and "<option" in page.text else []
    for href in (href for href in named if name in href):
        url = absolute(page.base, href)
        if url and page_number(url) and canonical(url) == own:
            found.add(part_url(url))
    # The function's definition matches too, so look for the call that names this article.
    for call in _SCRIPT.finditer(page.text) if is_named else ():
        if name in (call[2], script_text(call[2], page.text)):
            last = min(script_number(call[1], page.text) or 0, MOST_PAGES + 1)
            ext = script_text(call[3], page.text) or call[3]
            found |= {f"{folder}/{name}_{n}.{ext.lstrip('.')}" for n in range(1, last)}
            break
    ordered = sorted(found, key=lambda url: (page_number(url), url))
    return ordered[: MOST_PAGES + 1] if len(ordered) > 1 else []


def script_number(value: str, text: str) -> int | None:
    """The number that `value` stands for: a literal or a script variable (`countPage = parseInt("3")`).

    None if the script does not set the variable. Capped at 999,999.
    """
    if not re.fullmatch(r"\d{1,40}", value):
        found = re.search(
            rf"\b{re.escape(value)}\s{{0,9}}=\s{{0,9}}(?:(?:parseInt|Number)\s?\(\s{{0,9}}|\+\s?)?[\"']?([0-9]{{1,40}})(?!\d)",
            text,
        )
        value = found[1] if found else ""
    return min(int(value), _MOST_NUMBER) if value else None


def script_text(name: str, text: str) -> str | None:
    """The string value of a script variable (`name = "t20180402_6934037"`), or None."""
    found = re.search(rf"\b{re.escape(name)}\s{{0,9}}=\s{{0,9}}[\"'](\w{{1,40}})[\"']", text)
    return found[1] if found else None


def join(pages: list[str], parts: dict[str, RawArticle | None]) -> RawArticle:
    """Join the parts of a multi-page article into one; `parts` maps page URL to part.

    A part that is None or missing is a page without text; it adds a warning. At least one part must
    be present. Each head field comes from the first page that has it, so an editor named only on
    the last page is kept.
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
    """The http URL of one page of an article; for the first page, the article's canonical URL."""
    if not page_number(url):
        return canonical(url)
    return re.sub("^https:", "http:", url).partition("?")[0]
