"""Headlines that `<title>` does not have, and pages that were taken down."""

import pytest

from tests.parsing.made import LEGACY, TEXT, TITLE, TRS, article
from zjolcrawl.items import RawArticle
from zjolcrawl.parsing.article_page import NotArticle, read_article

CRUMB = "<div>您当前的位置 :<a href='/'>浙江在线</a> &gt; <a href='/z/'>浙江新闻</a> 正文</div>"
INFO = "<div>2017年08月12日 07:34:27 来源：浙江在线</div>"
HEADLINES = [
    f"<h5>{TITLE}</h5>", f"<h3>{TITLE}</h3>", f"<h6 class='t'>{TITLE}</h6>", f"<p class='bt'>{TITLE}</p>",
    f"<div class='biaoti'>{TITLE}</div>", f"<center><b>{TITLE}</b></center>", f"<p><font size='5'>{TITLE}</font></p>",
    f"<table><tr><td align='center'><strong>{TITLE}</strong></td></tr></table>", f"<div style='font-size:24px'>{TITLE}</div>",
]  # fmt: skip
TITLES = [
    "新闻动态--某某学会官网",
    "浙江在线",
    "浙江新闻-浙江在线",
    "桐乡新闻网",
    "浙江日报数字报",
    "",
]


@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize("headline", HEADLINES)
@pytest.mark.parametrize("box", ["<div>{}</div>", "<div class='content'>{}</div>"])
def test_headline_by_its_place(headline: str, title: str, box: str) -> None:
    subtitle = "<div>下一次开放预计是在两年之后</div>"
    page = f"<html><head><title>{title}</title></head><body>{CRUMB}<div>{headline}{subtitle}{INFO}{box.format(TEXT)}</div></body></html>"
    read = article(page, TRS)
    assert (read.title, read.subtitle) == (TITLE, "下一次开放预计是在两年之后")
    assert "title: by its place" in read.warnings


def test_headline_without_an_info_line() -> None:
    page = f"<html><head><title>浙江在线</title></head><body>{CRUMB}<div>杭州 26℃ 多云</div><p><b>{TITLE}</b></p><div>{TEXT}</div></body></html>"
    assert article(page, LEGACY).title == TITLE


def test_title_tag_with_a_headline_stays() -> None:
    page = f"<html><head><title>桥头来了新邮差-浙江在线</title></head><body>{CRUMB}<h5>栏目推荐的内容</h5>{INFO}<div>{TEXT}</div></body></html>"
    read = article(page, TRS)
    assert (read.title, "title: from <title>" in read.warnings) == ("桥头来了新邮差", True)


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("文章已删除", "该内容不存在，稿件已撤销。"), ("提示", "该文章已下线"), ("提示信息", "您访问的内容已被删除"),
        ("浙江在线", "该稿件已撤回"), ("系统提示", "此新闻已失效，请返回首页"), ("出错了", "您要看的页面已过期"),
        ("浙江在线", "不存在的文章"), ("Page Not Found", "Sorry"), ("410 Gone", "410 Gone"),
    ],
)  # fmt: skip
def test_page_that_was_taken_down(title: str, text: str) -> None:
    page = f"<html><head><title>{title}</title></head><body><div><p>{text}</p></div></body></html>"
    found = read_article(page.encode(), TRS)
    assert isinstance(found, NotArticle)
    assert found.missing


@pytest.mark.parametrize(
    "title", ["违规广告已被删除 平台致歉", "涉事稿件已撤回 当事人道歉", "老路牌不存在了"]
)
def test_article_about_what_was_taken_down(title: str) -> None:
    page = f"<html><head><title>{title}-浙江在线</title></head><body>{CRUMB}<h1>{title}</h1>{INFO}<div class='contTxt'>{TEXT}{TEXT}</div></body></html>"
    assert isinstance(read_article(page.encode(), TRS), RawArticle)
