"""`scrapy crawl article`: archive single articles."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from zjolcrawl.arguments import article_arguments
from zjolcrawl.items import READ_KINDS, Link
from zjolcrawl.parsing.urls import canonical, kind
from zjolcrawl.spiders.reader import ArticleReader


class ArticleSpider(ArticleReader):
    """Archives the articles given by `-a url=URL[,URL…]` or `-a file=FILE`."""

    name = "article"
    parse_arguments = staticmethod(article_arguments)

    def __init__(self, name: str | None = None, **arguments: str) -> None:
        super().__init__(name)
        self.given = arguments
        self.urls = article_arguments(**arguments)

    async def start(self) -> AsyncIterator[Any]:
        """One request per URL; a URL of a kind that is not parsed is only recorded."""
        asked: set[str] = set()
        for url in self.urls:
            what = kind(url)
            link = Link(canonical(url))
            if what not in {*READ_KINDS, "topic"}:
                yield Link(link.url, what, reason=f"{what} page: not read by this version")
            elif link.url not in asked:
                asked.add(link.url)
                yield self.article_request(link, url)
