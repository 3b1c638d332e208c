"""A minimal Scrapy spider as the baseline of the crawl benchmarks: it only reads list links.

It is run by `scrapy runspider` outside the project, so with Scrapy's own defaults.
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
    """Requests each link of a list and yields a one-field item for each article."""

    name = "bare"
    start_urls: ClassVar[list[str]] = [COLUMN]  # type: ignore[misc]  # as Scrapy documents it

    def parse(self, response: Response) -> Iterator[Any]:
        """Scrapy callback for a list page; applies regular expressions to its bytes."""
        for link in _LINK.findall(response.body):
            yield Request(urljoin(response.url, link.decode()), callback=self.article)
        for link in _NEXT.findall(response.body):
            yield Request(urljoin(response.url, link.decode()))

    def article(self, response: Response) -> dict[str, str]:
        """Scrapy callback for an article; does not read the page."""
        return {"url": response.url}
