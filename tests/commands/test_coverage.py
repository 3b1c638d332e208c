"""`scrapy coverage`: how often each field is present, and what stands out."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from itertools import count
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.crawling import Crawl
from tests.support.pages import COLUMN, serve_column
from tests.support.site import Answer, SiteProxy
from zjolcrawl.display.coverage import SIGN, render, rows
from zjolcrawl.parsing.urls import url_day
from zjolcrawl.site.current import current_site
from zjolcrawl.storage.queries.coverage import Group

ZJNEWS, CHINA = "zjnews.zjol.com.cn", "china.zjol.com.cn"
# Its documents need not fit the validators.
pytestmark = pytest.mark.new_database
FULL = {
    "title": "标题", "source": "浙江在线", "authors": [{"name": "江帆", "role": "记者"}],
    "editors": [{"name": "金晨", "role": "责任编辑"}], "tags": ["生态"], "breadcrumb": ["浙江在线"],
    "kicker": "引题", "subtitle": "副题", "editor_note": "编者按", "dateline": "浙江在线8月12日讯",
    "videos": [{"url": "http://x/1.mp4", "ref": "1.mp4"}],
    "images": [{"caption": "图"}, {}], "body": "文" * 100, "published_precision": "second",
}  # fmt: skip
number = count()


def article(
    host: str = ZJNEWS, month: int | None = 8, template: str = "T1", **more: Any
) -> dict[str, Any]:
    """An article that has every field; a field given as None is absent."""
    values = {
        **FULL, "_id": f"http://{host}/{next(number)}", "site": host, "parser": {"template": template},
        "published_at": datetime(2017, month, 12, 4, tzinfo=timezone.utc) if month else None, **more,
    }  # fmt: skip
    return {name: value for name, value in values.items() if value is not None}


def rejected(url: str, **more: Any) -> dict[str, Any]:
    return {"_id": url, "state": "rejected", "kind": "article", **more}


def shown(command: Crawl, *arguments: str) -> list[list[str]]:
    """The words of each line below the heading."""
    done = command("coverage", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return [line.split() for line in done.stdout.splitlines()[1:]]


def told(command: Crawl, *arguments: str) -> list[dict[str, Any]]:
    done = command("coverage", "--json", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.fixture
def archive(db: Database[Any]) -> Database[Any]:
    """Twelve complete articles of July and twelve of August without a source."""
    db.articles.insert_many([article(month=7) for _ in range(12)])
    db.articles.insert_many([article(source=None, body="文" * 20) for _ in range(12)])
    db.articles.insert_many([article(template="generic", month=7) for _ in range(4)])
    db.articles.insert_many(
        [article(CHINA, None, "T2"), article(CHINA, None, "T2", body="文" * 40)]
    )
    db.frontier.insert_many(
        [
            rejected(f"http://{ZJNEWS}/a/201708/t20170812_4774001.shtml"),
            rejected(f"http://{ZJNEWS}/system/2017/07/31/016833240.shtml"),
            rejected(f"http://{ZJNEWS}/x", listed_at=datetime(2017, 7, 31, 16, tzinfo=timezone.utc)),
            rejected(f"http://{ZJNEWS}/video", kind="video"),
            {**rejected(f"http://{ZJNEWS}/a/201708/t20170812_4774002.shtml"), "state": "stored"},
            rejected("http://js.zjol.com.cn/a/201708/t20170812_4774001.shtml"),
        ]
    )  # fmt: skip
    return db


def test_by_host_template_and_month(archive: Database[Any], command: Crawl) -> None:
    done = command("coverage")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "host   template month        n titl time  src auth edit tags meta path kick  sub note line  img capt  vid body  gen  rej",
        "china  T2       –            2  100    0  100  100  100  100    0  100  100  100  100  100  100   50  100   40    0",
        "js     –        2017-08      0    –    –    –    –    –    –    –    –    –    –    –    –    –    –    –    –    –    1",
        "zjnews T1       2017-07     12  100  100  100  100  100  100    0  100  100  100  100  100  100   50  100  100   25    1",
        "zjnews T1       2017-08     12  100  100    0! 100  100  100    0  100  100  100  100  100  100   50  100   20!   0    2",
        "zjnews generic  2017-07      4  100  100  100  100  100  100    0  100  100  100  100  100  100   50  100  100   25    1",
        "1 of 5 rows marked with !",
    ]


def test_only_the_marked_rows(archive: Database[Any], command: Crawl) -> None:
    (row, last) = shown(command, "--marked")
    assert row[:3] == ["zjnews", "T1", "2017-08"]
    assert last[:2] == ["1", "of"]


def test_as_json(archive: Database[Any], command: Crawl) -> None:
    found = told(command)
    august = next(row for row in found if row["month"] == "2017-08" and row["host"] == ZJNEWS)
    assert (august["articles"], august["rejected"], august["body"]) == (
        12,
        2,
        {"median": 20, "elsewhere": 100.0},
    )
    assert august["marked"] == ["source", "body"]
    assert august["fields"]["source"] == {"count": 0, "of": 12, "share": 0.0, "elsewhere": 1.0}
    assert august["fields"]["captions"] == {"count": 12, "of": 24, "share": 0.5, "elsewhere": 0.5}
    assert [row["month"] for row in found if row["host"] == CHINA] == [None]
    alone = next(row for row in found if row["host"] == "js.zjol.com.cn")
    assert (alone["articles"], alone["rejected"], alone["body"]["median"]) == (0, 1, None)


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        (["--host", "china"], [["china", "T2", "–", "2"]]),
        (["--host", f"{CHINA},zjnews", "--by", "host"], [["china", "2"], ["zjnews", "28"]]),
        (["--template", "T1,T2", "--by", "template"], [["T1", "24"], ["T2", "2"]]),
        (["--by", "month,template", "--since", "2017-08-12", "--host", "zjnews"], [["2017-08", "T1", "12"]]),
        (["--by", "month", "--until", "2017-08-11", "--host", "zjnews"], [["2017-07", "16"], ["2017-08", "0"]]),
        (["--by", "template", "--since", "2017-07-12", "--until", "2017-07-12"], [["T1", "12"], ["generic", "4"]]),
        (["--since", "2018-01-01"], []),
    ],
)  # fmt: skip
def test_choices(
    arguments: list[str], keys: list[list[str]], archive: Database[Any], command: Crawl
) -> None:
    found = shown(command, *arguments)
    assert [row[: len(key)] for row, key in zip(found, keys, strict=False)] == keys
    assert len(found) == len(keys) + bool(keys)  # the last line sums up


def test_generic_and_rejected_of_all_templates_beside_one(
    archive: Database[Any], command: Crawl
) -> None:
    (row, _) = shown(command, "--template", "T1", "--until", "2017-07-31", "--host", "zjnews")
    assert (row[3], row[-2:]) == ("12", ["25", "1"])


def test_what_counts_as_there(db: Database[Any], command: Crawl) -> None:
    db.articles.insert_many(
        [
            article(published_precision="day"), article(published_precision="hour"),
            article(warnings=["tags: from meta keywords", "missing: source"], source=None),
            article(warnings=["missing: source"], authors=None, images=None, body=""),
        ]
    )  # fmt: skip
    (row,) = told(command)
    shares = {name: each["count"] for name, each in row["fields"].items()}
    assert (shares["time"], shares["meta"], shares["source"], shares["authors"]) == (3, 1, 3, 3)
    assert (shares["images"], row["fields"]["captions"]["of"]) == (3, 6)
    assert row["body"]["median"] == 100


def test_china_decides_the_month(db: Database[Any], command: Crawl) -> None:
    db.articles.insert_one(article(published_at=datetime(2017, 7, 31, 16, tzinfo=timezone.utc)))
    (row,) = told(command, "--since", "2017-08-01", "--until", "2017-08-01")
    assert row["month"] == "2017-08"


@pytest.mark.parametrize(
    ("lengths", "median"),
    [([5], 5), ([1, 9], 1), ([3, 1, 2], 2), ([7, 7, 1, 9], 7), ([0, 0, 9], 0)],
)
def test_median_of_the_body(
    lengths: list[int], median: int, db: Database[Any], command: Crawl
) -> None:
    db.articles.insert_many([article(body="文" * length) for length in lengths])
    (row,) = told(command)
    assert row["body"]["median"] == median


def group(name: str, there: int, of: int = 10, **more: Any) -> Group:
    found = Group(("T1", name), of, neighbours=of, body=100, **more)
    found.counts.update(source=there, meta=of - there)
    return found


@pytest.mark.parametrize(
    ("there", "others", "marked"),
    [
        (group("a", 7), [group("b", 10)], ["source", "meta"]),  # 30 points below
        (group("a", 71, 100), [group("b", 10)], []),
        (group("a", 0, 9), [group("b", 10)], []),  # too few to judge
        (group("a", 0), [group("b", 9, 9)], []),
        (group("a", 0), [group("b", 5, 5), group("c", 5, 5)], ["source", "meta"]),
        (group("a", 0), [group("b", 0)], []),  # the template never finds it
        (group("a", 10, generic=9), [group("b", 10, generic=5)], ["generic"]),
        (group("a", 10, pictures=10), [group("b", 10, pictures=10, captions=3)], ["captions"]),
        (group("a", 10), [], []),
    ],
)  # fmt: skip
def test_what_stands_out(there: Group, others: list[Group], marked: list[str]) -> None:
    assert rows([there, *others], ("template", "month"))[0].marked == marked


def test_another_template_is_no_measure() -> None:
    other = group("b", 10)
    other.key = ("T2", "b")
    assert rows([group("a", 0), other], ("template", "month"))[0].marked == []
    assert rows([group("a", 0), other], ("host", "month"))[0].marked == ["source", "meta"]


def test_mark_is_a_sign_and_a_colour() -> None:
    found = rows([group("a", 0), group("b", 10)], ("template", "month"))
    line = list(render(found, ("template", "month")))[1]
    assert [line.plain[s.start : s.end].strip() for s in line.spans if s.style] == [
        f"0{SIGN}",
        f"100{SIGN}",
    ]


def test_unusable_arguments_and_empty_archive(db: Database[Any], command: Crawl) -> None:
    assert command("coverage").stdout == "no articles\n"
    assert told(command) == []
    for arguments in (["--by", "colour"], ["--by", ""], ["--since", "tomorrow"], ["more"],
                      ["--since", "2017-08-02", "--until", "2017-08-01"]):  # fmt: skip
        done = command("coverage", *arguments)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_day_in_url_is_that_of_the_url() -> None:
    for url in (
        "http://js.zjol.com.cn/ycxw_zxtf/201710/t20171010_5308127.shtml",
        "http://jx.zjol.com.cn/system/2015/06/30/020717765_01.shtml",
        "http://zjnews.zjol.com.cn/05zjnews/system/2008/09/28/009983372.shtml",
        "http://zjnews.zjol.com.cn/zjxc/t1/x.shtml",
    ):
        found, day = re.search(current_site().day_in_url, url), url_day(url)
        assert (found and "-".join(found.groups())) == (day and day.isoformat())


def test_of_a_real_crawl(site: SiteProxy, db: Database[Any], crawl: Crawl, command: Crawl) -> None:
    serve_column(site, [[("2017-08-12", 4774001), ("2017-08-12", 4774002)]])
    site.set(
        f"{COLUMN}201708/t20170812_4774002.shtml", Answer(body=b"<html><title>x</title></html>")
    )
    crawl("column", url=COLUMN)
    (row,) = told(command)
    assert (row["host"], row["template"], row["month"]) == (ZJNEWS, "T1", "2017-08")
    assert (row["articles"], row["rejected"], row["fields"]["source"]["share"]) == (1, 1, 1.0)


def test_rejected_links_of_papers_and_mobile_pages_count(db: Database[Any], command: Crawl) -> None:
    db.frontier.insert_many(
        [
            rejected("http://zjrb.zjol.com.cn/html/2017-08/12/content_3072000.htm", kind="paper"),
            rejected("http://zjrb.zjol.com.cn/html/2017-08/12/node_18.htm", kind="topic"),
            rejected("http://m.zjol.com.cn/mzjol/details.html?newsid=016833240", kind="mobile"),
        ]
    )
    found = {(row["host"], row["month"]): row["rejected"] for row in told(command)}
    assert found == {("m.zjol.com.cn", None): 1, ("zjrb.zjol.com.cn", "2017-08"): 1}


# What there is of each year.


def test_years_and_who_saw_them_first(db: Database[Any], command: Crawl) -> None:
    foreign = {name: {"kind": name, "from": "x"} for name in ("import", "backfill")}
    edited = article(revision=3)
    then = datetime(2004, 12, 31, 16, tzinfo=timezone.utc)  # 2005 in China
    db.articles.insert_many(
        [
            article(revision=1), edited, article(month=None, revision=1),
            article(CHINA, revision=1, provenance=foreign["backfill"]),
            article(published_at=then, revision=2, provenance=foreign["import"]),
        ]
    )  # fmt: skip
    key = {"url": edited["_id"], "revision": 1}
    db.revisions.insert_one({"_id": key, "revision": 1, "provenance": foreign["import"]})
    lines = shown(command, "--by", "year")
    assert lines == [
        ["–", "1", "1", "1", "0", "0"], ["2005", "1", "2", "1", "0", "0"],
        ["2017", "3", "5", "1", "1", "1"], ["3", "years,", "5", "articles,", "8", "versions"],
    ]  # fmt: skip
    (found,) = told(command, "--by", "year", "--host", "china")
    assert found == {
        "year": "2017", "articles": 1, "versions": 1, "crawled": 0, "imported": 0, "backfilled": 1,
    }  # fmt: skip
    assert command("coverage", "--by", "year,host").returncode == 2
    assert command("coverage", "--by", "year", "--marked").returncode == 2
