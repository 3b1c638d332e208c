"""English beside Chinese: which one a page is in, how the choice is carried along, and that nothing is mixed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from lxml import html

from tests.web.sample import EDITED, FOE, GONE, REFERENCE, REVERTED, SOWN, SOWN_YEAR
from tests.web.serving import Web
from tests.web.test_texts import CHINESE
from zjolcrawl.web.language import negotiated

PAGES = [
    "/", "/?" + urlencode({"q": "环保督察"}), "/?" + urlencode({"q": "浙江"}),
    "/?column=zjxw&since=2017-01-01&images=1", "/?edited=1", "/?gone=1", "/?since=soon", "/?page=51",
    "/?column=zjxv", "/?" + urlencode({"q": "-x"}), "/?" + urlencode({"q": "http://x.zjol.com.cn/no.shtml"}),
    *(f"{path}?" + urlencode({"url": url}) for path in ("/article", "/history")
      for url in (REFERENCE, EDITED, GONE, REVERTED, FOE)),
    "/article?" + urlencode({"url": REFERENCE, "revision": 1}), "/record?" + urlencode({"url": REFERENCE}),
    "/record?" + urlencode({"url": GONE, "gone": 1}), "/columns", "/changes", "/changes?kind=gone",
    f"/calendar?column={SOWN}&year={SOWN_YEAR}", "/calendar?year=1999", "/health", "/nothing", "/article",
    "/image/x",
]  # fmt: skip


def mixed(page: html.HtmlElement) -> Iterator[str]:
    """Chinese texts, of elements and attributes, that stand in no element marked as Chinese."""
    for element in page.iter():
        if not isinstance(element.tag, str) or element.tag == "title":
            continue
        language = next(iter(element.xpath("ancestor-or-self::*[@lang][1]/@lang")), "")
        texts = [element.text, *(child.tail for child in element)]
        texts += [element.get(each) for each in ("aria-label", "title", "placeholder", "label")]
        if not language.startswith("zh"):
            yield from (text.strip() for text in texts if text and CHINESE.search(text))


@pytest.mark.parametrize("target", PAGES)
def test_an_english_page_has_chinese_only_where_it_says_so(target: str, web: Web) -> None:
    got = web.raw(target, headers={"Accept-Language": "en"})
    page = html.fromstring(got.text)
    assert (page.get("lang"), got.headers["content-language"]) == ("en", "en")
    # A label of a link may have the Chinese name of a column in it; an attribute has no language of its own.
    found = [text for text in mixed(page) if not re.fullmatch(r"Calendar of .*", text)]
    assert found == []


@pytest.mark.parametrize("target", PAGES)
def test_a_chinese_page_has_no_english_sentence(target: str, web: Web) -> None:
    got = web.raw(target)
    page = html.fromstring(got.text)
    assert (page.get("lang"), got.headers["content-language"]) == ("zh-CN", "zh-CN")
    assert got.headers["vary"] == "Accept-Language"
    for each in page.xpath("//*[@lang='en'] | //code | //pre | //dd | //*[@class='text']"):
        each.getparent().remove(
            each
        )  # what runs and parsers wrote, the other language, article text
    seen = " ".join(page.xpath("//main//text()"))
    assert not re.search(r"\b(?:the|of|is|was|articles?|version)\b", seen), seen


@pytest.mark.parametrize(
    ("header", "tag"),
    [
        ("", "zh-CN"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"), ("en-US,en;q=0.9", "en"), ("en,zh", "en"),
        ("zh;q=0.5, en;q=0.6", "en"), ("zh-TW", "zh-CN"), ("ZH-hans-cn", "zh-CN"), ("fr, en;q=0.1", "en"),
        ("fr-FR,fr;q=0.9", "en"), ("*", "zh-CN"), ("*;q=0.1, en", "en"), ("en;q=0, *", "zh-CN"),
        ("en;q=0", "zh-CN"), ("zh;q=0, *;q=0.1", "en"), ("en;q=x, zh;q=0.1", "zh-CN"), (";;;,,,=", "zh-CN"),
        ("en" * 10_000, "en"), ("fr;q=0.9,zh;q=0.2,en;q=0.1", "zh-CN"), ("en ; q=0.4 , zh ; q=0.3", "en"),
    ],
)  # fmt: skip
def test_negotiation(header: str, tag: str) -> None:
    assert negotiated(header) == tag


def test_a_choice_wins_over_the_header_and_goes_along(web: Web) -> None:
    got = web.get("/", headers={"Accept-Language": "zh-CN"}, q="浙江", lang="en")
    page = html.fromstring(got.text)
    assert page.get("lang") == "en"
    own = [
        each for each in page.xpath("//a/@href") if each.startswith("/") and "lang=zh" not in each
    ]
    assert len(own) > 20
    assert [each for each in own if parse_qs(urlsplit(each).query).get("lang") != ["en"]] == []
    for form in page.xpath("//form"):
        assert form.xpath(".//input[@type='hidden'][@name='lang']/@value") == ["en"]
    # Also in the body of an article, where links to other articles are.
    story = html.fromstring(web.get("/article", url=REFERENCE, lang="en").text)
    assert {parse_qs(urlsplit(each).query)["lang"][0]
            for each in story.xpath("//main//a/@href") if each.startswith("/") and not each.startswith("/web/")} == {"en"}  # fmt: skip


def test_without_a_choice_no_link_has_one(web: Web) -> None:
    page = html.fromstring(web.get("/", headers={"Accept-Language": "en"}).text)
    links = [each for each in page.xpath("//a[not(@class='switch')]/@href") if "lang=" in each]
    assert (links, page.xpath("//input[@name='lang']")) == ([], [])


@pytest.mark.parametrize(
    ("target", "there"),
    [
        ("/", "/?lang=en"),
        ("/?q=%E6%B5%99%E6%B1%9F&page=2", "/?q=%E6%B5%99%E6%B1%9F&page=2&lang=en"),
        ("/?lang=zh&lang=xx&q=a", "/?q=a&lang=en"),
        ("/columns?lang=en", "/columns?lang=zh"),
        ("//evil.example/x", "/evil.example/x?lang=en"),
        ("/%5Cevil.example", "/evil.example?lang=en"),
        ("/a%22%3E%3Cscript%3E", "/a%22%3E%3Cscript%3E?lang=en"),
        ("/?q=%22%3E%3Cscript%3E", "/?q=%22%3E%3Cscript%3E&lang=en"),
        ("/?x=" + "a" * 9000, "/?lang=en"),
    ],
)  # fmt: skip
def test_the_switch_leads_to_the_same_page(target: str, there: str, web: Web) -> None:
    page = html.fromstring(web.raw(target).text)
    (link,) = page.xpath("//a[@class='switch']")
    assert link.get("href") == there
    assert link.get("lang") == link.get("hreflang") == ("zh-CN" if "lang=zh" in there else "en")
    assert page.xpath("//link[@rel='alternate'][@hreflang]/@href") == [there]


def test_what_is_no_page_has_no_language(web: Web) -> None:
    for path in ("/static/style.css", "/static/icon.svg"):
        assert not {"vary", "content-language"} & web.get(path).headers.keys()


def test_numbers_and_dates_in_english(web: Web) -> None:
    text = web.get("/article", url=REFERENCE, lang="en").text
    assert "12 Aug 2017, 07:34:27" in text
    assert "Edited 2 times after publication." in text
    assert "Edited 1 time," in " ".join(web.get("/", edited=1, lang="en").text.split()).replace(
        "<", ","
    )
    assert "3 articles" not in web.get("/", q="鹿城区", lang="en").text
    assert re.search(r">\s*1 article\s*<", web.get("/", q="鹿城区", lang="en").text)
