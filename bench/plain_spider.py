"""The same fields by plain selectors: what a Scrapy spider of the usual kind does with T1 pages.

XPath through parsel, no template but T1, no cleaning but strip(): less than ours does.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from parsel import Selector


def select(body: bytes, url: str) -> dict[str, Any]:
    """The fields of a T1 page."""
    page = Selector(body=body, base_url=url, encoding="utf-8")
    time = _first(page, "//*[@id='pubtime_baidu']/text()")
    container = page.xpath("//*[contains(@class, 'contTxt')]")
    paragraphs = (_joined(each) for each in container.xpath(".//p"))
    return {
        "title": _joined(page.xpath("//*[contains(@class, 'contTit')]")),
        "kicker": _joined(page.xpath("//*[contains(@class, 'introTit')]")),
        "published_at": _time(time),
        "source": _value(_first(page, "//*[@id='source_baidu']/text()")),
        "authors": _value(_first(page, "//*[@id='author_baidu']/text()"), " ").split(),
        "editors": _value(_first(page, "//*[contains(@class, 'editor')]/text()")).split(),
        "tags": _value(_first(page, "//*[contains(@class, 'tagBar')]/text()")).split(";"),
        "breadcrumb": page.xpath("//*[contains(@class, 'path')]/a/text()").getall(),
        "images": container.xpath(".//img/@src").getall(),
        "body": "\n".join(filter(None, paragraphs)),
        "body_html": container.get(),
    }


def _first(page: Selector, path: str) -> str:
    return str(page.xpath(path).get(default=""))


def _joined(found: Any) -> str:
    return "".join(found.xpath(".//text()").getall()).strip()


def _value(text: str, sign: str = ":") -> str:
    return text.partition(sign)[2].strip()


def _time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text.strip(), "%Y年%m月%d日 %H:%M:%S")
    except ValueError:
        return None
