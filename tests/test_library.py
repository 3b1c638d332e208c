"""The Python API, as docs/how-to/python.md shows it."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support import readme
from tests.support.crawling import ROOT, Crawl, scrapy
from tests.support.goldens import FOLDERS, file_of
from tests.support.site import Answer, SiteProxy
from zjolcrawl import open_archive
from zjolcrawl.display.citation import FORMATS
from zjolcrawl.items import Byline
from zjolcrawl.library import NewsArchive
from zjolcrawl.search import QueryError
from zjolcrawl.storage.errors import StoreUnavailable

REFERENCE = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml"


@pytest.fixture
def archive(crawl: Crawl, mongodb_uri: str, database: str, tmp_path: Path) -> Iterator[NewsArchive]:
    """An archive with the reference article, opened by the API."""
    done = crawl("article", url=REFERENCE)
    assert done.returncode == 0, done.stderr
    with open_archive(tmp_path, mongodb_uri, database) as opened:
        yield opened


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an archive with the reference article, on an embedded server."""
    folder = tmp_path_factory.mktemp("embedded")
    with SiteProxy(FOLDERS) as site:
        site.set("http://zjnews.zjol.com.cn/robots.txt", Answer(status=404))
        done = scrapy("crawl", "article", "-a", f"url={REFERENCE}", site=site, data=folder, uri="")
    assert done.returncode == 0, done.stderr
    return folder


def test_an_article_with_its_fields_as_objects(archive: NewsArchive) -> None:
    article = archive.article(REFERENCE)
    assert article is not None
    assert article.title == "全力保障中央环保督察开展"
    assert article.published_at == datetime(2017, 8, 11, 23, 34, 27, tzinfo=timezone.utc)
    assert article.authors == (Byline("江帆", "记者", "浙江在线"),)
    assert article.editors == (Byline("金晨", "责任编辑"),)
    assert (article.kicker or "").startswith("全省各地贯彻落实")
    assert (article.revision, article.status, article.template) == (1, "live", "T1")
    assert article.subtitle is None
    assert article.videos == ()
    assert archive.article("http://zjnews.zjol.com.cn/none.shtml") is None


def test_its_page_and_its_image_are_the_bytes_that_came(archive: NewsArchive) -> None:
    article = archive.article(REFERENCE)
    assert article is not None
    assert archive.page(article) == file_of(REFERENCE).read_bytes()
    (image,) = article.images
    assert (image.ref, image.status) == ("./W020170812341787363590.jpg", "stored")
    assert archive.image(image) == file_of(image.url).read_bytes()


def test_reference_to_a_version(archive: NewsArchive) -> None:
    article = archive.article(REFERENCE)
    assert article
    for form in FORMATS:
        assert article.content_sha256 in article.cite(form)
    assert article.cite().startswith("江帆. 全力保障")
    with pytest.raises(ValueError, match="no form 'word': expected one of gbt7714-2025"):
        article.cite("word")


