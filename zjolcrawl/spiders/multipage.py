"""Collects the pages of a multi-page article while they are fetched one by one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from zjolcrawl.archive.captures import Capture
from zjolcrawl.items import Link, RawArticle
from zjolcrawl.parsing.multipage import MOST_PAGES, join, part_url
from zjolcrawl.parsing.urls import page_number


@dataclass(slots=True)
class Parts:
    """The pages of one article read so far.

    `first` is the page that the link led to; it need not be page 1. `host` is the host whose lease the
    requests need. `read` maps URL to page, None for a page without text. `origin` is the capture of `first` when re-parsing.
    """

    link: Link
    first: RawArticle
    pages: list[str]
    host: str | None = None
    read: dict[str, RawArticle | None] = field(default_factory=dict)
    origin: Capture | None = None
    cut: bool = False  # whether a page named more than MOST_PAGES pages

    def add(self, url: str, found: RawArticle | None) -> None:
        """Add a page; it may name pages that no earlier page named."""
        known = [part.body for part in self.read.values() if part]
        # A site that ignores the suffix serves its first page again.
        self.read[part_url(url)] = None if found and found.body in known else found
        pages = sorted({*self.pages, *(found.pages if found else ())}, key=page_number)
        # Bounded: a site can link a next page without end.
        self.pages, self.cut = pages[:MOST_PAGES], self.cut or len(pages) > MOST_PAGES

    @property
    def missing(self) -> str | None:
        """The next page to fetch, or None once all are read."""
        return next((url for url in self.pages if url not in self.read), None)

    def whole(self) -> RawArticle:
        """The joined article, with the fetch time and link of `first`."""
        article = join(self.pages, self.read)
        if self.cut:
            article.warnings.append(f"pages: more than {MOST_PAGES}, the rest is not read")
        read = [part.visit.warc for url in self.pages if (part := self.read[url])]
        article.visit = replace(
            self.first.visit,
            aliases=[url for url in self.first.visit.aliases if url not in self.pages],
            warc=article.visit.warc,
            pages_warc=[each for each in read if each],
            validators={},  # an unchanged first page says nothing about the others
        )
        return article
