"""Any page gives an article or a reason, in bounded time; bench/fuzz.py tries many more."""

import random
import time

import pytest

from tests.parsing.mutilations import COMMON, GIANT, Mutilation, spoil
from tests.support.goldens import load, sidecars
from zjolcrawl.items import RawArticle
from zjolcrawl.parsing.article_page import NotArticle, Stub, read_article
from zjolcrawl.parsing.column_page import read_column
from zjolcrawl.pipelines.normalize import normalize
from zjolcrawl.pipelines.validate import fault

PAGES = [load(path) for path in sidecars("document")]
URL = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml"
# CPU seconds, against a hang: far above what a slow machine needs.
MOST_SECONDS = 20


def holds(page: bytes, url: str) -> None:
    begun = time.process_time()
    read_column(page, url)
    found = read_article(page, url)
    assert isinstance(found, RawArticle | Stub | NotArticle)
    if isinstance(found, RawArticle):
        fault(normalize(found))
    assert time.process_time() - begun < MOST_SECONDS


@pytest.mark.parametrize("mutilate", [*COMMON, *GIANT], ids=lambda m: m.__name__)
def test_mutilated_page(mutilate: Mutilation) -> None:
    chance = random.Random(4774532)
    for _ in range(2 if mutilate in GIANT else 12):
        golden, page = chance.choice(PAGES)
        holds(mutilate(page, chance), golden["url"])


@pytest.mark.parametrize("seed", range(0, 200, 20))
def test_pages_mutilated_in_several_ways(seed: int) -> None:
    for each in range(seed, seed + 20):
        page, _ = spoil([page for _, page in PAGES], random.Random(each), giants=0)
        holds(page, URL)


@pytest.mark.parametrize(
    "body", [b"", b"\x00", b"<", b"\xff" * 1000, b"<html>", b"{}", b"%PDF-1.4"]
)
def test_what_is_no_page(body: bytes) -> None:
    assert isinstance(read_article(body, URL), NotArticle)
    assert read_column(body, "http://china.zjol.com.cn/gnxw/").fault


def test_picture_that_claims_an_absurd_width() -> None:
    page = f'<div class="contTxt"><img src="a.jpg" width="{"9" * 5000}"><p>　　好。</p></div>'
    found = read_article(page.encode(), URL)
    assert isinstance(found, RawArticle)
    assert len(found.images) == 1


# Each was searched from all positions to the end, in quadratic time.
@pytest.mark.parametrize(
    "page",
    [
        f"<div class=path>位置：<a href=/>好</a>好{'　' * 100_000}文</div><div class=contTxt>好，好。",
        f"<div class=contTxt><p>好。</p><p>这是一个很长的句子{'　' * 100_000}好。",
        f"<div class=contTxt><p>浙江在线8月12日讯 {'记者 ' * 30_000}好。",
    ],
    ids=["crumb", "paragraph", "byline"],
)
def test_long_run(page: str) -> None:
    holds(page.encode(), URL)


# Each took quadratic time when the ancestors of every element were looked at.
@pytest.mark.parametrize(
    "nest",
    [
        "<font>好，这是一个很长的句子。",
        "<div class=content>好，这是一个很长的句子。",
        "<a href=/x><span>好",
        "<ul class=listUl><li><a href=/201708/t20170812_4774532.shtml>好</a>",
        "<ul><li>好",
        "<li class=news_item><a href=/x><h2>好",
        "<div class=fenye><a href=/>下一页</a>",
        "<div class=path>位置：<a href=/>好</a>",
        "<div class=time>2017-08-12 07:34",
        "<div class=contTit>好，这是一个很长的句子。",
        "<table><tr><td>好<td>",
        "<title>好_",
        "<h1>好好学习",
    ],
)
def test_nested_page(nest: str) -> None:
    for head in ("<title>好好学习_天天</title>", "<div class=contTit>好</div><div class=contTxt>"):
        holds(f"{head}{nest * 1500}".encode(), URL)
