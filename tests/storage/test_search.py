"""Full text against a real mongod: what a plain scan finds is found, in the order that is promised."""

from __future__ import annotations

import asyncio
import random
import re
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pymongo.database import Database

from tests.support.crawling import Crawl, start_scrapy
from zjolcrawl.items import Article, Byline, Image, Outcome
from zjolcrawl.storage.connection import connect
from zjolcrawl.storage.doubts import VisitPolicy
from zjolcrawl.storage.search import QueryError, Results, matching, rebuild, search, terms, update
from zjolcrawl.storage.search import index as index_module
from zjolcrawl.storage.search.index import PARTS, QUEUE, SEGMENTS
from zjolcrawl.storage.selection import Selection
from zjolcrawl.storage.store import Store

T = TypeVar("T")
Ask = Callable[[Callable[[Any], Awaitable[T]]], T]
DAY = datetime(2017, 8, 11, 23, 34, 27, tzinfo=timezone.utc)
SENTENCES = (
    "中央第二环境保护督察组督察浙江省工作动员会在杭州召开", "鹿城区开展五水共治专项行动", "浙江山区的水果销往全国各地",
    "江山市的猕猴桃熟了", "记者金晨从省防指获悉", "G20峰会3.5万名志愿者上岗", "iPhone 8在杭州首发", "价格为$99.9元",
    "Ａ股三大指数集体上涨", "市民游客纷纷前来观赏荷花", "全省各地贯彻落实会议精神", "责任编辑：金晨",
)  # fmt: skip


@pytest.fixture
def ask(mongodb_uri: str, database: str) -> Ask[Any]:
    """`ask(lambda db: …)`: what the product's own client is answered."""

    def run(question: Callable[[Any], Awaitable[T]]) -> T:
        async def main() -> T:
            client = await connect(mongodb_uri)
            try:
                return await question(client[database])
            finally:
                await client.close()

        return asyncio.run(main())

    return run


def article(number: int, title: str, body: str, **changes: Any) -> Article:
    values: dict[str, Any] = {
        "url": f"http://zjnews.zjol.com.cn/201708/t20170812_{number}.shtml",
        "site": "zjnews.zjol.com.cn", "title": title, "body": body, "body_html": f"<p>{body}</p>",
        "template": "T1", "parser_version": 2, "columns": ["zjxw"],
        "published_at": DAY + timedelta(hours=number), "published_precision": "second",
    }  # fmt: skip
    return Article(**(values | changes))


@pytest.fixture
def put(mongodb_uri: str, database: str) -> Callable[..., None]:
    """Store articles and outcomes as a run does; `indexed=False`: as one that was killed at its end."""

    def run(*items: Article | Outcome, indexed: bool = True) -> None:
        async def main() -> None:
            policy = VisitPolicy(confirm_visits=1)  # a takedown is believed at once
            store = await Store.open(
                mongodb_uri, database, run_arguments={}, version="0", policy=policy
            )
            for item in items:
                await (store.outcome(item) if isinstance(item, Outcome) else store.put(item))
            await store.finish()
            if indexed:
                await store.index()
            await store.close()

        asyncio.run(main())

    return run


def found(ask: Ask[Results], text: str, **selection: Any) -> list[str]:
    """The titles of a query's hits."""
    results = ask(lambda db: search(db, text, Selection(**selection)))
    return [hit.article["title"] for hit in results.hits]


async def urls(db: Any, text: str) -> set[str]:
    return {each["_id"] async for each in matching(db, text, Selection())}


def scan(db: Database[Any], text: str) -> set[str]:
    """The same by a plain look at every text of every article."""
    pattern = re.compile(re.escape(text))
    names = ("title", "kicker", "subtitle", "body", "source", "editor_note", "abstract")
    return {
        each["_id"] for each in db.articles.find()
        if any(pattern.search(each.get(name, "")) for name in names)
        or any(pattern.search(tag) for tag in each.get("tags", ()))
    }  # fmt: skip


