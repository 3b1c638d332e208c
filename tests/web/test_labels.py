"""Words for stored values: doubts of articles, findings, calendar shades."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from pymongo.database import Database

import zjolcrawl
from tests.export.made import article
from tests.support.crawling import Running
from tests.support.goldens import sidecars
from tests.web.serving import Web
from tests.web.test_pages import tree, words
from zjolcrawl.fields import FIELDS
from zjolcrawl.web.labels import doubt
from zjolcrawl.web.views.calendar import STEPS, months_of, year_of

SOURCES = ("parsing", "pipelines", "spiders/multipage.py", "items.py")
FIELD = "|".join(["missing", "encoding", "pages", *(field.name for field in FIELDS)])
WARNING = re.compile(rf"(?:{FIELD}|image \d+)(?: is kept undecoded)?: [\w<].*")


def written(path: Path) -> Iterator[str]:
    """Strings of a module that have the form of a warning, with 7 for each value of an f-string."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = {
        id(part)
        for each in ast.walk(tree)
        if isinstance(each, ast.JoinedStr)
        for part in each.values
    }
    for each in ast.walk(tree):
        if isinstance(each, ast.JoinedStr):
            text = "".join(
                str(part.value) if isinstance(part, ast.Constant) else "7" for part in each.values
            )
        elif (
            isinstance(each, ast.Constant) and isinstance(each.value, str) and id(each) not in inner
        ):
            text = each.value
        else:
            continue
        if WARNING.fullmatch(text):
            yield text


def warnings_of_the_code() -> set[str]:
    package = Path(zjolcrawl.__file__).parent
    paths = [
        p
        for each in SOURCES
        for p in ((package / each).rglob("*.py") if "." not in each else [package / each])
    ]
    return {text for path in paths for text in written(path)}


def warnings_of_the_fixtures() -> set[str]:
    """Those of the golden documents."""
    found = (
        json.loads(path.read_text(encoding="utf-8"))["document"] for path in sidecars("document")
    )
    return {warning for each in found for warning in each.get("warnings", ())}


def test_each_warning_of_an_article_has_words() -> None:
    known = warnings_of_the_code() | warnings_of_the_fixtures()
    assert {"title: by its place", "missing: tags", "published_at: from the URL", "image 7: 7",
            "pages: 7 has no text"} <= known  # fmt: skip
    assert len(known) > 15
    for warning in known:
        text, language = doubt(warning)
        assert (language, bool(re.search("[一-龥]", text))) == ("", True), warning
        assert not re.search(r"published_at|page_number|breadcrumb|missing|from ", text), text


@pytest.mark.parametrize(
    "warning",
    ["", "x", "missing:", "<b>: from metadata", "title: from\nmetadata", "missing: " + "a" * 499],
)
def test_an_unknown_warning_stays_english(warning: str) -> None:
    text, language = doubt(warning)
    assert warning == text or language == ""
    assert "\n" not in text or text == warning


def test_doubts_on_the_page(shown: tuple[Web, Running], db: Database[Any]) -> None:
    web, _ = shown
    many = [
        "missing: source",
        "published_at: from the URL",
        "something new",
        *["missing: tags"] * 60,
    ]
    db.articles.insert_one(article(0, warnings=many))
    for language, told in (
        ("zh", ["页面上没有来源", "时间取自网址", "something new"]),
        ("en", ["Not on the page: Source", "Time from the URL", "something new"]),
    ):
        page = tree(web.get("/article", url=article(0)["_id"], lang=language))
        items = page.xpath("//ul[@class='doubts']/li")
        assert [words(each) for each in items][:3] == told
        assert [each.get("lang") for each in items][:3] == [None, None, "en"]
        assert "13" in words(items[-1])


