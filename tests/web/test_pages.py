"""The content of each page for a crawled archive."""

from __future__ import annotations

import hashlib
import re
from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import html

from tests.web.conftest import Archive
from tests.web.sample import EDITED, GAP, GONE, PICTURE, REFERENCE, REVERTED, SOWN, SOWN_YEAR
from tests.web.serving import Got, Web


def tree(got: Got) -> html.HtmlElement:
    assert got.status == 200, got.text[:500]
    return html.fromstring(got.text)


def words(element: html.HtmlElement) -> str:
    return " ".join(str(element.text_content()).split())


def titles(got: Got) -> list[str]:
    return [words(each) for each in tree(got).xpath("//h3/a")]


def addresses(got: Got) -> list[str]:
    return [each.get("href") for each in tree(got).xpath("//h3/a")]


def keys(got: Got) -> list[str]:
    return [parse_qs(urlsplit(each).query)["url"][0] for each in addresses(got)]


def test_newest_articles_first_without_words(web: Web, archive: Archive) -> None:
    newest = list(archive.db.articles.find().sort("published_at", -1).limit(20))
    shown = [archive.db.articles.find_one({"_id": url}) or {} for url in keys(web.get("/"))]
    assert [each["published_at"] for each in shown] == [each["published_at"] for each in newest]


def test_words_are_found_and_marked(web: Web) -> None:
    page = tree(web.get("/", q="环保督察 鹿城区"))
    assert [words(each) for each in page.xpath("//h3/a")] == ["全力保障中央环境保护督察开展"]
    marked = {words(each) for each in page.xpath("//mark")}
    assert "环保督察" in marked <= {"环保督察", "鹿城区"}
    assert page.xpath("//input[@name='q']/@value") == ["环保督察 鹿城区"]
    assert "没有符合的文章" in web.get("/", q="无此一词之文").text


@pytest.mark.parametrize(
    ("asked", "query"),
    [
        ({"since": "2017-08-12", "until": "2017-08-12"}, {"published_at": {}}),
        ({"column": "zjxw"}, {"columns": "zjxw"}),
        ({"host": "opinion"}, {"site": "opinion.zjol.com.cn"}),
        ({"person": "江帆"}, {"authors.name": "江帆"}),
        ({"tag": "生态文明"}, {"tags": "生态文明"}),
        ({"edited": "1"}, {"revision": {"$gt": 1}}),
        ({"gone": "1"}, {"status": "gone"}),
        ({"images": "1"}, {"images": {"$exists": True}}),
    ],
)
def test_filters(
    asked: dict[str, str], query: dict[str, object], web: Web, archive: Archive
) -> None:
    got = web.get("/", **asked)
    chosen = list(archive.db.articles.find(query if "since" not in asked else {}))
    if "since" in asked:
        china = timedelta(hours=8)
        chosen = [d for d in chosen if "published_at" in d
                  and (d["published_at"] + china).date() == date(2017, 8, 12)]  # fmt: skip
    assert sorted(titles(got)) == sorted(each["title"] for each in chosen)
    assert chosen
    assert len(tree(got).xpath("//ul[@class='chips']/li")) == len(asked)


@pytest.mark.parametrize("words", ["", "浙江"])
def test_changes_since_a_day_the_last_first(words: str, web: Web, archive: Archive) -> None:
    day = date(1991, 1, 1).isoformat()
    edited = list(archive.db.articles.find({"revision": {"$gt": 1}}).sort("changed_at", -1))
    gone = list(archive.db.articles.find({"status": "gone"}).sort("gone_at", -1))
    for asked, wanted in (({"changed_since": day}, edited), ({"gone_since": day}, gone)):
        got = web.get("/", **asked, **({"q": words} if words else {}))
        assert wanted
        shown = titles(got)
        assert shown == [each["title"] for each in wanted if each["title"] in shown or not words]
        assert len(tree(got).xpath("//ul[@class='chips']/li")) == 1
    assert titles(web.get("/", changed_since="9999d")) == [each["title"] for each in edited]
    assert web.get("/", changed_since="soon").status == 400


