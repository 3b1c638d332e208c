"""`scrapy fetch`, `scrapy shell` and spiders of other projects: no run, no archive, no line per part."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from scrapy import Spider
from scrapy.exceptions import NotConfigured
from scrapy.utils.test import get_crawler

from tests.support.crawling import scrapy
from tests.support.pages import HOST
from tests.support.site import Answer, SiteProxy
from zjolcrawl.extensions.run import RunExtension

PAGE = f"{HOST}/test/a.shtml"


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (("fetch",), "<p>一页</p>"),
        (("fetch", "--headers"), "< Content-Type: text/html"),
        (("shell", "-c", "response.text"), "<p>一页</p>"),
    ],
)
def test_scrapys_own_commands_are_quiet(
    command: tuple[str, ...], shown: str, site: SiteProxy, tmp_path: Path
) -> None:
    headers = {"Content-Type": "text/html; charset=utf-8"}
    site.set(PAGE, Answer(body="<p>一页</p>".encode(), headers=headers))
    done = scrapy(*command, PAGE, site=site, data=tmp_path, uri="mongodb://127.0.0.1:1/")
    assert (done.returncode, done.stderr) == (0, "")
    assert shown in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_other_spider_is_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    class Other(Spider):
        name = "other"

    with caplog.at_level(logging.WARNING, "zjolcrawl"), pytest.raises(NotConfigured) as refused:
        RunExtension.from_crawler(get_crawler(Other))
    assert refused.value.args == ()
    assert caplog.messages == ["Spider other is not of zjolcrawl: nothing is archived or stored"]
