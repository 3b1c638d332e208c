"""Parses a page of a digital paper's issue: its number, name, PDF and articles, and the issue's pages.

Also parses the two pages that lead to an issue: a month's calendar and `paperindex.htm`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cache, partial

from lxml.html import HtmlElement

from zjolcrawl.parsing.column_page import ColumnPage, link_day_of
from zjolcrawl.parsing.fields.dates import plausible_day
from zjolcrawl.parsing.fields.text import clean
from zjolcrawl.parsing.list_links import ListedLink
from zjolcrawl.parsing.page import Page, decode, read_page
from zjolcrawl.parsing.templates import paper_template
from zjolcrawl.parsing.text_lines import Line
from zjolcrawl.parsing.urls import absolute, canonical, is_paper_page, kind, normalized
from zjolcrawl.parsing.xpath import Path, find

# An index of the whole issue (zjrbindex.htm) has an h3 for each page, followed by its titles [SEL]
_ALL_LINKS = Path("//a[@href]")
# 第01版：要闻, 00A03版:要闻, 头版:要闻, 三版:世相, 第三至四版:专题, 01版:要闻, A0001版：封面, a0001版:头版, 第04-05版:目的地, 第四版 副刊
_LABEL = re.compile(
    r"(?:(?:第\s*+)?(?<![A-Za-z\d])(?:0{1,3}(?=[A-Za-z]))?(?P<digits>[A-Za-z]{0,3}\s?\d{1,5}(?:\s?[-~、,，至－—]\s?第?[A-Za-z]{0,3}\d{1,5})?)"
    r"|第\s*+(?P<han>[一二三四五六七八九十]{1,3}(?:[、至-]第?[一二三四五六七八九十]{1,3})?)"
    r"|(?:^|(?<=[\s>＞]))(?P<bare>头|[一二三四五六七八九十]{1,3}(?:[、至-][一二三四五六七八九十]{1,3})?)(?=\s{0,9}版\s{0,9}[:：]))\s*+版(?![面权本])\s*+(?:[:：·\-—|｜]\s*+)?(?P<name>\S.*)?"
)
_OWN_LABEL = re.compile(
    r"(?:\S{2,10}\s{0,9}[>＞]\s{0,9})?第?\s{0,9}(?:0{0,3}[A-Za-z]{0,3}\s?\d{1,5}(?:\s?[-~、,，至－—]\s?第?[A-Za-z]{0,3}\d{1,5})?|[一二三四五六七八九十]{1,3}(?:[、至-]第?[一二三四五六七八九十]{1,3})?|头)\s{0,9}版\s{0,9}[:：]"
)
_HAN_DIGITS = "〇一二三四五六七八九"
_BESIDE = re.compile(
    r"(?<!\s)\s*+(?:[上下前后][一]?[版页]|PDF|pdf|改变文字大小|打印|收藏|放大|缩小|返回|标题导航|版面导航|[|｜<>《》]).*"
)
# <period_date>2024-08-06</period_date> … <front_page>node_2697.htm</front_page>     SEL kjb
_PERIOD = re.compile(
    r"<period_date>\s*(\d{4}-\d\d-\d\d)\s*</period_date>(.*?)(?=<period_date>|$)", re.DOTALL
)
_FRONT = re.compile(r"<front_page>\s*([^<\s]+)\s*</front_page>")
# <meta http-equiv="refresh" content="0; URL=html/2017-08/12/node_18.htm">             SEL
_REFRESH = re.compile(r"url\s*=\s*['\"]?([^'\"\s>;]+)", re.IGNORECASE)
_PDF = re.compile(r"\.pdf$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Label:
    """The printed label of a page in an issue: `number` such as 01 or A0001, `name` such as 要闻."""

    number: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class IssuePage:
    """An entry in the list of an issue's pages; `url` and `pdf` are absolute URLs."""

    url: str
    label: Label | None
    pdf: str | None


@dataclass(slots=True)
class PaperPage(ColumnPage):
    """A page of an issue: `links` are its articles, `issue` is every page in order, including this one."""

    label: Label | None = None
    pdf: str | None = None
    issue: list[IssuePage] = field(default_factory=list)


def read_paper_page(body: bytes, url: str) -> PaperPage:
    """Parse a page of an issue, or an issue's index. Never raises on bad HTML; `url` is absolute."""
    page = read_page(body, url)
    issue = issue_pages(page)
    label, pdf = page_of(page, issue)
    found = PaperPage(_articles(page), label=label, pdf=pdf, issue=issue)
    if not found.links and not issue:
        found.fault = "not a page of a paper's issue"
    return found


def read_calendar(body: bytes) -> dict[date, str | None]:
    """The days with an issue in a month's calendar, each with the file name of its front page or None."""
    issues: dict[date, str | None] = {}
    for day, rest in _PERIOD.findall(decode(body)[0]):
        front = _FRONT.search(rest)
        if found := plausible_day(*day.split("-")):
            issues[found] = front[1].rpartition("/")[2] if front else None
    return issues


