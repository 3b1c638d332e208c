"""The content of any generated page of a template is read back."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.parsing import columns, pages
from tests.parsing import vocabulary as words
from zjolcrawl.items import Article, Byline, Link, RawArticle
from zjolcrawl.parsing.article_page import read_article
from zjolcrawl.parsing.column_page import read_column
from zjolcrawl.parsing.fields.bylines import people
from zjolcrawl.parsing.fields.dates import find_time
from zjolcrawl.parsing.fields.roles import AUTHOR_ROLES, EDITOR_ROLES
from zjolcrawl.parsing.fields.tags import split_tags
from zjolcrawl.parsing.fields.text import clean
from zjolcrawl.parsing.urls import canonical, kind, url_day
from zjolcrawl.pipelines.normalize import normalize
from zjolcrawl.spiders.multipage import Parts


def document(article: Article) -> dict[str, Any]:
    """An article in the form of `story_document`."""
    published = article.published_at
    return {
        "template": article.template,
        "url": article.url,
        "title": article.title,
        "kicker": article.kicker,
        "subtitle": article.subtitle,
        "published": published
        and (published.astimezone(timezone.utc).replace(tzinfo=None), article.published_precision),
        "source": article.source,
        "authors": article.authors,
        "editors": article.editors,
        "tags": article.tags,
        "breadcrumb": article.breadcrumb,
        "note": article.editor_note,
        "dateline": article.dateline,
        "body": article.body.split("\n"),
        "heads": re.findall("<h2>(.*?)</h2>", article.body_html),
        "images": [(image.ref, image.position, image.caption) for image in article.images],
        "videos": [video.url for video in article.videos],
    }


@pytest.mark.parametrize("layout", pages.LAYOUTS)
@given(data=st.data())
def test_page_gives_what_was_put_in(layout: str, data: st.DataObject) -> None:
    story = data.draw(pages.stories(layout))
    page = data.draw(pages.pages(story))
    raw = read_article(bytes(page), story.url)
    assert isinstance(raw, RawArticle), raw
    assert document(normalize(raw)) == pages.story_document(story)


@given(data=st.data(), count=st.integers(2, 4))
def test_pages_of_one_article_are_its_body(data: st.DataObject, count: int) -> None:
    """Each page has the heading and the bars; the article has them once, and all texts in order."""
    story = data.draw(pages.stories("conttit"))
    # A byline or note that a further page repeats would be text of that page.
    story = replace(story, note=None, dateline=None, byline_in="info")
    texts = [
        data.draw(
            pages.bodies(
                "conttit",
                f"第{n}天，",
                story.moment,
                [f"第{n}天的{word}" for word in words.THINGS[:5]],
                10 * n,
            )
        )
        for n in range(1, count + 1)
    ]
    stem = story.url.removesuffix(".shtml")
    urls = [story.url, *(f"{stem}_{n}.shtml" for n in range(1, count))]
    links = " ".join(f'<a href="{url.rpartition("/")[2]}">{n}</a>' for n, url in enumerate(urls, 1))
    read = {}
    for url, parts in zip(urls, texts, strict=True):
        page = data.draw(pages.pages(replace(story, parts=parts), pager=links))
        found = read_article(bytes(page), url)
        assert isinstance(found, RawArticle)
        read[url] = found
    first = data.draw(st.sampled_from(urls))  # a link may lead to any of the pages
    whole = Parts(Link(first), read[first], read[first].pages)
    assert whole.pages == urls
    whole.add(first, read[first])
    while url := whole.missing:
        whole.add(url, read[url])
    story = replace(story, parts=[part for parts in texts for part in parts])
    assert document(normalize(whole.whole())) == pages.story_document(story)


@given(data=st.data())
def test_column_page_gives_its_list(data: st.DataObject) -> None:
    column = data.draw(columns.columns())
    page = read_column(bytes(data.draw(columns.pages(column))), column.url)
    assert [(link.url, link.title, link.listed_at) for link in page.links] == column.links()
    assert page.next_url == column.next_url


@given(data=st.data(), clock=pages.clocks())
def test_time_is_read_in_every_form(data: st.DataObject, clock: str) -> None:
    precision = pages.CLOCKS[clock]
    moment = data.draw(pages.moments(precision))
    text = data.draw(pages.clock_texts(moment, clock))
    around = data.draw(
        st.sampled_from(["{}", "发布时间：{}", "\r\n\t{}\r\n", "({})", "| {}", "{} 来源：浙江在线"])
    )
    utc = (moment - timedelta(hours=8)).replace(tzinfo=timezone.utc)
    assert find_time(around.format(text)) == (utc, precision)


@given(data=st.data(), found=pages.groups(words.REPORTERS, 4))
def test_byline_gives_its_reporters(data: st.DataObject, found: list[pages.Group]) -> None:
    text = data.draw(pages.bylines(found))
    assert people(text, AUTHOR_ROLES) == [
        Byline(name, group.role, group.outlet) for group in found for name in group.names
    ]


@given(found=pages.groups(words.EDITORS, 4), sign=st.sampled_from(["：", ":", ": ", "/"]))
def test_bar_gives_its_editors(found: list[pages.Group], sign: str) -> None:
    text = "　".join(f"{group.role}{sign}{' '.join(group.names)}" for group in found)
    assert people(text, EDITOR_ROLES) == [
        Byline(name, group.role) for group in found for name in group.names
    ]


@given(found=words.tags(), divider=st.sampled_from([";", "；", ",", "，", "、", "|", " ; "]))
def test_bar_gives_its_tags(found: list[str], divider: str) -> None:
    # One tag with a space and no separator cannot be told from two.
    bar = divider.join(found) + (divider if len(found) == 1 else "")
    assert split_tags([bar]) == found


@given(data=st.data(), moment=pages.moments(), ident=st.integers(1000, 99999999))
def test_every_address_of_an_article_has_one_key(
    data: st.DataObject, moment: datetime, ident: int
) -> None:
    """Scheme, case of the host, fragment, query, `_ext`, page suffix and doubled slashes are not part of the key."""
    trs = f"zjnews.zjol.com.cn/zjnews/zjxw/{moment:%Y%m}/t{moment:%Y%m%d}_{ident}.shtml"
    legacy = f"jx.zjol.com.cn/system/{moment:%Y/%m/%d}/{ident:09d}.shtml"
    key = "http://" + data.draw(st.sampled_from([trs, legacy]))
    suffixes = ["", "_01", "_12"] if "/system/" in key else ["", "_1", "_12", "_ext", "_ext_2"]
    host, _, path = key.removeprefix("http://").partition("/")
    path = path.replace(".shtml", data.draw(st.sampled_from(suffixes)) + ".shtml")
    alias = (
        f"{data.draw(st.sampled_from(['http', 'https', 'HTTP']))}://"
        f"{data.draw(st.sampled_from([host, host.upper(), host + ':80']))}"
        f"{data.draw(st.sampled_from(['/', '//']))}{path}"
        f"{data.draw(st.sampled_from(['', '?from=wx', '?a=1&b=%E4%B8%AD']))}"
        f"{data.draw(st.sampled_from(['', '#p=1', '#comment']))}"
    )
    if alias.lower().startswith("https:"):
        alias = alias.replace(":80/", ":443/")
    assert canonical(alias) == key
    assert (kind(alias), url_day(alias)) == ("article", moment.date())


@given(
    st.builds(
        lambda scheme, host, path, end: f"{scheme}://{host}{path}{end}",
        st.sampled_from(["http", "https"]),
        st.sampled_from(["WWW.zjol.com.cn", "zj.zjol.com.cn", "m.zjol.com.cn:8080", "example.com"]),
        st.lists(
            st.sampled_from(
                [
                    "/",
                    "/a",
                    "/news.html",
                    "/t20170812_1234.shtml",
                    "/201708",
                    "/system/2015/06/30",
                    "/%E4%B8%AD",
                    "/..",
                    "/details.html",
                    "/msite",
                    "/020717765_01.shtml",
                ]
            )
        ).map("".join),
        st.sampled_from(["", "?id=12", "?newsid=020717765&x=1", "#top", "?", "?a#b"]),
    )
)
def test_canonical_url_is_its_own(url: str) -> None:
    assert canonical(canonical(url)) == canonical(url)


@given(
    st.text(
        alphabet=st.one_of(st.characters(), st.sampled_from(" \t\r\n　\u200b\ufeff\xa0中文“，a")),
        max_size=60,
    )
)
def test_clean_text_is_clean(text: str) -> None:
    assert clean(clean(text)) == clean(text)
