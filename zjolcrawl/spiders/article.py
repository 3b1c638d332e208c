"""`scrapy crawl article`: archive single articles."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from zjolcrawl.arguments import article_arguments
from zjolcrawl.items import READ_KINDS, Link
from zjolcrawl.parsing.urls import canonical, kind
from zjolcrawl.spiders.reader import ArticleReader

_BATCH = 100  # links that are recorded at once: a file may name thousands


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
        asked: dict[str, str] = {}
        for first in range(0, len(self.urls), _BATCH):
            links, requests = [], []
            for url in self.urls[first : first + _BATCH]:
                link, what = Link(canonical(url)), kind(url)
                if what not in {*READ_KINDS, "topic"}:
                    reason = f"{what} page: not read by this version"
                    links.append(Link(link.url, what, reason=reason))
                elif asked.setdefault(link.url, url) == url:
                    links.append(link)
                    requests.append(self.article_request(link, url))
            with self.run.stops_if_lost():
                await self.record(links)
                for request in requests:
                    yield request
