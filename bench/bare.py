"""The bare crawl that ours is measured against: it reads links on list pages and nothing else.

Run by `scrapy runspider` outside the project, so with Scrapy's own defaults.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import urljoin

from scrapy import Request, Spider
from scrapy.http import Response

from bench.site import COLUMN

_LINK = re.compile(rb'<a href="(\./[^"]+)"')
_NEXT = re.compile(rb'<a href="(index_\d+\.shtml)">')


class BareSpider(Spider):
    """A request for each link of a list, an item of one field for each article."""

    name = "bare"
    start_urls: ClassVar[list[str]] = [COLUMN]  # type: ignore[misc]  # as Scrapy documents it

    def parse(self, response: Response) -> Iterator[Any]:
        """Scrapy callback of a list page; regular expressions over its bytes."""
        for link in _LINK.findall(response.body):
            yield Request(urljoin(response.url, link.decode()), callback=self.article)
        for link in _NEXT.findall(response.body):
            yield Request(urljoin(response.url, link.decode()))

    def article(self, response: Response) -> dict[str, str]:
        """Scrapy callback: the page is not looked at."""
        return {"url": response.url}