def test_search_and_filters(archive: NewsArchive) -> None:
    urls = [each.url for each in archive.search("环境保护督察 金晨", since="2017-08-12")]
    assert urls == [REFERENCE]
    assert [each.url for each in archive.articles(person=["江帆", "金晨"], images=True)] == urls
    assert archive.count(site="zjnews.zjol.com.cn", until="2017-08-12") == 1
    assert archive.count(until="2017-08-11") == 0
    assert list(archive.search("督察", column="zjxc")) == []
    with pytest.raises(QueryError):
        next(archive.search("-督察"))
    assert archive.histogram("督察") == {"2017-08": 1}
    assert archive.histogram("督察", "day", column="zjxc") == {}
    assert [each.url for each in archive.search("督察", order="relevance")] == urls
    assert archive.count(column="浙江宣传") == 0
    assert archive.count(site="zjnews") == archive.count(site="浙江新闻") == 1
    with pytest.raises(TypeError):
        archive.count(colour="red")
    with pytest.raises(ValueError, match="month"):
        archive.count(since="2017-13-01")


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({"column": "zjxv"}, "unknown column zjxv: did you mean zjxw (浙江新闻)?"),
        ({"column": ["zjxw", "浙江新文"]}, "unknown column 浙江新文: did you mean zjxw (浙江新闻)?"),
        ({"column": ""}, "unknown column ''"),
        ({"site": "zjnewz"}, "unknown host zjnewz: did you mean zjnews (浙江新闻)?"),
        ({"person": "江凡"}, "unknown person 江凡: did you mean 江帆?"),
        ({"person": ["江帆", "某人"]}, "unknown person 某人: no article has this reporter or editor"),
        ({"tag": "污染"}, "unknown tag 污染: no article has it"),
    ],
)  # fmt: skip
def test_unknown_names(chosen: dict[str, Any], told: str, archive: NewsArchive) -> None:
    for ask in (
        archive.articles, archive.count, partial(archive.search, "督察"), partial(archive.histogram, "督察"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=re.escape(told)):
            ask(**chosen)


def test_revisions_of_an_edited_article(
    archive: NewsArchive, site: SiteProxy, crawl: Crawl
) -> None:
    page = file_of(REFERENCE).read_bytes()
    edited = page.replace("全力保障中央".encode(), "全力配合中央".encode())
    site.set(REFERENCE, Answer(body=edited))
    assert crawl("article", url=REFERENCE).returncode == 0
    versions = archive.revisions(REFERENCE)
    assert [(each.revision, each.title[:4]) for each in versions] == [
        (1, "全力保障"),
        (2, "全力配合"),
    ]
    assert archive.page(versions[0]) == page
    assert [each.revision for each in archive.articles(edited=True)] == [2]
    assert archive.revisions("http://zjnews.zjol.com.cn/none.shtml") == []


def test_where_a_loop_is_running_already(archive: NewsArchive) -> None:
    async def notebook() -> int:
        return len(list(archive.articles()))

    assert asyncio.run(notebook()) == 1


@pytest.mark.parametrize(
    "script",
    [
        "print(len(list(open_archive(FOLDER).search('督察'))))",
        "print(next(open_archive(FOLDER).search('督察')).revision)",
        "archive = open_archive(FOLDER); print(len(list(archive.articles())))",
        "archive = open_archive(FOLDER); found = archive.articles(); print(next(found).revision)",
        "with open_archive(FOLDER) as archive: print(archive.count())",
        "open_archive(FOLDER); print(1)",
    ],
)
def test_an_archive_that_nobody_closes(
    script: str, shown: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the embedded server, which a script that ends must release."""
    for name in ("DATA_DIR", "MONGODB_URI", "MONGODB_DATABASE"):
        monkeypatch.delenv(name, raising=False)
    done = subprocess.run(
        [sys.executable, "-c", f"from zjolcrawl import open_archive; FOLDER = {str(shown)!r}\n{script}"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


def test_a_folder_without_an_archive_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"no archive in .*nowhere: set DATA_DIR"):
        open_archive(tmp_path / "nowhere", "")
    assert not list(tmp_path.iterdir())


def test_no_database(tmp_path: Path) -> None:
    # If nothing listens, pymongo leaves its socket to the garbage collector; this test ignores that.
    with pytest.raises(StoreUnavailable):
        open_archive(tmp_path, "mongodb://a:b:c")
    assert not [each for each in threading.enumerate() if each.name == "zjolcrawl"]


def test_page_runs_as_printed(
    archive: NewsArchive, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    mongodb_uri: str, database: str, tmp_path: Path,
) -> None:  # fmt: skip
    (block,) = readme.code("library", "python")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(tmp_path)
    for name, value in {"MONGODB_URI": mongodb_uri, "MONGODB_DATABASE": database}.items():
        monkeypatch.setenv(name, value)
    exec(block, {})
    assert "全力保障中央环保督察开展 ['江帆']" in capsys.readouterr().out
