"""An article on several pages while they are fetched, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field

from zjolcrawl.archive.captures import Capture
from zjolcrawl.items import Link, RawArticle
from zjolcrawl.parsing.pages import MOST_PAGES, join, part_url
from zjolcrawl.parsing.urls import page_number


@dataclass(slots=True)
class Parts:
    """What is read of an article: `first` is the page that its link led to, not always its first.

    `read` has None for a page without text. `origin` is the capture of `first` where the archive is
    read and not the site.
    """

    link: Link
    first: RawArticle
    pages: list[str]
    read: dict[str, RawArticle | None] = field(default_factory=dict)
    origin: Capture | None = None
    cut: bool = False  # whether a page told of more than MOST_PAGES

    def add(self, url: str, found: RawArticle | None) -> None:
        """A page was read; it may tell of pages that no other told of."""
        known = [part.body for part in self.read.values() if part]
        # A site that ignores the suffix serves its first page again.
        self.read[part_url(url)] = None if found and found.body in known else found
        pages = sorted({*self.pages, *(found.pages if found else ())}, key=page_number)
        # A page that links the next without end would be followed for all the numbers that there are.
        self.pages, self.cut = pages[:MOST_PAGES], self.cut or len(pages) > MOST_PAGES

    @property
    def missing(self) -> str | None:
        """The next page to fetch, or None where all are read."""
        return next((url for url in self.pages if url not in self.read), None)

    def whole(self) -> RawArticle:
        """The article: its time of sight and its link are those of `first`."""
        article = join(self.pages, self.read)
        if self.cut:
            article.warnings.append(f"pages: more than {MOST_PAGES}, the rest is not read")
        first = self.first
        article.columns, article.listed_at = first.columns, first.listed_at
        article.frontier_url, article.seen_at = first.frontier_url, first.seen_at
        article.aliases = [url for url in first.aliases if url not in self.pages]
        article.pages_warc = [
            part.warc for url in self.pages if (part := self.read[url]) and part.warc
        ]
        return article
