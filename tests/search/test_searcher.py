"""Hits and their order are those of a plain scan, as docs/how-to/search.md states."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest
from pymongo.database import Database

from tests.search.conftest import DAY, Ask, Found, Put, article
from zjolcrawl.items import Article, Byline, Image
from zjolcrawl.search import QueryError, Search, SearchIndex, catch_up, matching, search
from zjolcrawl.search.tokens import folded, full_text
from zjolcrawl.storage.queries.selection import Selection

SENTENCES = (
    "中央第二环境保护督察组督察浙江省工作动员会在杭州召开", "鹿城区开展五水共治专项行动", "浙江山区的水果销往全国各地",
    "江山市的猕猴桃熟了", "记者金晨从省防指获悉", "G20峰会3.5万名志愿者上岗", "iPhone 8在杭州首发", "价格为$99.9元",
    "Ａ股三大指数集体上涨", "市民游客纷纷前来观赏荷花", "全省各地贯彻落实会议精神", "责任编辑：金晨", "C++ and\u3000Rust OR 〇𠮷野家",
)  # fmt: skip


def made(count: int, seed: int = 1) -> list[Article]:
    chance = random.Random(seed)
    return [
        article(
            n, chance.choice(SENTENCES),
            "\n".join("，".join(chance.sample(SENTENCES, 3)) + "。" for _ in range(3)),
            tags=[f"标签{chance.randrange(50)}"], kicker=chance.choice(SENTENCES),
            images=[Image("http://x.zjol.com.cn/a.jpg", "a.jpg", 1, chance.choice(SENTENCES))],
        )
        for n in range(count)
    ]  # fmt: skip


def test_any_substring_is_found(
    db: Database[Any], ask: Ask[Any], put: Put, index: SearchIndex
) -> None:
    put(*made(300))
    texts = {each["_id"]: folded(full_text(each)) for each in db.articles.find()}
    chance = random.Random(7)
    queries: set[str] = set()
    while len(queries) < 200:
        line = chance.choice(chance.choice([*texts.values()]).split("\n"))
        start = chance.randrange(max(1, len(line) - 1))
        part = line[start : start + chance.randint(1, 8)]
        if part and part == part.strip() and not set(part) & set('"“”'):
            queries.add(part)

    async def all_of(db: Any) -> dict[str, set[str]]:
        await catch_up(db, index)
        return {
            query: {each["_id"] async for each in matching(db, index, f'"{query}"', Selection())}
            for query in queries
        }

    for query, got in ask(all_of).items():
        assert got == {url for url, text in texts.items() if query in text}, query


def test_headline_first_and_the_newest_first(found: Found, put: Put) -> None:
    put(
        article(1, "山区来电", "浙江山区的水果"),
        article(2, "水果熟了", "江山的猕猴桃"),
        article(3, "江山风光", "好看"),
        article(4, "好看", "无", kicker="江山新事"),
        article(5, "浙江山区", "路通了"),
    )
    assert found("江山") == ["浙江山区", "好看", "江山风光", "水果熟了", "山区来电"]


def test_what_has_no_publish_time_is_in_its_place_by_when_it_was_seen(
    found: Found, put: Put
) -> None:
    put(
        article(1, "一", "荷花"),
        article(2, "二", "荷花", published_at=None, published_precision=None),
    )
    assert found("荷花") == ["二", "一"]
    assert found("荷花", since=date(2000, 1, 1)) == ["一"]


def test_terms_are_all_wanted_and_a_quotation_is_one(found: Found, put: Put) -> None:
    put(article(1, "新品", "iPhone 8在杭州首发"), article(2, "旧款", "8月在杭州，iPhone降价"))
    assert found("杭州 iphone") == ["旧款", "新品"]
    assert found('"iPhone 8"') == ["新品"]
    assert found("“iPhone 8”") == ["新品"]
    assert found("ＩＰＨＯＮＥ　首发") == ["新品"]


@pytest.mark.parametrize("query", ["3.5万", "$99", "[0-9]", ".*", "a.b", "(?i)", "\\d", "{$ne: 1}", "."])  # fmt: skip
def test_signs_are_text(query: str, found: Found, put: Put) -> None:
    put(article(1, "甲", f"前{query}后"), article(2, "乙", "3x5万 $9 a-b 0-9 d"))
    assert found(f'"{query}"') == ["甲"]


@pytest.mark.parametrize("letter", [*"罚8a.+*\\^$|()[]{}?-&~#<>/=@%", "𠮷", "é", "〇"])
def test_one_character_is_found(letter: str, found: Found, put: Put) -> None:
    put(
        article(1, f"甲{letter}", "无"), article(2, "乙", f"无{letter}"), article(3, "丙", "无"),
        article(4, "丁", f"{letter}无\n完"),
    )  # fmt: skip
    assert found(f'"{letter}"') == ["甲" + letter, "丁", "乙"]


def test_no_term_reaches_over_the_end_of_a_line_or_a_field(found: Found, put: Put) -> None:
    put(article(1, "西湖", "荷花\n开了", kicker="杭州"), article(2, "无", "西 湖"))
    assert found("西湖") == ["西湖"]
    for query in ("湖荷", "花开", "湖杭", "西湖荷花"):
        assert found(query) == []
    assert found('"西 湖"') == ["无"]


def test_either_and_without(found: Found, put: Put) -> None:
    put(
        article(1, "杭州荷花", "西湖"), article(2, "宁波荷花", "月湖"), article(3, "温州荷花", "广告"),
        article(4, "杭州菊花", "植物园"),
    )  # fmt: skip
    assert found("杭州 OR 宁波") == ["杭州菊花", "宁波荷花", "杭州荷花"]
    assert found("荷花 杭州 OR 宁波") == ["宁波荷花", "杭州荷花"]
    assert found("杭州 OR 宁波 荷花") == ["宁波荷花", "杭州荷花"]
    assert found("荷花 -广告") == ["宁波荷花", "杭州荷花"]
    assert found('荷花 -"月湖" -西') == ["温州荷花"]
    assert found("荷花 or 菊花") == []  # in lower case it is a word
    assert found("OR 荷花 OR") == ["温州荷花", "宁波荷花", "杭州荷花"]


def test_in_the_headline_and_by_whom(found: Found, put: Put) -> None:
    put(
        article(1, "西湖", "江帆", authors=[Byline("王明", "记者")]),
        article(2, "无", "西湖", authors=[Byline("江帆", "记者")]),
        article(3, "也无", "西湖", editors=[Byline("江帆", "责任编辑")]),
    )
    assert found("title:西湖") == found("title：西湖") == ["西湖"]
    assert found("by:江帆") == ["也无", "无"]
    assert found("西湖 -by:江帆") == ["西湖"]
    assert found("by:江帆 OR by:王明 西湖") == ["西湖", "也无", "无"]
    assert found("by:江") == []  # a whole name
    assert found('title:"西湖" by:王明') == ["西湖"]


@pytest.mark.parametrize(
    "query", ["", " ", '""', "-荷花", "OR", "title:", "x" * 201, " ".join(map(str, range(100, 130)))]
)  # fmt: skip
def test_query_that_cannot_be_asked(query: str, found: Found) -> None:
    if query == "title:":
        assert found(query) == []  # exactly these six characters
        return
    with pytest.raises(QueryError):
        found(query)


def test_filters(found: Found, put: Put) -> None:
    image = Image("http://x.zjol.com.cn/a.jpg", "a.jpg", 1)
    put(
        article(1, "一", "荷花", columns=["zjxc"], authors=[Byline("江帆", "记者")]),
        article(48, "二", "荷花", site="jx.zjol.com.cn", tags=["西湖"], images=[image]),
        article(96, "三", "荷花", editors=[Byline("金晨", "责任编辑")]),
    )
    assert found("荷花", columns=("zjxc",)) == ["一"]
    assert found("荷花", people=("江帆", "金晨")) == ["三", "一"]
    assert found("荷花", sites=("jx.zjol.com.cn",)) == ["二"]
    assert found("荷花", tags=("西湖",)) == ["二"]
    assert found("荷花", images=True) == ["二"]
    assert found("荷花", since=date(2017, 8, 14), until=date(2017, 8, 14)) == ["二"]
    assert found("荷花", since=date(2017, 8, 15)) == ["三"]
    assert found("荷花", until=date(2017, 8, 11)) == []
    assert found("荷花", columns=("zjxc",), images=True) == []


def test_pages_of_hits_have_each_once(ask: Ask[Any], put: Put, index: SearchIndex) -> None:
    put(*(article(n, f"第{n}篇", "西湖" if n % 3 else "西湖荷花") for n in range(1, 96)))
    put(*(article(n, f"第{n}篇荷花西湖", "西湖") for n in range(96, 120)))
    seen: list[str] = []

    async def page(db: Any) -> Any:
        await catch_up(db, index)
        return await search(db, index, "西湖", Selection(), skip=len(seen))

    while more := ask(page).articles:
        assert len(more) == min(20, 119 - len(seen))
        seen += [each["title"] for each in more]
    assert seen == [f"第{n}篇荷花西湖" for n in range(119, 95, -1)] + [
        f"第{n}篇" for n in range(95, 0, -1)
    ]


def test_by_relevance(found: Found, put: Put) -> None:
    put(
        article(1, "荷花", "荷花荷花荷花", published_at=DAY - timedelta(days=7000)),
        article(2, "荷花荷花", "荷花荷花荷花"),
        article(3, "无", "荷花" + "很多别的话" * 200),
    )
    assert found("荷花", order="relevance") == ["荷花荷花", "荷花", "无"]
    assert found("荷花") == ["荷花荷花", "荷花", "无"]


def test_histogram(ask: Ask[Any], put: Put, index: SearchIndex) -> None:
    put(
        article(1, "一", "荷花"), article(2, "二", "荷花"), article(3, "三", "菊花"),
        article(4, "四", "荷花", published_at=DAY.replace(hour=15, minute=59)),  # 23:59 in China
        article(5, "五", "荷花", published_at=DAY.replace(year=2019, month=1)),
        article(6, "六", "荷花", published_at=None, published_precision=None),
    )  # fmt: skip
    ask(lambda db: catch_up(db, index))
    asked = Search(index, "荷花", Selection())
    assert asked.total() == 5
    assert asked.histogram("day") == {"2017-08-11": 1, "2017-08-12": 2, "2019-01-12": 1}
    assert asked.histogram("month") == {"2017-08": 3, "2019-01": 1}
    assert asked.histogram("year") == {"2017": 3, "2019": 1}


def test_a_term_twice_is_a_term_of_its_own(found: Found, put: Put) -> None:
    put(
        article(1, "一", "荷花"), article(2, "二", "菊花"), article(3, "三", "荷花梅花"),
    )  # fmt: skip
    assert found("荷花 荷花 OR 菊花") == ["三", "一"]
    assert found("荷花 梅花 荷花 OR 菊花") == ["三"]


def test_what_is_no_text_in_a_query_finds_nothing(found: Found, put: Put) -> None:
    put(article(1, "一", "西\ufdd0湖 \ufdd1"))
    assert found('"西 湖"') == []
    assert found("\udcff西") == found("by:\udcff") == []
    assert found("荷花", tags=("\udcff",)) == []


def test_long_queries_are_refused_not_cut(found: Found) -> None:
    with pytest.raises(QueryError, match="too long"):
        found("荷花" + " " * 8000 + "没有的词")


def test_relevance_of_what_has_no_date(found: Found, put: Put) -> None:
    put(
        article(1, "荷花荷花", "荷花", published_at=None, published_precision=None),
        article(2, "无", "很多别的话荷花" * 3),
    )  # fmt: skip
    assert found("荷花", order="relevance") == ["荷花荷花", "无"]