def test_leafing_shows_each_article_once(web: Web, archive: Archive) -> None:
    month = {"column": SOWN, "since": "2016-06-01", "until": "2016-06-30"}
    seen: list[str] = []
    target: str | None = "/?" + "&".join(f"{k}={v}" for k, v in month.items())
    while target:
        got = web.raw(target)
        seen += addresses(got)
        target = next(iter(tree(got).xpath("//a[@rel='next']/@href")), None)
    ids = archive.db.articles.distinct("_id", {"_id": re.compile("/zjxc/201606/")})
    assert len(seen) == len(set(seen)) == len(ids) > 40


def test_article_as_its_reader_saw_it(web: Web, archive: Archive) -> None:
    stored = archive.db.articles.find_one({"_id": REFERENCE})
    assert stored is not None
    page = tree(web.get("/article", url=REFERENCE))
    assert words(page.xpath("//h1")[0]) == stored["title"]
    assert words(page.xpath("//p[@class='kicker']")[0]) == stored["kicker"]
    assert "2017年08月12日 07:34:27" in words(page.xpath("//p[@class='line']")[0])
    shown = [words(each) for each in page.xpath("//div[@class='text']/*[self::p or self::h2]")]
    assert shown == [" ".join(line.split()) for line in stored["body"].split("\n")]
    assert [words(each) for each in page.xpath("//p[@class='tags']/a")] == stored["tags"]
    sha256 = stored["images"][0]["sha256"]
    assert page.xpath("//div[@class='text']//img/@src") == [f"/image/{sha256}"]
    provenance = words(page.xpath("//aside[@class='provenance']")[0])
    for fact in (REFERENCE, stored["warc"]["file"], stored["warc"]["record_id"],
                 f"{stored['warc']['offset']:,}", stored["content_sha256"], "第 3 版"):  # fmt: skip
        assert fact in provenance
    assert REFERENCE in page.xpath("//a/@href")


def test_any_address_of_an_article_leads_to_it(web: Web) -> None:
    https = REFERENCE.replace("http:", "https:").replace(".shtml", "_1.shtml") + "?x=1#y"
    shown = web.get("/article", url=REFERENCE).main
    assert web.get("/article", url=https).main == shown != ""
    assert web.get("/article", url=REFERENCE + "x").status == 404
    assert web.get("/article").status == 400


def test_older_version_says_so(web: Web) -> None:
    page = web.get("/article", url=REFERENCE, revision=1)
    assert "全力保障中央环保督察开展" in words(tree(page).xpath("//h1")[0])
    assert "这是第 1 版" in page.text
    assert web.get("/article", url=REFERENCE, revision=4).status == 404
    assert web.get("/article", url=REFERENCE, revision="0").status == 400


def test_capture_of_another_archive_is_named_and_linked(web: Web, archive: Archive) -> None:
    memento = f"https://web.archive.org/web/2016id_/{EDITED}"
    origin = {"kind": "backfill", "from": "https://web.archive.org/", "url": memento}
    harmful = {"kind": "import", "from": "<b>old.warc.gz", "url": "javascript:alert(1)"}
    for name in ("/article", "/history"):
        for provenance, told, links in (
            (origin, "网络档案 https://web.archive.org/", [memento]),
            (harmful, "导入的文件 <b>old.warc.gz", []),
        ):
            archive.db.articles.update_one({"_id": EDITED}, {"$set": {"provenance": provenance}})
            page = tree(web.get(name, url=EDITED))
            assert told in words(page)
            assert page.xpath("//a[contains(@href, 'web.archive.org')]/@href") == links
            assert not page.xpath("//a[starts-with(@href, 'javascript')]")
    archive.db.articles.update_one({"_id": EDITED}, {"$unset": {"provenance": ""}})
    assert "来自" not in web.get("/article", url=EDITED).text


def test_taken_down_article_keeps_its_text(web: Web) -> None:
    page = web.get("/article", url=GONE)
    assert "此文已从原站撤下" in page.text
    assert "这一篇后来不见了" in page.text


def test_edits_are_marked_character_by_character(web: Web) -> None:
    page = tree(web.get("/history", url=REFERENCE))
    third = page.xpath("//section[@aria-labelledby='v3']")[0]
    changed = [words(each) for each in third.xpath(".//div[@class='change']/p[ins or del]")]
    assert changed[0] == "责任编辑 金晨辰"
    assert [words(each) for each in third.xpath(".//del")] == ["晨", "组织", "7组", "为"]
    assert [words(each) for each in third.xpath(".//ins")] == [
        "辰",
        "切实",
        "和环境保护",
        "9个",
        "任",
    ]
    second = page.xpath("//section[@aria-labelledby='v2']")[0]
    assert not second.xpath(".//del")
    assert "".join(map(words, second.xpath(".//ins"))) == "境护"


