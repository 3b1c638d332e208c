"""Fast paths give the same result as the full computation, on every page of the fixtures."""

from pathlib import Path

import pytest

from tests.support.goldens import FIXTURES, load, sidecars
from zjolcrawl.parsing.blocks import BLOCK_TAGS
from zjolcrawl.parsing.breadcrumb import may_be_labelled
from zjolcrawl.parsing.furniture import FOOTER_SIGN, page_footer
from zjolcrawl.parsing.page import read_page
from zjolcrawl.parsing.templates import families, generic_template, paper_template
from zjolcrawl.parsing.text_lines import (
    Line,
    LinesAfter,
    last_lines,
    lines_after,
    lines_from,
    page_lines,
)

PAGES = sidecars("document")
PATHS = [
    path
    for each in (*families(), generic_template(), paper_template())
    for name in ("bodies", "titles", "times", "sources", "authors", "editors")
    for path in getattr(each, name)
]


def name(path: Path) -> str:
    return str(path.relative_to(FIXTURES).with_suffix(""))


def said(lines: list[Line]) -> list[tuple[str, object, float]]:
    return [(line.text, line.element, line.links) for line in lines]


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_name_finds_what_its_xpath_finds(path: Path) -> None:
    golden, body = load(path)
    page = read_page(body, golden["url"])
    found = [table(page.root) for table in PATHS]
    assert [table(page.elements) for table in PATHS] == found


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_some_lines_are_those_of_all(path: Path) -> None:
    golden, body = load(path)
    root = read_page(body, golden["url"]).root
    every = page_lines(root)
    boxes = [box for box in root.iter(*BLOCK_TAGS) if box.tag != "body"][::5]
    for box in boxes:
        assert said(last_lines(box, 14)) == said(page_lines(box)[-14:])
        after = said(lines_after(box, 120))
        assert said(list(LinesAfter(box))) == after
        assert said(LinesAfter(box).first(6)) == after[:6]
        own = set(box.iter())
        wanted = [may_be_labelled(line.text) or line.element in own for line in every]
        if any(wanted):
            needed = said(every[wanted.index(True) :])
            assert said(lines_from(root, box, may_be_labelled))[-len(needed) :] == needed


def test_a_label_may_stand_loose_before_a_box() -> None:
    page = "<body>当前位置：<a href=/>浙江在线</a><div>要闻</div><div><h1>山村通了公交车</h1></div></body>"
    root = read_page(page.encode(), "http://zjnews.zjol.com.cn/").root
    (headline,) = root.iter("h1")
    near = lines_from(root, headline, may_be_labelled)
    assert [line.text for line in near] == ["当前位置：浙江在线", "要闻", "山村通了公交车"]


@pytest.mark.parametrize(
    "line",
    [
        "浙ICP备05071080号", "浙公网安备 33010202000026号", "互联网新闻信息服务许可证 33120170001", "违法举报电话", "All Rights Reserved",
        "all right reserved", "关于我们 | 网站地图", "网站简介｜联系我们",
    ],
)  # fmt: skip
def test_the_foot_of_a_page_has_a_sign(line: str) -> None:
    assert page_footer().search(line)
    assert FOOTER_SIGN.search(line)
