"""`scrapy article`: the article as text, and the bytes that it was parsed from."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import brotli
import pytest
from pybtex.database import parse_string
from pymongo.database import Database

from tests.support.crawling import Crawl
from tests.support.goldens import file_of
from tests.support.pages import COLUMN, DAY, article, saying, serve_column, url_of
from tests.support.site import Answer, SiteProxy
from zjolcrawl.display.citation import FORMATS

REFERENCE = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml"
PAGE = file_of(REFERENCE)
IDENT = 4774001


@pytest.fixture
def reference(site: SiteProxy, crawl: Crawl) -> None:
    site.gzip = True
    assert crawl("article", url=REFERENCE).returncode == 0


def test_reference_article_as_its_reader_saw_it(reference: None, command: Crawl) -> None:
    """Title block, note, body, tags and editor appear in this order."""
    shown = command("article", REFERENCE).stdout.splitlines()
    assert shown[:4] == [
        "浙江在线 > 浙江新闻 > 浙江纵横 > 政经新闻",
        "全省各地贯彻落实中央第二环境保护督察组督察浙江省工作动员会精神",
        "全力保障中央环保督察开展",
        "2017年08月12日 07:34:27  来源: 浙江在线  浙江在线记者 江帆",
    ]
    assert shown[5].startswith("　　编者按：环境保护督察是党中央、国务院")
    golden = json.loads(PAGE.with_name(PAGE.name + ".json").read_text())["document"]
    first = shown.index("　　" + golden["body"][0])
    assert shown[first : first + 18] == ["　　" + line for line in golden["body"]]
    assert shown[first - 1].startswith("［图1］")
    assert "stored" in shown[first - 1]
    assert shown[first + 19 : first + 21] == [
        "标签: 督察;生态文明;整改;浙江;环境保护;清单",
        "责任编辑 金晨",
    ]
    facts = dict(line.split(maxsplit=1) for line in shown[first + 22 :])
    assert facts["URL"] == REFERENCE
    assert facts["version"].startswith("1, live, since ")
    assert ".warc.gz at byte " in facts["record"]


def test_raw_is_the_page_and_record_what_came(
    reference: None, command: Crawl, db: Database[Any], tmp_path: Path
) -> None:
    assert command("article", REFERENCE, "--raw").stdout.encode() == PAGE.read_bytes()
    document = json.loads(command("article", REFERENCE, "--json").stdout)
    assert document["_id"] == REFERENCE
    at = document["warc"]
    data = (tmp_path / "warc" / at["file"]).read_bytes()
    record = gzip.decompress(data[at["offset"] : at["offset"] + at["length"]])
    assert b"Content-Encoding: gzip" in record
    assert at["record_id"].encode() in record


@pytest.mark.parametrize(("coding", "pack"), [("br", brotli.compress), ("gzip", gzip.compress)])
def test_raw_undoes_the_content_coding(
    coding: str, pack: Any, site: SiteProxy, crawl: Crawl, command: Crawl
) -> None:
    page = article(DAY, IDENT)
    headers = {"Content-Encoding": coding, "Content-Type": "text/html"}
    site.set(url_of(IDENT), Answer(headers=headers, body=pack(page)))
    assert crawl("article", url=url_of(IDENT)).returncode == 0
    assert command("article", url_of(IDENT), "--raw").stdout.encode() == page


def test_any_address_and_any_version(site: SiteProxy, crawl: Crawl, command: Crawl) -> None:
    alias = url_of(4774002)
    site.set(url_of(IDENT), saying(IDENT, "说了第一句"))
    site.set(alias, Answer(status=301, headers={"Location": url_of(IDENT)}))
    crawl("article", url=alias)
    site.set(url_of(IDENT), saying(IDENT, "说了第二句"))
    crawl("article", url=alias)
    for address in (alias, url_of(IDENT).replace("http:", "https:") + "?from=x#top"):
        assert "第二句" in command("article", address).stdout
    assert "第一句" in command("article", alias, "--revision", "1").stdout
    assert "第一句" in command("article", alias, "--revision", "1", "--raw").stdout
    done = command("article", alias, "--revision", "3")
    assert (done.returncode, done.stdout) == (1, "")
    assert "has versions 1 to 2" in done.stderr


def test_what_is_not_there_is_said_in_one_line(
    site: SiteProxy, crawl: Crawl, command: Crawl
) -> None:
    serve_column(site, [[(DAY, IDENT)]])
    site.set(url_of(IDENT), Answer(status=500))
    crawl("column", url=COLUMN, WARC="off", recheck="on")
    done = command("article", url_of(IDENT))
    assert done.returncode == 1
    assert done.stderr == f"zjolcrawl: no article {url_of(IDENT)} (its link is failed: HTTP 500)\n"
    assert command("article", url_of(4774009)).stderr.endswith("(unknown)\n")
    site.set(url_of(IDENT), Answer(body=article(DAY, IDENT)))
    crawl("column", url=COLUMN, WARC="off", recheck="on")
    assert "without an archive" in command("article", url_of(IDENT), "--raw").stderr
    assert command("article").returncode == 2


def test_what_is_no_url(command: Crawl) -> None:
    done = command("article", "http://[")
    assert (done.returncode, done.stderr) == (
        2,
        "zjolcrawl: http://[ is not a URL: Invalid IPv6 URL\n",
    )


def test_reference_to_a_version(reference: None, command: Crawl, db: Database[Any]) -> None:
    version = db.articles.find_one({"_id": REFERENCE}) or {}
    at = f"{version['changed_at']:%Y%m%d%H%M%S}"
    done = command("article", REFERENCE, "--cite", "bibtex", "--at", at)
    (entry,) = parse_string(done.stdout, "bibtex").entries.values()
    assert (entry.fields["title"], entry.fields["url"]) == ("{全力保障中央环保督察开展}", REFERENCE)
    for form in FORMATS:
        text = command("article", REFERENCE, "--cite", form).stdout
        assert version["content_sha256"] in text
        assert "江帆" in text


def test_version_by_time(site: SiteProxy, crawl: Crawl, command: Crawl, db: Database[Any]) -> None:
    url = url_of(IDENT)
    for day, words in enumerate(("第一种说法", "第二种说法")):
        site.set(url, saying(IDENT, words))
        assert crawl("article", url=url, ahead=day / 24).returncode == 0
    former = db.revisions.find_one({"_id.url": url}) or {}
    at = f"{former['changed_at']:%Y%m%d%H%M%S}"
    assert "第一种说法" in command("article", url, "--at", at).stdout
    assert "第二种说法" in command("article", url, "--at", "20991231235959").stdout
    early = command("article", url, "--at", "20000101000000")
    assert (early.returncode, early.stderr.strip()) == (
        1, f"zjolcrawl: {url} has no version at 2000-01-01 00:00:00 UTC: it was first seen later",
    )  # fmt: skip
    for wrong in ("2017", "20171399000000", "x"):
        refused = command("article", url, "--at", wrong)
        assert refused.returncode == 2
        assert f"{wrong} is not a time such as 20170812034512" in refused.stderr
    assert command("article", url, "--at", at, "--revision", "1").returncode == 2
    assert command("article", url, "--cite", "word").returncode == 2
