"""A hundred questions have the same answers by the API, by the Python API and by `scrapy search --json`."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.support.archives import fill
from tests.support.crawling import scrapy
from tests.web.api.asking import articles, ask
from tests.web.serving import Web, browsing
from zjolcrawl import open_archive
from zjolcrawl.library import NewsArchive

NUMBER, MOST = 100, 30
WORDS = (
    "",
    "浙江",
    "杭州 发展",
    "环境保护",
    "杭州 OR 宁波",
    "浙江 -杭州",
    "title:浙江",
    "by:江帆",
    '"环境保护"',
    "a",
    "督察 整改",
)
FILTERS: tuple[dict[str, Any], ...] = (
    {}, {"column": "zjxw"}, {"column": "浙江新闻"}, {"column": ["zjxw", "zjxc"]}, {"host": "zjnews"}, {"person": "江帆"},
    {"person": ["江帆", "金晨"]}, {"tag": "生态文明"}, {"since": "2017-08-01", "until": "2017-08-31"}, {"since": "2017-12-01"},
    {"edited": True}, {"gone": True}, {"images": True, "column": "zjxw"}, {"changed_since": "2017-11-01"},
    {"gone_since": "2017-10-01"}, {"changed_since": "2017-11-01", "gone_since": "2017-11-01"},
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """Words and filters in the API's names."""

    words: str
    filters: dict[str, Any] = field(default_factory=dict)
    order: str = "newest"

    def options(self) -> list[str]:
        """As options of `scrapy search`."""
        options = [self.words] if self.words else []
        for name, value in self.filters.items():
            options.append(f"--{name.replace('_', '-')}")
            options += (
                [] if value is True else [",".join(value) if isinstance(value, list) else value]
            )
        return options

    def asked(self) -> dict[str, Any]:
        """As parameters of the API."""
        given = {name: "true" if value is True else value for name, value in self.filters.items()}
        return {**given, **({"words": self.words} if self.words else {})}

    def chosen(self) -> dict[str, Any]:
        """As arguments of the Python API."""
        return {"site" if name == "host" else name: value for name, value in self.filters.items()}


def questions() -> list[Question]:
    every = [
        Question(w, f, order)
        for w in WORDS
        for f in FILTERS
        for order in ("newest", "relevance")
        if w or f
    ]
    return random.Random(26).sample(every, NUMBER)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("asked")


@pytest.fixture(scope="module")
def asked(mongodb_uri: str) -> Iterator[str]:
    """The name of a database of 2,000 generated articles in seven months.

    A third of the questions have more articles than are compared; half of them have several pages.
    """
    with MongoClient[dict[str, Any]](mongodb_uri) as client:
        fill(client[name := "test_asked"], 2_000, first=date(2017, 6, 1))
        yield name
        client.drop_database(name)


@pytest.fixture(scope="module")
def web(asked: str, mongodb_uri: str, data: Path) -> Iterator[Web]:
    with browsing(data, mongodb_uri, asked) as (web, _):
        yield web


@pytest.fixture(scope="module")
def archive(asked: str, mongodb_uri: str, data: Path) -> Iterator[NewsArchive]:
    with open_archive(data, mongodb_uri, asked) as opened:
        next(opened.search("浙江"))  # builds the index
        yield opened


@pytest.mark.parametrize("part", range(10))
def test_same_answers(
    part: int, archive: NewsArchive, web: Web, mongodb_uri: str, data: Path, asked: str
) -> None:
    found = 0
    for question in questions()[part::10]:
        by_api = articles(web, "search", **question.asked(), order=question.order, limit=19)
        by_library = list(
            islice(archive.search(question.words, order=question.order, **question.chosen()), MOST)
        )
        done = scrapy(
            "search", *question.options(), "--json", "--limit", str(MOST), "--sort", question.order,
            data=data, uri=mongodb_uri, database=asked,
        )  # fmt: skip
        assert done.returncode == (0 if by_api else 1), done.stderr
        by_command = json.loads(done.stdout)
        theirs = [(each.url, each.title, each.revision, each.content_sha256) for each in by_library]
        names = ("_id", "title", "revision", "content_sha256")
        assert [tuple(each[name] for name in names) for each in by_command] == theirs, question
        ours = [tuple(each[name] for name in names) for each in by_api[:MOST]]
        assert same(ours, theirs, by_api), question
        found += len(ours)
    assert found > 20


def same(ours: list[Any], theirs: list[Any], whole: list[dict[str, Any]]) -> bool:
    """Whether the lists are equal but for the order of articles of the same time, which only the API defines."""
    times = {each["_id"]: each["published_at"][:19] for each in whole}
    order = [[(times[each[0]]) for each in each_list] for each_list in (ours, theirs)]
    last = order[0][-1] if ours else ""
    kept = [
        sorted(each for each in each_list if times[each[0]] != last) for each_list in (ours, theirs)
    ]
    return order[0] == order[1] and kept[0] == kept[1]


@pytest.mark.parametrize(
    "filters",
    [each for each in FILTERS if "since" not in "".join(each) or "until" in each],
    ids=str,
)
def test_same_lists_and_counts(filters: dict[str, Any], archive: NewsArchive, web: Web) -> None:
    question = Question("", filters)
    theirs = [each.url for each in islice(archive.articles(**question.chosen()), 300)]
    ours = (
        [each["_id"] for each in articles(web, "articles", **question.asked(), limit=100)]
        if len(theirs) < 300
        else []
    )
    if ours:
        assert sorted(ours) == sorted(theirs)
        assert len(ours) == archive.count(**question.chosen())
    for by in ("day", "month", "year"):
        counts = ask(web, "counts", words="浙江", **question.asked(), by=by)
        assert counts["counts"] == archive.histogram("浙江", by, **question.chosen())
