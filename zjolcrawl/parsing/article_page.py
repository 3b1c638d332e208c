"""Parses an article page into raw fields, by template: the entry point for reading articles."""

from __future__ import annotations

from dataclasses import dataclass

from zjolcrawl.items import RawArticle
from zjolcrawl.parsing.article_fields import read_fields
from zjolcrawl.parsing.article_search import find_by_template, find_without_template
from zjolcrawl.parsing.densest import Densest
from zjolcrawl.parsing.fields.text import clean
from zjolcrawl.parsing.notices import says_gone
from zjolcrawl.parsing.page import Page, read_page
from zjolcrawl.parsing.paper_article import is_blank, place_on_page, read_paper_article
from zjolcrawl.parsing.redirects import stub_target
from zjolcrawl.parsing.urls import kind

# Increase with every change that can alter a field. Stored as `parser.version` in the documents.
PARSER_VERSION = 4
_LEAST = 60  # characters; less text beside a redirect is not an article


@dataclass(frozen=True, slots=True)
class Stub:
    """A page that only redirects the browser; `target` is an absolute URL."""

    target: str


@dataclass(frozen=True, slots=True)
class NotArticle:
    """A page without an article, and the reason.

    `missing`: the page says that nothing exists at its URL (a soft 404). `withheld`: the server sent a
    challenge or an empty page instead of the real one; a later request may succeed. `blank`: the page
    is complete but has nothing to read.
    """

    reason: str
    missing: bool = False
    withheld: bool = False
    blank: bool = False


def read_article(body: bytes, url: str) -> RawArticle | Stub | NotArticle:
    """Parse the article in a page's bytes. Never raises on bad HTML.

    `url` is the page's absolute URL; relative references resolve against it. The charset is detected
    from the bytes: see `page.decode`.
    """
    page = read_page(body, url)
    if kind(url) == "paper":
        if article := read_paper_article(page):
            return article
        if is_blank(page):
            return NotArticle("no headline or text: advertisement or masthead", blank=True)
    densest = Densest(page.root)
    if found := find_by_template(page, densest):
        # A page of a few words that redirects the browser is a stub, whatever its classes. With an info
        # line it is a brief, even if it redirects phones.
        is_short = found.size < _LEAST
        target = stub_target(page, always=bool(found.head.info)) if is_short else None
        return Stub(target) if target else read_fields(page, found)
    found = find_without_template(page, densest)
    if found and found.size < _LEAST and (target := stub_target(page, always=True)):
        return Stub(target)
    if found and not found.is_lead and not found.is_missing_page:
        article = read_fields(page, found)
        is_paper = kind(url) == "paper"
        return place_on_page(article, page, found.container) if is_paper else article
    target = stub_target(page)
    return Stub(target) if target else _why_not(page)


def _why_not(page: Page) -> NotArticle:
    """The likely reason why a page has no article."""
    text = clean(" ".join(page.root.itertext("p", "div", "h1", "h2", "td", "title")))[:400]
    if not page.text.strip():
        return NotArticle("empty page", withheld=True)
    if says_gone(text):
        return NotArticle("page says it is missing", missing=True)
    links = len(page.root.findall(".//a[@href]"))
    if not links and "<script" in page.text.lower():
        return NotArticle("script only: a challenge or an unknown stub", withheld=True)
    return NotArticle("links only: a topic or list page" if links >= 5 else "no body found")