def test_takedown_and_return_stand_in_their_order(web: Web) -> None:
    page = tree(web.get("/history", url=EDITED))
    heads = [words(each) for each in page.xpath("//ol[@class='versions']//h2")]
    assert heads == ["第 2 版 最新", "恢复", "撤下", "第 1 版 首次见到"]


def test_record_is_shown_as_it_was_archived(web: Web) -> None:
    page = tree(web.get("/record", url=REFERENCE))
    source = page.xpath("//pre")[0].text_content()
    assert source.startswith("<!DOCTYPE html>")
    assert "<title>全力保障中央环境保护督察开展-浙江新闻-浙江在线</title>" in source
    assert "Content-Type" in words(page.xpath("//dl")[0])
    first = tree(web.get("/record", url=REFERENCE, revision=1)).xpath("//pre")[0].text_content()
    assert "<title>全力保障中央环保督察开展-" in first


def test_record_of_bytes_that_came_before_leads_to_them(web: Web) -> None:
    """The page of the third version is that of the first, which the archive stores once."""
    newest = tree(web.get("/record", url=REVERTED))
    assert "第 3 版" in words(newest.xpath("//header[@class='head']")[0])
    assert "第一种说法" in newest.xpath("//pre")[0].text_content()


def test_columns_with_counts_and_newest_day(web: Web, archive: Archive) -> None:
    rows = tree(web.get("/columns")).xpath("//tr[td]")
    told = {words(row.xpath(".//span[@class='id']")[0]): words(row.xpath("td")[0]) for row in rows}
    counted = {
        each["_id"]: f"{each['n']:,}"
        for each in archive.db.articles.aggregate(
            [{"$unwind": "$columns"}, {"$group": {"_id": "$columns", "n": {"$sum": 1}}}]
        )
    }
    assert told == counted


def test_calendar_has_each_day_and_shows_gaps(web: Web, archive: Archive) -> None:
    page = tree(web.get("/calendar", column=SOWN, year=SOWN_YEAR))
    days = archive.db.articles.distinct("_id", {"_id": re.compile(rf"/zjxc/{SOWN_YEAR}09/")})
    september = page.xpath("//section[@aria-labelledby='m9']")[0]
    told = [
        int(n.replace(",", ""))
        for n in re.findall(r"日，([\d,]+) 篇", " ".join(september.xpath(".//a/@aria-label")))
    ]
    assert sum(told) == len(days)
    missing = set(september.xpath(".//span[contains(@class,'miss')]/@aria-label"))
    assert {f"9月{GAP[0].day + n}日，疑似缺漏" for n in range(3)} <= missing
    assert "9月13日至 9月15日（3 天）" in words(page)
    assert len(september.xpath(".//li")) == 30
    link = september.xpath(".//a/@href")[0]
    assert len(titles(web.raw(link))) == told[0]
    assert web.get("/calendar", column="no-such").status == 404
    assert web.get("/calendar").status == 200


def test_health_tells_findings_and_runs(web: Web, archive: Archive) -> None:
    page = tree(web.get("/health"))
    assert "还没有一次成功的栏目抓取" in words(page)
    assert len(page.xpath("//ol[@class='runs']/li")) == archive.db.runs.count_documents({})
    # Every finding of this archive has a Chinese text.
    assert not page.xpath("//table//li[@lang='en']")


