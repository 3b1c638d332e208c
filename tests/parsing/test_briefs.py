"""Pages of a few words or of images only are articles; pages that only look like them are not."""

import pytest

from tests.parsing.made import CRUMBS
from zjolcrawl.items import Article, RawArticle
from zjolcrawl.parsing.article_page import NotArticle, Stub, read_article
from zjolcrawl.pipelines.normalize import normalize

URL = "http://photo.zjol.com.cn/202409/t20240918_30531100.shtml"
TITLE = "古桥边的石榴树今年结果了"
TIME = "2024-09-18 07:35:18 来源：浙江在线"
FOOT = "来源：浙江在线 编辑：吴新燕"
ONE = "<img src=./W020240918000000000001.jpg>"
TWO = "<img src=./W020240918000000000002.jpg>"


def parse(body: str, title: str = TITLE, head: str = "") -> RawArticle | Stub | NotArticle:
    tag = f"<html><head><meta charset=utf-8><title>{title}-浙江在线</title>{head}</head>"
    return read_article(f"{tag}<body>{body}</body></html>".encode(), URL)


def read(body: str, title: str = TITLE) -> Article:
    found = parse(body, title)
    assert isinstance(found, RawArticle), found
    article = normalize(found)
    assert article.title == title
    return article


@pytest.mark.parametrize(
    "text",
    ["昨夜，宁波入秋。", "今起高温。", "桥通了！", "图为早市。", "雨停了……", "“我回来了。”"],
)
@pytest.mark.parametrize(
    "names", ["contTit time contTxt", "artTitle info artCon", "title info content"]
)
def test_a_sentence_in_a_known_container(text: str, names: str) -> None:
    title, info, box = names.split()
    article = read(
        f"<div>{CRUMBS}</div><h1 class={title}>{TITLE}</h1><div class={info}>{TIME}</div>"
        f"<div class={box}><p>　　{text}</p></div><div>责任编辑：傅歆</div>"
    )
    assert article.body == text
    assert [each.name for each in article.editors] == ["傅歆"]


def test_few_words_that_link_a_file() -> None:
    article = read(
        f"<h1 class=artTitle>{TITLE}</h1><div>{TIME}</div><div class=artCon><a href=./P1.pdf>附件</a></div>"
    )
    assert len(article.attachments) == 1


LAYOUTS = {
    "boxes": "<div><h1>{title}</h1><div class=meta-line>{time}</div><div class=t>{body}</div><div>{foot}</div></div>",
    "one box": "<div class=main><h1>{title}</h1><p>{time}</p>{body}<p>{foot}</p></div>",
    "rows": "<table><tr><td align=center><b>{title}</b></td></tr><tr><td>{time}</td></tr><tr><td>{body}</td></tr>"
    "<tr><td>{foot}</td></tr></table>",
    "tables": "<table><tr><td><font size=5><b>{title}</b></font></td></tr><tr><td>{time}</td></tr></table>"
    "<table><tr><td><div>{body}</div></td></tr></table><table><tr><td>{foot}</td></tr></table>",
    "deep": "<div><div><h1><font>{title}</font></h1></div></div><div><span>{time}</span></div>"
    "<div><div><table><tr><td><div>{body}</div></td></tr></table></div></div><div><span>{foot}</span></div>",
}
NOTICE = "<div><p>本网站由浙江日报报业集团主办，未经授权不得转载。</p></div>"


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "text",
    ["今天全省多云，气温二十六度。", "石榴熟了。", "县里的老桥昨天修好。", "渡口明天起停航。", "早市今晨开张！"],
)  # fmt: skip
def test_a_sentence_in_an_unknown_container(layout: str, text: str) -> None:
    body = LAYOUTS[layout].format(title=TITLE, time=TIME, body=f"<p>　　{text}</p>", foot=FOOT)
    article = read(f"<div>{CRUMBS}</div>{body}{NOTICE}")
    assert article.body == text
    assert article.source == "浙江在线"
    assert [each.name for each in article.editors] == ["吴新燕"]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "text",
    [
        "石榴树在桥头长了三十年，今年头一回结果，村里的孩子天天来看。",
        "老桥重修以后，每天有两百多人从桥上走过。",
        "今年的第一批石榴昨天摘下来了。",
        "桥头的石榴昨天熟了！",
        "守桥的老人说，这棵树是他父亲种下的，那年发大水，桥断了，树还在，后来村里人都叫它守桥树。",
    ],
)
def test_one_paragraph_below_a_headline_alone(layout: str, text: str) -> None:
    body = LAYOUTS[layout].format(title=TITLE, time="", body=f"<p>　　{text}</p>", foot="")
    assert read(body).body == text


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "pictures, captions",
    [
        (f"<p align=center>{ONE}</p><p align=center>桥头的石榴</p>", ["桥头的石榴"]),
        (f"<p align=center>{ONE}</p>", [None]),
        (f"<p>{ONE}</p><p>{TWO}</p>", [None, None]),
        (f"<center>{ONE}<br>石榴树</center><center>{TWO}<br>老桥</center>", ["石榴树", "老桥"]),
        (f"<p align=center>{ONE}</p><p align=center>树下</p><p align=center>{TWO}</p>", ["树下", None]),
        (f"<p align=center><a href=./W020240918000000000003.jpg>{ONE}</a></p>", [None]),
    ],
)  # fmt: skip
def test_pictures_below_a_head(layout: str, pictures: str, captions: list[str | None]) -> None:
    body = LAYOUTS[layout].format(title=TITLE, time=TIME, body=pictures, foot=FOOT)
    article = read(f"<div>{CRUMBS}</div>{body}{NOTICE}")
    assert [image.caption for image in article.images] == captions
    assert article.body == ""
    assert [each.name for each in article.editors] == ["吴新燕"]


