"""A server's error page in place of an include is not part of the article."""

import pytest

from tests.parsing.made import LEGACY, PROSE, TEXT, TITLE, article
from zjolcrawl.parsing.article_page import NotArticle, read_article

NGINX = (
    "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n"
    "<hr><center>ZJOL/1.22.95</center>\r\n</body>\r\n</html>\r\n"
)
OLDER = (
    '<html>\n<head><title>502 Bad Gateway</title></head>\n<body bgcolor="white">\n<center><h1>502 Bad Gateway</h1>'
    "</center>\n<hr><center>nginx/1.4.6</center>\n</body>\n</html>\n<!-- a padding to disable MSIE and Chrome friendly "
    "error page -->\n<!-- a padding to disable MSIE and Chrome friendly error page -->\n"
)
TENGINE = (
    '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html>\n<head><title>504 Gateway Time-out</title></head>\n'
    "<body>\n<center><h1>504 Gateway Time-out</h1></center>\n<hr/><center>tengine</center>\n</body>\n</html>\n"
)
BARE = "<center><h1>403 Forbidden</h1></center><hr><center>nginx</center>"
ERRORS = [NGINX, NGINX * 3, OLDER, TENGINE, BARE]
PLACES = ("top", "crumb", "headline", "text", "foot")


def page(error: str, place: str, title: str = TITLE) -> str:
    at = dict.fromkeys(PLACES, "") | {place: error}
    return (
        f"<html><head><title>{title}</title></head><body>{at['top']}<div>您当前的位置 :<a href='/'>浙江在线</a> &gt; "
        f"<a href='/z/'>浙江新闻</a> 正文</div>{at['crumb']}<table><tr><td align='center'><b>{TITLE}</b></td></tr></table>"
        f"{at['headline']}<div>2008年05月21日 07:00:00</div><div>{TEXT}{at['text']}</div>{at['foot']}"
        "<div>来源: 今日早报 作者: 记者 陈小溪 编辑: 吴若兰</div></body></html>"
    )


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("title", [f"{TITLE}-浙江新闻-浙江在线", "浙江在线"])
def test_article_is_read_as_if_the_include_were_empty(error: str, place: str, title: str) -> None:
    found = article(page(error, place, title), LEGACY)
    assert (found.title, found.kicker, found.subtitle) == (TITLE, None, None)
    assert found.body.split("\n") == [line.strip() for line in PROSE]
    assert found == article(page("", place, title), LEGACY)


@pytest.mark.parametrize("error", [NGINX, OLDER, TENGINE])
def test_page_that_is_nothing_else_is_missing_or_withheld(error: str) -> None:
    found = read_article(error.encode(), LEGACY)
    assert isinstance(found, NotArticle)
    assert found.missing == ("404" in error)


def test_the_words_may_be_the_articles() -> None:
    words = "<center>404 Not Found</center>"
    found = article(page(words, "text"), LEGACY)
    assert "404 Not Found" in found.body
