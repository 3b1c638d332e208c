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
        wanted: dict[str, str] = {}
        for url in self.urls:
            wanted.setdefault(canonical(url), url)
        pairs = [(_link(key, kind(url)), url) for key, url in wanted.items()]
        with self.run.stops_if_lost():
            store = await self.run.open()
            for first in range(0, len(pairs), _BATCH):
                some = pairs[first : first + _BATCH]
                await store.discover([link for link, _ in some])  # a crash leaves them pending
                for link, url in some:
                    if not link.reason:
                        yield self.article_request(link, url)


def _link(url: str, what: str) -> Link:
    if what in {*READ_KINDS, "topic"}:
        return Link(url)
    return Link(url, what, reason=f"{what} page: not read by this version")