def test_picture_and_caption_in_rows_of_a_table() -> None:
    rows = f"<tr><td>{ONE}</td></tr><tr><td align=center>桥头的石榴</td></tr>"
    article = read(
        f"<table><tr><td><b>{TITLE}</b></td></tr><tr><td>{TIME}</td></tr>{rows}<tr><td>{FOOT}</td></tr></table>"
    )
    assert [image.caption for image in article.images] == ["桥头的石榴"]


@pytest.mark.parametrize(
    "words",
    [
        "您访问的页面暂时无法显示，请稍后再试。",
        "抱歉，该内容正在审核。",
        "系统维护中，敬请谅解。",
        "页面正在加载，请稍候。",
        "请登录后查看全文。",
        "服务器繁忙，请刷新重试。",
    ],
)
@pytest.mark.parametrize("time", ["", TIME])
def test_words_of_a_server_are_no_brief(words: str, time: str) -> None:
    found = parse(f"<h1>{TITLE}</h1><div>{time}</div><div class=msg><p>{words}</p></div>")
    assert isinstance(found, NotArticle)
    assert not found.missing


@pytest.mark.parametrize("box", ["artCon", "x"])
@pytest.mark.parametrize(
    "words", ["该稿件已撤下。", "文章不存在！", "此新闻已删除。", "内容已失效。", "该页面已下线。"]
)
def test_short_page_that_says_its_article_is_gone(words: str, box: str) -> None:
    found = parse(
        f"<h1 class=artTitle>{TITLE}</h1><div>{TIME}</div><div class={box}><p>{words}</p></div>"
    )
    assert isinstance(found, NotArticle)
    assert found.missing


@pytest.mark.parametrize(
    "body",
    [
        f"<h1>{TITLE}</h1><div>{TIME}</div>" + "".join(f"<a href=/{n}.html>第{n}件事</a>" for n in range(12)) + f"<p>{ONE}</p>",
        f"<h1>{TITLE}</h1><div>{TIME}</div><a href=/zt/>{ONE}</a>",
        f"<h1>{TITLE}</h1><div>{TIME}</div><div>{FOOT}</div><p>{ONE}</p>",
        f"<h1>{TITLE}</h1><p>{ONE}</p>",
        f"<h1>{TITLE}</h1><div>{TIME}</div>",
        f"<h1>{TITLE}</h1><div>{TIME}</div><div class=artCon>正文加载中…</div>",
        f"<h1>{TITLE}</h1><p>浙江在线版权所有，未经授权不得转载。</p>",
    ],
)  # fmt: skip
def test_head_with_nothing_of_its_own_below(body: str) -> None:
    found = parse(body)
    assert isinstance(found, NotArticle)
    assert not found.missing


@pytest.mark.parametrize("title", ["浙江在线", "新闻频道", "浙江新闻网"])
def test_welcome_of_a_site_is_no_brief(title: str) -> None:
    found = parse(f"<h1>{title}</h1><p>这里是浙江的新闻。</p>", title)
    assert isinstance(found, NotArticle)


def test_brief_that_sends_every_browser_on_is_a_stub_in_any_box() -> None:
    there = "http://zjnews.zjol.com.cn/zjnews/hznews/201708/t20170811_4770001.shtml"
    head = f"<script>location.href='{there}'</script>"
    body = f"<h1>{TITLE}</h1><div>{TIME}</div><div class=x><p>请看石榴树的新照片。</p></div>"
    assert parse(body, head=head) == Stub(there)
