"""Pages with two encodings, and text with an invalid byte."""

import pytest

from tests.parsing.passages import BODY, PROSE, page
from zjolcrawl.items import RawArticle
from zjolcrawl.parsing.article_page import read_article
from zjolcrawl.parsing.page import decode, read_page

FOOT = "版权所有 地址：杭州市体育场路一百七十八号，邮政编码三一〇〇三九"
MENU = "<div class=menu>" + "<a href=/x/>新闻首页与各地新闻联播</a> " * 40 + "</div>"
URL = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774999.shtml"


def read(body: bytes) -> RawArticle:
    found = read_article(body, URL)
    assert isinstance(found, RawArticle)
    return found


@pytest.mark.parametrize(
    "own, other", [("utf-8", "gbk"), ("utf-8", "gb18030"), ("gbk", "utf-8"), ("gb18030", "utf-8")]
)
@pytest.mark.parametrize("times", [1, 40])
def test_include_in_another_encoding(own: str, other: str, times: int) -> None:
    html = page(BODY, after="<!--FOOT-->").encode(own)
    include = f"<div>{FOOT * times}</div>".encode(other)
    article = read(html.replace(b"<!--FOOT-->", include))
    assert (article.title, article.body, article.source) == (
        "山脚下的茶厂开了新车间",
        PROSE,
        "浙江在线",
    )
    text = decode(html.replace(b"<!--FOOT-->", include))
    assert FOOT in text[0]
    assert text[2] == 0


@pytest.mark.parametrize("own, other", [("utf-8", "gbk"), ("gbk", "utf-8")])
def test_menu_longer_than_the_text(own: str, other: str) -> None:
    html = page(BODY).encode(own)
    article = read(html.replace(b"<h1", MENU.encode(other) + b"<h1", 1))
    assert (article.title, article.body) == ("山脚下的茶厂开了新车间", PROSE)


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
@pytest.mark.parametrize("place", ["炒茶", "装了箱", "学徒"])
def test_broken_byte_costs_its_character_alone(encoding: str, place: str) -> None:
    html = page(BODY).encode(encoding)
    cut = place.encode(encoding)
    article = read(html.replace(cut, cut[:-1], 1))
    assert article.encoding == ("utf-8" if encoding == "utf-8" else "gb18030")
    told = "\n".join(article.body)
    assert sum(a != b for a, b in zip(told[::-1], "\n".join(PROSE)[::-1], strict=False)) <= len(
        PROSE[1]
    )
    assert article.body[2] == PROSE[2]
    assert any("undecodable" in each for each in article.warnings) or encoding == "gbk"


def test_many_broken_bytes_in_utf8() -> None:
    html = page(BODY * 10).encode()
    for n in range(30):
        at = html.index("，".encode(), 200 + 90 * n)
        html = html[:at] + b"\xff" + html[at + 3 :]
    assert decode(html)[1] == "utf-8"


@pytest.mark.parametrize(
    "text",
    [
        "浙江在线",
        "中",
        "联通",
        "“浙江”——在线",
        "plain ASCII",
        "caf\u00e9",
        "",
        "，。、；：？！" * 50,
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_short_texts(text: str, encoding: str) -> None:
    found = decode(f"<p>{text}</p>".encode(encoding))
    if (text, encoding) not in {
        ("联通", "gb18030"),
        ("café", "gb18030"),
    }:  # both happen to be valid UTF-8
        assert found[0] == f"<p>{text}</p>"


def test_line_separator_beside_a_control_character() -> None:
    root = read_page("<p>一\x01行\u2028二行\x02</p>".encode(), URL).root
    assert len(root.findall(".//br")) == 1