def newest_issue(body: bytes, url: str) -> str | None:
    """The absolute URL that `paperindex.htm` redirects to, a page of the newest issue, or None."""
    for target in _REFRESH.findall(decode(body)[0]):
        found = absolute(url, target)
        if found and is_paper_page(found):
            return found
    return None


def issue_pages(page: Page) -> list[IssuePage]:
    """The issue's pages in order, without duplicates, from the list that every page of the issue has."""
    pages: dict[str, IssuePage] = {}
    links = paper_template().issue
    pdf_of = cache(partial(_pdf_in, base=page.base))  # cached: one row may hold all the anchors
    for anchor in find(links.page_links, page.root) or _ALL_LINKS(page.root):
        url = absolute(page.base, anchor.get("href") or "")
        if not url or not is_paper_page(url) or _folder(url) != _folder(page.url):
            continue
        text = clean(str(anchor.text_content()))
        if _BESIDE.fullmatch(text):
            continue  # 下一版
        label = read_label(text)
        known = pages.get(url)
        if known is None or (known.label is None and label):
            rows = find(links.page_rows, anchor)
            pages[url] = IssuePage(url, label, pdf_of(rows[0]) if rows else None)
    return [each for each in pages.values() if "index" not in each.url.rpartition("/")[2]]


def page_of(page: Page, issue: list[IssuePage]) -> tuple[Label | None, str | None]:
    """The label and the PDF of this page of the issue, or of the page that an article is on."""
    texts = [
        str(element.text_content())
        for path in paper_template().issue.labels
        for element in path(page.root)
    ]
    label = next((found for text in texts if (found := read_label(text))), None)
    own = next((each for each in issue if each.url == page.url), None)
    if own is None and label:
        number = _plain(label)
        own = next((each for each in issue if each.label and _plain(each.label) == number), None)
    if own is None:
        return label, None
    if label is None or (label.name is None and own.label and _plain(own.label) == _plain(label)):
        label = own.label
    return label, own.pdf


def read_label(text: str) -> Label | None:
    """The label in a text such as `第01版：要闻`, or None."""
    mark = _LABEL.search(clean(text))
    if not mark:
        return None
    name = _BESIDE.sub("", mark["name"] or "")
    number = (mark["digits"] or _numbers(mark["han"] or mark["bare"])).replace(" ", "")
    return Label(number, clean(name) or None)


def own_label(lines: Iterable[Line]) -> Label | None:
    """The label of the page that an article is on: the first label in `lines` that is not a link.

    `lines` are those above the article. Frames of 2006-2009 have `第00007版:…` in a cell; those of
    浙江法制报 of 2005-2008 have `浙江法制报 > 第三版:世相`.
    """
    texts = (line.text for line in lines if line.links < 0.5 and _OWN_LABEL.match(line.text))
    return next((label for text in texts if (label := read_label(text))), None)


def _numbers(han: str) -> str:
    """三 -> 3, 三至四 -> 3-4; 头 (front page) -> 1."""
    parts = re.split("[、至-]第?", han.replace("头", "一"))
    return "-".join(map(_digits, parts))


def _digits(han: str) -> str:
    """十二 -> 12, up to 99."""
    tens, ten, ones = han.rpartition("十")
    if not ten:
        return str(_HAN_DIGITS.index(han)) if len(han) == 1 else han
    return str(
        10 * (_HAN_DIGITS.index(tens[:1]) if tens else 1)
        + (_HAN_DIGITS.index(ones[:1]) if ones else 0)
    )


def _plain(label: Label) -> str:
    return re.sub(r"(?<!\d)0+(?=\d)", "", label.number)


def _folder(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[0]


def _pdf_in(row: HtmlElement, base: str) -> str | None:
    for element in row.iter():
        for reference in (
            element.get("filepath"),
            element.get("href") if element.tag == "a" else None,
        ):
            url = absolute(base, reference) if reference else None
            if url and _PDF.search(url.partition("?")[0]):
                return url
    return None


def _articles(page: Page) -> list[ListedLink]:
    """The articles in the page's list of titles, then those only on the page image.

    Titles elsewhere belong to the whole issue and count only on the issue's index, which has no others.
    """
    links = paper_template().issue
    anchors = [*find(links.title_links, page.root), *find(links.areas, page.root)]
    if not anchors and not find(links.page_links, page.root):
        anchors = _ALL_LINKS(page.root)
    found: dict[str, ListedLink] = {}
    for anchor in anchors:
        url = normalized(absolute(page.base, anchor.get("href") or "") or "")
        if not url or kind(url) != "paper":
            continue
        key, title = canonical(url), _title(anchor)
        known = found.get(key)
        if known is None or (known.title is None and title):
            fetch_url = known.fetch_url if known else url
            found[key] = ListedLink(key, fetch_url, "paper", title, link_day_of(url, None))
    return list(found.values())


def _title(anchor: HtmlElement) -> str | None:
    text = clean(str(anchor.text_content()))
    return text or clean(anchor.get("title") or anchor.get("alt") or "") or None
