"""List pages: their links and their next page."""

from pathlib import Path

import pytest

from tests.support.goldens import FIXTURES, load, sidecars
from zjolcrawl.fixture import as_list
from zjolcrawl.parsing.column_page import read_column


def name(path: Path) -> str:
    return str(path.relative_to(FIXTURES).with_suffix(""))


@pytest.mark.parametrize("path", sidecars("next"), ids=name)
def test_page_gives_its_links(path: Path) -> None:
    golden, body = load(path)
    page = read_column(body, golden["url"])
    assert as_list(page) == {name: golden[name] for name in ("links", "next")}


URL = "http://china.zjol.com.cn/gnxw/"
ITEM = '<ul class="listUl"><li class="listLi"><a href="./201803/t20180318_6823266.shtml">题</a></li></ul>'


@pytest.mark.parametrize(
    ("pager", "url", "following"),
    [
        ('<span class="fenye"><a href="index_1.shtml">下一页</a></span>', URL, "index_1.shtml"),
        ('<span class="fenye"><div><a href="index_2.shtml"> 下一页 </a></div></span>', URL + "index_1.shtml", "index_2.shtml"),
        ('<span class="fenye"><a>下一页</a></span>', URL + "index_2.shtml", None),
        ('<script>createPageHTML(3, 0, "index", "shtml");</script>', URL, "index_1.shtml"),
        ('<script>createPageHTML(3, 1, "index", "shtml");</script>', URL + "index_1.shtml", "index_2.shtml"),
        ('<script>createPageHTML(3, 2, "index", "shtml");</script>', URL + "index_2.shtml", None),
        ('<script>var countPage = 3; var currentPage = 0; createPageHTML(countPage, currentPage, "index", "shtml");</script>', URL, "index_1.shtml"),
        ('<a href="index.shtml">1</a><a href="index_1.shtml">2</a><a href="index_2.shtml">3</a>', URL, "index_1.shtml"),
        ('<a href="index.shtml">1</a><a href="index_1.shtml">2</a><a href="index_2.shtml">3</a>', URL + "index_1.shtml", "index_2.shtml"),
        ('<a href="index.shtml">1</a><a href="index_1.shtml">2</a><a href="index_2.shtml">3</a>', URL + "index_2.shtml", None),
        ("", URL, None),
    ],
)  # fmt: skip
def test_next_page_is_the_one_the_page_offers(pager: str, url: str, following: str | None) -> None:
    page = read_column(f"<html><body>{ITEM}{pager}</body></html>".encode(), url)
    assert page.next_url == (URL + following if following else None)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"", "an empty page"),
        (b"<html><script>document.cookie='x=1';location.reload()</script></html>", "script only: a challenge page"),
        (b"<form><input type='password'></form><a href='/'>x</a>", "a login page"),
        ("<div><a href='http://www.zjol.com.cn/'>首页</a></div>".encode(), "no list found"),
    ],
)  # fmt: skip
def test_page_without_links_says_why(body: bytes, fault: str) -> None:
    assert read_column(body, URL).fault == fault


@pytest.mark.parametrize("number", ["9" * 5000, "²"])
def test_pager_without_a_number_is_no_pager(number: str) -> None:
    """int() refuses digits that str.isdigit and \\d allow, and strings of thousands of digits."""
    pager = f'<a href="index_{number}.shtml">2</a><script>createPageHTML({number}, 0, "index", "shtml")</script>'
    page = read_column(f"<html><body>{ITEM}{pager}</body></html>".encode(), URL + "index_1.shtml")
    assert (page.next_url, page.pages_total) == (None, None)
    assert len(page.links) == 1