def test_shades_are_the_same_everywhere() -> None:
    """One article is as light in a column with one a day as in all columns together."""
    first, last = date(2016, 1, 30), date(2016, 3, 1)
    for most in (1, 91, 5000):
        counts = Counter({date(2016, 2, 1): 1, date(2016, 2, 2): 4, date(2016, 2, 3): 5, date(2016, 2, 4): 19,
                          date(2016, 2, 5): 20, date(2016, 2, 6): 80, date(2016, 2, 7): most})  # fmt: skip
        days = {each.day: each for each in year_of(2016, counts, (first, last), [])}
        assert [days[date(2016, 2, n)].level for n in range(1, 7)] == [1, 1, 2, 2, 3, 4]
        assert days[date(2016, 2, 8)].level == 0
    assert STEPS[0] == 1
    assert [month.number for month in months_of(list(days.values()))] == [1, 2, 3]


def test_calendar_has_the_months_of_the_archive_with_counts(
    shown: tuple[Web, Running], db: Database[Any]
) -> None:
    web, _ = shown
    at = datetime(2017, 8, 12, 2, tzinfo=timezone.utc)
    rows = [article(n, published_at=at + timedelta(days=n % 3)) for n in range(1300)]
    db.articles.insert_many(
        [{**row, "published_at": at} if n > 5 else row for n, row in enumerate(rows)]
    )
    page = tree(web.get("/calendar", year=2017))
    assert [words(each) for each in page.xpath("//section[@class='month']/h2")] == ["8月 1,300 篇"]
    cells = {
        each.get("aria-label"): words(each) for each in page.xpath("//a[contains(@class,'cell')]")
    }
    assert cells["8月12日，1,296 篇"] == "121,296"
    assert "没有文章" in words(page)
    assert "这一年在归档之外" in words(tree(web.get("/calendar", year=2016)))


def test_all_messages_of_a_run_can_be_read(shown: tuple[Web, Running], db: Database[Any]) -> None:
    web, _ = shown
    now = datetime.now(timezone.utc)
    run = {
        "arguments": {"spider": "column"},
        "started_at": now,
        "ended_at": now,
        "seconds": 1.0,
        "finish_reason": "finished",
    }
    for count in (29, 150):
        db.runs.delete_many({})
        db.runs.insert_one(
            {
                **run,
                "exit_status": 1,
                "warnings": [f"warning {n}" for n in range(count)],
                "alarms": ["an alarm"],
            }
        )
        page = tree(web.get("/health"))
        (item,) = page.xpath("//ol[@class='runs']/li")
        assert f"警报 1 条，提示 {count} 条" in words(item)
        lines = item.xpath(".//details//li")
        assert len(lines) == min(100, count + 1)
        assert ("另有 51 条" in words(item)) == (count == 150)
        told = words(page)
        assert "有事要看" in told
        assert "退出状态" not in told
        assert "（1）" not in words(item)


def test_health_names_each_column_once(shown: tuple[Web, Running], db: Database[Any]) -> None:
    web, _ = shown
    db.columns.insert_many(
        [{"_id": each, "last_error": "HTTP 404"} for each in ("zjxw", "zjxc", "py-rdgz")]
    )
    (cell,) = tree(web.get("/health")).xpath("//tr[th='栏目']/td")
    lines = [words(each) for each in cell.xpath(".//li/span[last()]")]
    assert sum("浙江新闻" in line for line in lines) == 1
    assert next(line for line in lines if "浙江新闻" in line).endswith("出错：HTTP 404")


def test_hostile_names_of_columns_stay_text(shown: tuple[Web, Running], db: Database[Any]) -> None:
    web, _ = shown
    foe = "<script>document.title=1</script>"
    db.columns.insert_one({"_id": "zjxw", "last_error": f"{foe}{{0}}{{__class__}}%s"})
    db.articles.insert_one(
        article(0, columns=[foe], warnings=[f"missing: {foe}", f"pages: {foe}{{}} has no text"])
    )
    for target in (
        "/health",
        "/columns",
        "/",
        "/?column=x",
        f"/calendar?column={foe}",
        f"/article?url={article(0)['_id']}",
    ):
        for language in ("zh", "en"):
            got = web.get(target.partition("?")[0], lang=language,
                          **dict(part.split("=", 1) for part in target.partition("?")[2].split("&") if part))  # fmt: skip
            assert got.status in {200, 404}
            assert not html.fromstring(got.text).xpath("//script")