def made(count: int, seed: int = 1) -> list[Article]:
    chance = random.Random(seed)
    return [
        article(
            n, chance.choice(SENTENCES),
            "\n".join("，".join(chance.sample(SENTENCES, 3)) + "。" for _ in range(3)),
            tags=[f"标签{chance.randrange(50)}"],
        )
        for n in range(count)
    ]  # fmt: skip


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of thirty articles, so that a few hundred are merged several times."""
    monkeypatch.setattr(index_module, "BATCH", 30)


@pytest.mark.usefixtures("small_batches")
def test_any_substring_is_found(db: Database[Any], ask: Ask[Any], put: Callable[..., None]) -> None:
    put(*made(700))
    assert db[SEGMENTS].count_documents({"state": "live"}) > 1
    assert db[SEGMENTS].count_documents({"state": "dead"}) > 1  # some were merged
    chance = random.Random(7)
    texts = [each["body"] for each in db.articles.find({}, {"body": 1})]
    queries = set()
    while len(queries) < 200:
        line = chance.choice(chance.choice(texts).split("\n"))
        length = chance.randint(2, 8)
        start = chance.randrange(len(line) - length)
        if (part := line[start : start + length]) == part.strip():
            queries.add(part)

    async def all_of(db: Any) -> dict[str, set[str]]:
        return {query: await urls(db, f'"{query}"') for query in queries}

    for query, got in ask(all_of).items():
        assert got == scan(db, query), query


def test_order_of_ranks(ask: Ask[Results], put: Callable[..., None]) -> None:
    put(
        article(1, "山区来电", "浙江山区的水果"),
        article(2, "水果熟了", "江山的猕猴桃"),
        article(3, "江山风光", "好看"),
        article(4, "江山新事", "好事"),
        article(5, "浙江山区", "路通了"),
        article(6, "水果丰收", "江山的柚子"),
    )
    # 江山 in the headline, the newest first; then the county as a word; then 浙江山区 by accident.
    assert found(ask, "江山") == [
        "浙江山区",
        "江山新事",
        "江山风光",
        "水果丰收",
        "水果熟了",
        "山区来电",
    ]


def test_names_that_people_search_for(ask: Ask[Results], put: Callable[..., None]) -> None:
    put(
        article(1, "督察进驻", "中央第二环境保护督察组督察浙江省工作动员会召开"),
        article(2, "治水", "鹿城区开展专项行动"),
        article(3, "荷花", "西湖荷花开了", editors=[Byline("金晨", "责任编辑")]),
        article(4, "图片", "无", images=[Image("http://x.zjol.com.cn/a.jpg", "a.jpg", 1, "断桥残雪")]),
    )  # fmt: skip
    for query, title in {
        "环境保护督察": "督察进驻",
        "鹿城区": "治水",
        "金晨": "荷花",
        "断桥": "图片",
    }.items():
        assert found(ask, query) == [title]


def test_terms_are_all_wanted_and_a_quotation_is_one(
    ask: Ask[Results], put: Callable[..., None]
) -> None:
    put(article(1, "新品", "iPhone 8在杭州首发"), article(2, "旧款", "8月在杭州，iPhone降价"))
    assert found(ask, "杭州 iphone") == ["旧款", "新品"]
    assert found(ask, '"iPhone 8"') == ["新品"]
    assert found(ask, "ＩＰＨＯＮＥ　首发") == ["新品"]
    assert terms('“iPhone 8” 杭州 "') == ["iphone 8", "杭州"]


@pytest.mark.parametrize("query", ["3.5万", "$99", "[0-9]", ".*", "a.b", "(?i)", "\\d", "{$ne: 1}"])
def test_signs_are_text(query: str, ask: Ask[Results], put: Callable[..., None]) -> None:
    put(article(1, "甲", f"前{query}后"), article(2, "乙", "3x5万 $9 a-b 0-9 d"))
    assert found(ask, f'"{query}"') == ["甲"]


@pytest.mark.parametrize(
    "query", ["", " ", "的", '""', "x" * 201, " ".join(map(str, range(100, 130)))]
)
def test_query_that_cannot_be_asked(query: str, ask: Ask[Results]) -> None:
    with pytest.raises(QueryError):
        found(ask, query)


def test_words_of_a_query_that_nobody_wrote_so(ask: Ask[Results], put: Callable[..., None]) -> None:
    put(article(1, "峰会", "杭州举行的峰会，安保有力"), article(2, "荷花", "西湖"))
    results = ask(lambda db: search(db, "峰会安保", Selection()))
    assert (results.loosened, results.terms) == (True, ["峰会", "安保"])
    assert [hit.article["title"] for hit in results.hits] == ["峰会"]
    assert found(ask, "峰会荷花") == []


def test_filters(ask: Ask[Results], put: Callable[..., None]) -> None:
    image = Image("http://x.zjol.com.cn/a.jpg", "a.jpg", 1)
    put(
        article(1, "一", "荷花", columns=["zjxc"], authors=[Byline("江帆", "记者")]),
        article(48, "二", "荷花", site="jx.zjol.com.cn", tags=["西湖"], images=[image]),
        article(96, "三", "荷花", editors=[Byline("金晨", "责任编辑")]),
        article(144, "四", "荷花", published_at=None, published_precision=None),
    )
    assert found(ask, "荷花") == ["四", "三", "二", "一"]  # seen first is later than published
    assert found(ask, "荷花", columns=("zjxc",)) == ["一"]
    assert found(ask, "荷花", people=("江帆", "金晨")) == ["三", "一"]
    assert found(ask, "荷花", sites=("jx.zjol.com.cn",)) == ["二"]
    assert found(ask, "荷花", tags=("西湖",)) == ["二"]
    assert found(ask, "荷花", images=True) == ["二"]
    assert found(ask, "荷花", since=date(2017, 8, 14), until=date(2017, 8, 14)) == ["二"]
    assert found(ask, "荷花", since=date(2017, 8, 15)) == ["三"]
    assert found(ask, "荷花", until=date(2017, 8, 11)) == []
    assert found(ask, "荷花", columns=("zjxc",), images=True) == []


def test_edit_and_takedown(ask: Ask[Results], put: Callable[..., None]) -> None:
    put(article(1, "荷花", "西湖荷花开了"), article(2, "荷叶", "西湖荷叶绿了"))
    put(article(1, "荷花", "西湖荷花谢了"))
    assert found(ask, "开了") == []
    assert found(ask, "谢了") == found(ask, "西湖", edited=True) == ["荷花"]
    gone = article(2, "", "").url
    put(Outcome(gone, "gone", "404"))
    assert found(ask, "西湖", gone=True) == ["荷叶"]
    assert found(ask, "西湖") == ["荷叶", "荷花"]


def test_what_is_not_indexed_yet_is_searched(
    db: Database[Any], ask: Ask[Any], put: Callable[..., None]
) -> None:
    put(article(1, "荷花", "西湖荷花开了"))
    put(article(2, "荷叶", "西湖荷叶绿了"), article(1, "荷花", "西湖荷花谢了"), indexed=False)
    assert db[QUEUE].count_documents({}) == 2
    assert ask(update) == 0  # announced a moment ago: it might not be written yet
    assert found(ask, "西湖") == ["荷叶", "荷花"]
    assert found(ask, "谢了") == ["荷花"]
    assert found(ask, "开了") == []
    assert found(ask, "绿了", columns=("zjxw",)) == ["荷叶"]
    assert found(ask, "绿了", columns=("zjxc",)) == []


def test_column_that_an_article_gets_later(ask: Ask[Results], put: Callable[..., None]) -> None:
    put(article(1, "荷花", "西湖荷花开了"))
    put(article(1, "荷花", "西湖荷花开了", columns=["zjxc"]))
    assert (
        found(ask, "荷花", columns=("zjxc",)) == found(ask, "荷花", columns=("zjxw",)) == ["荷花"]
    )


def test_pages_of_hits_have_each_once(ask: Ask[Results], put: Callable[..., None]) -> None:
    put(*(article(n, f"第{n}篇", "西湖" if n % 3 else "西湖荷花") for n in range(1, 96)))
    put(*(article(n, f"第{n}篇荷花", "西湖") for n in range(96, 120)))
    seen: list[str] = []
    for skip in range(0, 200, 20):
        results = ask(lambda db, skip=skip: search(db, "西湖", Selection(), skip=skip))
        seen += [hit.article["title"] for hit in results.hits]
        assert results.more == (skip < 100)
    assert seen == [f"第{n}篇荷花" for n in range(119, 95, -1)] + [
        f"第{n}篇" for n in range(95, 0, -1)
    ]


@pytest.mark.usefixtures("small_batches")
def test_one_process_writes_while_others_read(
    db: Database[Any], ask: Ask[Any], put: Callable[..., None]
) -> None:
    put(*made(400), indexed=False)
    expected = scan(db, "金晨")

    async def both(db: Any) -> tuple[list[int], list[set[str]]]:
        writers = asyncio.gather(*(rebuild_index(db) for _ in range(2)))
        answers = []
        while not writers.done():
            answers.append(await urls(db, "金晨"))
        return await writers, answers

    async def rebuild_index(db: Any) -> int:
        return await update(db)

    db[QUEUE].drop()  # the first of them finds an archive without an index
    done, answers = ask(both)
    assert sorted(done) == [0, 400]
    assert answers[-1] == expected == ask(lambda db: urls(db, "金晨"))
    assert db[QUEUE].count_documents({}) == 0


def test_killed_while_it_indexes(
    db: Database[Any], ask: Ask[Any], put: Callable[..., None], mongodb_uri: str, tmp_path: Path
) -> None:
    put(*made(3000), indexed=False)
    for wait in (0.1, 0.3, 0.8):
        running = start_scrapy(
            "search", "--rebuild", site=None, data=tmp_path, uri=mongodb_uri, database=db.name
        )
        while db[SEGMENTS].count_documents({}) == 0 and running.poll() is None:
            time.sleep(0.02)
        time.sleep(wait)
        running.send_signal(signal.SIGKILL)
        running.communicate()
        db[SEGMENTS].update_one({"_id": "lease"}, {"$set": {"until": DAY}})  # as after two minutes
    with no_more_than(db, 2):
        ask(rebuild)
    assert db[QUEUE].count_documents({}) == 0
    assert ask(lambda db: urls(db, "金晨")) == scan(db, "金晨")


@contextmanager
def no_more_than(db: Database[Any], building: int) -> Iterator[None]:
    """Afterwards nothing half-written is there."""
    assert db[SEGMENTS].count_documents({"state": "building"}) <= building
    yield
    live = {f"{row['_id']:08d}" for row in db[SEGMENTS].find({"state": {"$ne": "building"}})
            if isinstance(row["_id"], int)}  # fmt: skip
    assert {key.partition("/")[0] for key in db[PARTS].distinct("_id")} == live


def test_search_in_a_terminal(put: Callable[..., None], command: Crawl) -> None:
    put(
        article(1, "西湖荷花进入观赏期", "市民游客纷纷前来。西湖的荷花开了。", source="浙江在线"),
        article(2, "断桥", "西湖"),
    )
    done = command("search", "西湖", "荷花", "--since", "2017-08-12")
    assert done.returncode == 0, done.stderr
    assert "1. 西湖荷花进入观赏期\n" in done.stdout
    assert "2017年08月12日 08:34:27  浙江在线" in done.stdout
    assert "市民游客纷纷前来。西湖的荷花开了。" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 article"
    assert "断桥" not in done.stdout


def test_search_that_finds_nothing(put: Callable[..., None], command: Crawl) -> None:
    put(article(1, "西湖", "荷花"))
    done = command("search", "钱塘江")
    assert (done.returncode, done.stderr) == (1, "zjolcrawl: no article has 钱塘江\n")
    done = command("search", "的")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert command("search").returncode == 2
