"""A typical Scrapy spider with plain selectors for T1 pages, for comparison.

XPath through parsel, only template T1, no cleaning but strip(): less than zjolcrawl does.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from parsel import Selector


def select(body: bytes, url: str) -> dict[str, Any]:
    """The fields of a T1 page."""
    page = Selector(body=body, base_url=url, encoding="utf-8")
    container = page.xpath("//div[@class='contTxt']")
    paragraphs = (
        each.xpath("string()").get(default="").strip() for each in container.xpath(".//p")
    )
    return {
        "title": _first(page, "string(//div[@class='contTit'])"),
        "kicker": _first(page, "string(//div[@class='introTit'])"),
        "published_at": _time(_first(page, "//span[@id='pubtime_baidu']/text()")),
        "source": _value(_first(page, "//span[@id='source_baidu']/text()")),
        "authors": _value(_first(page, "//span[@id='author_baidu']/text()"), " ").split(),
        "editors": _value(_first(page, "//span[@class='editor']/text()")).split(),
        "tags": _value(_first(page, "//span[@class='tagBar']/text()")).split(";"),
        "breadcrumb": page.xpath("//div[@class='path']/a/text()").getall(),
        "images": container.xpath(".//img/@src").getall(),
        "body": "\n".join(filter(None, paragraphs)),
        "body_html": container.get(),
    }


def _first(page: Selector, path: str) -> str:
    return page.xpath(path).get(default="").strip()


def _value(text: str, sign: str = ":") -> str:
    return text.partition(sign)[2].strip()


def _time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y年%m月%d日 %H:%M:%S")
    except ValueError:
        return None
