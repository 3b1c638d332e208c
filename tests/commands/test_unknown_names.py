"""Filters of commands by names: Chinese ones, those that only the archive has, and unknown ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.export.made import article
from tests.support.crawling import Crawl
from tests.support.pages import COLUMN, serve_column
from tests.support.site import SiteProxy


@pytest.fixture
def archive(db: Database[Any]) -> None:
    """Four articles: one is of a column and on a host that no file of the site names."""
    db.articles.insert_many([article(number) for number in range(3)])
    db.articles.insert_one(
        article(3, columns=["closed-2019"], site="closed.zjol.com.cn", tags=["Wi-Fi", "旧闻"])
    )
    db.columns.insert_one({"_id": "named-2018", "name": "旧栏目"})


@pytest.mark.usefixtures("archive")
@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["--column", "浙江新闻"], 3),
        (["--column", "浙江宣传,zjxw"], 3),
        (["--column", "浙江宣传"], 1),
        (["--column", "closed-2019"], 1),
        (["--column", "浙江日报"], 0),  # a paper
        (["--column", "旧栏目"], 0),  # a column of former runs
        (["--host", "浙江新闻"], 3),
        (["--host", "closed"], 1),
        (["--host", "http://closed.zjol.com.cn/"], 1),
        (["--person", "江帆"], 4),
        (["--person", "王五,金晨"], 4),
        (["--tag", "wi-fi"], 1),
    ],
)
def test_known_names(arguments: list[str], count: int, command: Crawl) -> None:
    done = command("export", "-", *arguments)
    assert (done.returncode, done.stdout.count("\n")) == (0, count), done.stderr


@pytest.mark.usefixtures("archive")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--column", "nope"], "unknown column nope: `scrapy columns` lists them"),
        (["--column", "zjxw,zjxv"], "unknown column zjxv: did you mean zjxw (浙江新闻)?"),
        (["--column", "浙江新文"], "unknown column 浙江新文: did you mean zjxw (浙江新闻)?"),
        (["--column", "closed-2018"], "unknown column closed-2018: did you mean closed-2019?"),
        (["--column", "旧栏"], "unknown column 旧栏: did you mean named-2018 (旧栏目)?"),
        (["--column", "国企（首页）"], "column 国企（首页） is ambiguous: give one of guoqi, yj, yz"),
        (["--host", "zjnewz"], "unknown host zjnewz: did you mean zjnews (浙江新闻)?"),
        (["--host", "close"], "unknown host close: did you mean closed?"),
        (["--person", "江凡"], "unknown person 江凡: did you mean 江帆?"),
        (["--person", "王五,欧阳修"], "unknown person 欧阳修: no article has this reporter or editor"),
        (["--tag", "生态文名"], "unknown tag 生态文名: did you mean 生态文明?"),
        (["--tag", "\udcff"], "unknown tag "),
    ],
)  # fmt: skip
def test_unknown_names(arguments: list[str], told: str, command: Crawl, tmp_path: Path) -> None:
    for words in (
        ["search", "段"],
        ["search", "段", "--histogram", "year"],
        ["export", f"{tmp_path}/a.csv"],
    ):
        done = command(*words, *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"zjolcrawl: {told}")
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "a.csv").exists()


@pytest.mark.usefixtures("archive")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["coverage", "--host", "zjnewz"], "unknown host zjnewz: did you mean zjnews (浙江新闻)?"),
        (["coverage", "--template", "T11"], "unknown template T11: did you mean T1?"),
        (["coverage", "--template", "genric"], "unknown template genric: did you mean generic?"),
        (["columns", "--site", "chnia"], "unknown host chnia: did you mean china (时政)?"),
        (["audit", "浙江新文"], "unknown column 浙江新文: did you mean zjxw (浙江新闻)?"),
        (["export", "a.csv", "--column", ""], "argument --column: the value is empty"),
        (["search", "段", "--tag", ","], "argument --tag: the value is empty"),
        (["coverage", "--host", " "], "argument --host: the value is empty"),
    ],
)
def test_unknown_names_of_other_commands(arguments: list[str], told: str, command: Crawl) -> None:
    done = command(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr


@pytest.mark.usefixtures("archive")
def test_audit_takes_a_chinese_name(command: Crawl) -> None:
    assert command("audit", "旧栏目").stdout.startswith("named-2018 旧栏目: 0 links")
    assert command("audit", "closed-2019").returncode in {0, 1}


@pytest.mark.usefixtures("archive")
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.csv", "a.parquet"])
def test_force_does_not_replace_articles_with_nothing(
    name: str, command: Crawl, tmp_path: Path
) -> None:
    file = tmp_path / name
    assert command("export", str(file)).returncode == 0
    before = file.read_bytes()
    for nothing in (
        ["--column", "zjrb"],
        ["--since", "2030-01-01"],
        ["--search", "不存在的词"],
        ["--gone"],
    ):
        done = command("export", str(file), "--force", *nothing)
        assert (done.returncode, done.stderr) == (
            2,
            f"zjolcrawl: {file} was kept: no article was written. Delete the file first if it is to be empty\n",
        )
        assert file.read_bytes() == before
        assert not (tmp_path / f"{name}.part").exists()
    new = tmp_path / f"new-{name}"
    new.touch()  # nothing is lost here
    assert command("export", str(new), "--force", "--gone").returncode == 0
    assert command("export", str(file), "--force", "--person", "王五").returncode == 0
    assert file.read_bytes() != before


def test_names_of_captures(
    site: SiteProxy, crawl: Crawl, command: Crawl, db: Database[Any], tmp_path: Path
) -> None:
    """A column that only the captures name is known, also to an empty database."""
    serve_column(site, [[("20170812", 4774001)]])
    assert crawl("column", url=COLUMN).returncode == 0
    column = COLUMN.partition("://")[2]
    for name in ("articles", "frontier", "columns"):
        db[name].delete_many({})
    done = crawl("reparse", column=column, host="浙江新闻")
    assert done.returncode == 0, done.stderr
    assert db.articles.count_documents({"columns": column}) == 1
    for given, told in (
        ({"column": column.replace("lm/", "ln/")}, f"did you mean {column}"),
        ({"column": "浙江新文"}, "unknown column 浙江新文: did you mean zjxw (浙江新闻)?"),
        ({"host": "zjnewz"}, "unknown host zjnewz: did you mean zjnews (浙江新闻)?"),
        ({"host": "zjnewz", "jobs": 2}, "unknown host zjnewz: did you mean zjnews (浙江新闻)?"),
    ):
        done = crawl("reparse", **given)
        assert done.returncode == 2
        assert done.stderr.count(told) == 1, done.stderr
    file = tmp_path / "a.wacz"
    assert command("archive", "wacz", "--host", "浙江新闻", "-o", str(file)).returncode == 0
    done = command("archive", "wacz", "--host", "zjnewz", "-o", str(tmp_path / "b.wacz"))
    assert (done.returncode, done.stderr) == (
        2, "zjolcrawl: unknown host zjnewz: did you mean zjnews (浙江新闻)?\n",
    )  # fmt: skip
