"""Small pages for tests of how one passage is parsed."""

from zjolcrawl.items import Article, RawArticle
from zjolcrawl.parsing.article_page import read_article
from zjolcrawl.pipelines.normalize import normalize

URL = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774999.shtml"
ONE = "山脚下的茶厂前天开了新车间，头一批秋茶当晚就装了箱，第二天一早发往外地。"
TWO = "厂长说，炒茶的铁锅全换成了电的，温度有表可看，学徒半个月就能上手，省下不少柴火。"
THREE = "村里的老茶农每天都来转一圈，看看机器，再和年轻人讲讲从前怎样在月光底下摊青。"
PROSE = [ONE, TWO, THREE]
BODY = "".join(f"<p>{line}</p>" for line in PROSE)


def page(
    body: str = BODY, *, info: str = "", after: str = "", head: str = "", title: str = ""
) -> str:
    """A page whose container has `body`; `after` is below it, `info` replaces the info line."""
    headline = title or "山脚下的茶厂开了新车间"
    line = info or "<span>2017年08月12日 07:34:27</span> <span>来源：浙江在线</span>"
    return (
        f"<!DOCTYPE html><html><head><meta charset=utf-8><title>{headline}-浙江新闻-浙江在线</title>{head}</head><body>"
        "<div class=position>您当前的位置：<a href=http://www.zjol.com.cn/>浙江在线</a> &gt; "
        "<a href=http://zjnews.zjol.com.cn/>浙江新闻</a> &gt; 正文</div>"
        f"<h1 class=artTitle>{headline}</h1><div class=info>{line}</div><div class=artCon>{body}</div>{after}"
        "<div class=foot>Copyright 浙江在线版权所有</div></body></html>"
    )


def read(html: str, url: str = URL) -> Article:
    """The normalised article of a page."""
    found = read_article(html.encode(), url)
    assert isinstance(found, RawArticle), found
    return normalize(found)


def lines(article: Article) -> list[str]:
    """Its body, line by line."""
    return article.body.split("\n")