def test_image_bytes_are_those_of_the_site(web: Web, archive: Archive) -> None:
    stored = archive.db.articles.find_one({"images.url": PICTURE})
    assert stored is not None
    entry = stored["images"][0]
    got = web.get(f"/image/{entry['sha256']}")
    assert hashlib.sha256(got.body).hexdigest() == entry["sha256"]
    assert got.headers["content-type"] == entry["content_type"] == "image/jpeg"
    assert "immutable" in got.headers["cache-control"]
    again = web.get(f"/image/{entry['sha256']}", headers={"If-None-Match": got.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


def test_svg_is_never_an_image(web: Web, archive: Archive) -> None:
    """Its bytes are stored and an article refers to them, but SVG can contain script."""
    data = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    sha256 = hashlib.sha256(data).hexdigest()
    for suffix in (".svg", ".svg+xml"):
        path = archive.data / "images" / sha256[:2] / f"{sha256}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    entry = {"url": "http://x/a.svg", "ref": "a.svg", "position": 9, "status": "stored",
             "sha256": sha256, "content_type": "image/svg+xml"}  # fmt: skip
    archive.db.articles.update_one({"_id": EDITED}, {"$push": {"images": entry}})
    assert web.get(f"/image/{sha256}").status == 404
    archive.db.articles.update_one({"_id": EDITED}, {"$unset": {"images": ""}})


def test_bytes_that_no_article_names_are_not_served(web: Web, archive: Archive) -> None:
    data = (next((archive.data / "images").rglob("*.jpg"))).read_bytes() + b"more"
    sha256 = hashlib.sha256(data).hexdigest()
    path = archive.data / "images" / sha256[:2] / f"{sha256}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    assert web.get(f"/image/{sha256}").status == 404


def test_unknown_page_is_in_the_same_style(web: Web) -> None:
    got = web.get("/nothing")
    assert got.status == 404
    assert "没有这一页" in got.text
    assert "/static/style.css" in got.text


@pytest.mark.parametrize(
    ("asked", "told", "instead"),
    [
        ({"column": "zjxv"}, "归档中没有栏目“zjxv”。是不是 zjxw (浙江新闻)？", {"column": ["zjxw"]}),
        ({"column": "浙江新文"}, "是不是 zjxw (浙江新闻)？", {"column": ["zjxw"]}),
        ({"host": "zjnewz"}, "归档中没有网站“zjnewz”。", {"host": ["zjnews"]}),
        ({"person": "江凡，金晨", "q": "督察"}, "没有记者或编辑“江凡”。", {"person": ["江帆，金晨"], "q": ["督察"]}),
        ({"tag": "从来没有的标签"}, "归档中没有标签“从来没有的标签”。", None),
        ({"column": "国企（首页）"}, "“国企（首页）”可以指几个栏目：guoqi、yj、yz。", None),
    ],
)  # fmt: skip
def test_unknown_names(
    asked: dict[str, str], told: str, instead: dict[str, list[str]] | None, web: Web
) -> None:
    got = web.get("/", **asked)
    assert got.status == 404
    page = html.fromstring(got.text)
    assert told in words(page)
    links = page.xpath("//p[@class='note']/a/@href")
    assert [parse_qs(urlsplit(each).query) for each in links] == ([instead] if instead else [])
    for name, value in asked.items():  # the form keeps what was typed
        assert value in page.xpath(f"//*[@name='{name}']/descendant-or-self::*/@value")


def test_chinese_names_of_columns(web: Web) -> None:
    got = web.get("/", column="浙江新闻")
    assert keys(got) == keys(web.get("/", column="zjxw"))
    assert tree(got).xpath(
        "//select[@id='column']/option[@selected]/@value | //optgroup/option[@selected]/@value"
    ) == ["zjxw"]
    calendar = web.get("/calendar", column="浙江宣传", year=SOWN_YEAR)
    assert calendar.main == web.get("/calendar", column=SOWN, year=SOWN_YEAR).main != ""
    told = web.get("/calendar", column="浙江宣专")
    assert (told.status, "是不是 zjxc (浙江宣传)？" in words(html.fromstring(told.text))) == (
        404, True,
    )  # fmt: skip


def test_one_character_is_searched(web: Web) -> None:
    page = web.get("/", q="督")
    assert page.status == 200
    assert "没有符合的文章" not in page.text


def test_hits_by_month_lead_to_the_month(web: Web) -> None:
    page = tree(web.get("/", q="浙江"))
    bars = page.xpath("//figure[@class='histogram']//a")
    total = re.search(r"共 ([\d,]+) 篇", page.text_content())
    assert len(bars) > 1
    assert total
    counts = [re.fullmatch(r"[\d-]+：([\d,]+) 篇", bar.xpath("string(.//title)")) for bar in bars]
    assert sum(int(count[1].replace(",", "")) for count in counts if count) <= int(total[1])
    for bar, count in list(zip(bars, counts, strict=True))[:3]:
        assert count
        within = tree(web.get(bar.get("href")))
        assert f"共 {count[1]} 篇" in within.text_content()
