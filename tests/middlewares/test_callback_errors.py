"""A callback that raises: its link or its list has an outcome, and nothing is said of a page if MongoDB is lost."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from typing import Any

import pytest
from scrapy import Request
from scrapy.http import HtmlResponse

from zjolcrawl.items import ColumnVisit, Link, Outcome
from zjolcrawl.middlewares.callback_errors import CallbackErrorMiddleware
from zjolcrawl.request_meta import SEEN_AT
from zjolcrawl.site.catalogue import load_catalogue
from zjolcrawl.storage.errors import StoreError

URL = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml"
AT = datetime(2026, 1, 10, 3, 4, 5, tzinfo=timezone.utc)


def outcomes(error: Exception, **callback_args: Any) -> list[Any]:
    """What the middleware makes of a callback's error."""
    request = Request(URL, cb_kwargs=callback_args, meta={SEEN_AT: AT})
    response = HtmlResponse(f"{URL}?a", request=request, status=203)

    async def main() -> list[Any]:
        found = CallbackErrorMiddleware().process_spider_exception(response, error)
        return [each async for each in found]

    return asyncio.run(main())


@pytest.mark.parametrize("error", [KeyError("body"), RecursionError("too deep"), MemoryError()])
def test_article_is_rejected(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    (found,) = outcomes(error, link=Link(URL))
    assert isinstance(found, Outcome)
    assert (found.url, found.state, found.seen_at) == (URL, "rejected", AT)
    assert (found.final_url, found.status) == (f"{URL}?a", 203)
    assert type(error).__name__ in found.reason
    assert f"Could not process {URL}?a" in caplog.text


def test_list_has_failed(caplog: pytest.LogCaptureFixture) -> None:
    column = load_catalogue()["zjxw"]
    (found,) = outcomes(ValueError("no list"), column=column, number=3)
    assert isinstance(found, ColumnVisit)
    assert (found.column, found.page, found.seen_at) == ("zjxw", 3, AT)
    assert found.error == "ValueError: no list"
    assert found.entry["name"] == column.name


def test_lost_database_says_nothing_about_the_page() -> None:
    assert outcomes(StoreError("MongoDB is away"), link=Link(URL)) == []


def test_neither_link_nor_list() -> None:
    assert outcomes(ValueError("x")) == []
