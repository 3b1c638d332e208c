"""What is stored and what is rejected: a headline with a lost character is accepted."""

import pytest

from zjolcrawl.items import Article, Outcome, RawArticle
from zjolcrawl.parsing.article_page import read_article
from zjolcrawl.pipelines.normalize import normalize
from zjolcrawl.pipelines.validate import ValidatePipeline

URL = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774999.shtml"
PAGE = (
    "<html><head><meta charset=utf-8><title>{title}-浙江在线</title></head><body>"
    "<h1 class=artTitle>{title}</h1><div class=info>2017-08-12 07:34 来源：浙江在线</div>"
    "<div class=artCon><p>河埠头的台阶昨天修好了，洗衣的人不用再绕到下游去。</p></div></body></html>"
)


def read(page: bytes) -> Article:
    found = read_article(page, URL)
    assert isinstance(found, RawArticle)
    return normalize(found)


@pytest.mark.parametrize(
    "title",
    [
        "河埠头&#55357;&#56832;修好了",
        "河埠头&#65533;修好了",
        "&#xD800;河埠头修好了",
        "河埠头修好了&#0;",
        "河埠头修好\ufffd",
    ],
)
def test_headline_with_a_broken_character_is_kept_with_a_warning(title: str) -> None:
    article = read(PAGE.format(title=title).encode())
    assert ValidatePipeline().process_item(article) is article
    broken = article.title.count("\ufffd")
    told = [each for each in article.warnings if each.startswith("title:")]
    assert told == ([f"title: {broken} undecodable characters"] if broken else [])


def test_one_broken_byte_in_the_headline() -> None:
    page = PAGE.format(title="河埠头修好了").encode().replace("修".encode(), "修".encode()[:2])
    article = read(page)
    assert ValidatePipeline().process_item(article) is article
    assert article.title.startswith("河埠头")
    assert article.title.endswith("好了")
    assert any(each.startswith("title:") for each in article.warnings)


def test_headline_of_broken_characters_alone_is_rejected() -> None:
    article = read(PAGE.format(title="河埠头修好了").encode())
    article.title = "\ufffd\ufffd\ufffd\ufffd头修"
    found = ValidatePipeline().process_item(article)
    assert isinstance(found, Outcome)
    assert (found.state, found.reason) == ("rejected", "the headline is undecodable")
