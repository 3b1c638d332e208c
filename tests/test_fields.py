"""The table of fields."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from zjolcrawl.fields import FIELDS, PAGE, PAPER, expected_of
from zjolcrawl.items import Article, Byline, Image, RawArticle
from zjolcrawl.library import ArchivedArticle
from zjolcrawl.parsing.multipage import join
from zjolcrawl.search.tokens import full_text


def test_every_row_is_named_once_and_explained() -> None:
    names = [field.name for field in FIELDS]
    assert len(set(names)) == len(names)
    assert all(field.meaning for field in FIELDS)
    # A comparison of versions shows the Chinese term.
    assert all(field.term for field in FIELDS if field.editorial)


def test_every_value_that_a_page_gives_has_a_row() -> None:
    """`url` is stored as `_id`, `template` and `parser_version` as `parser`; the others come from the crawl."""
    of_crawl = {"url", "template", "parser_version", "visit"}
    names = {field.name for field in FIELDS}
    assert {each.name for each in fields(Article)} - of_crawl <= names
    (images,) = (field for field in FIELDS if field.name == "images")
    assert {each.name for each in fields(Image)} == {part.name for part in images.parts}


def test_a_paper_has_no_tags_and_a_page_no_page_number() -> None:
    assert {"tags", "editors", "breadcrumb"} == {*expected_of(PAGE)} - {*expected_of(PAPER)}
    assert {"page_number", "page_name"} == {*expected_of(PAPER)} - {*expected_of(PAGE)}


def test_the_library_has_every_field() -> None:
    """`_id` is `url` there, and `parser` is `template` and `parser_version`."""
    renamed = {"_id": "url", "parser": "template"}
    names = {renamed.get(field.name, field.name) for field in FIELDS} | {"parser_version"}
    assert names == {each.name for each in fields(ArchivedArticle)}


def test_full_text_finds_every_searched_field() -> None:
    for field in FIELDS:
        if field.searched:
            entry: Any = {"name": "环保", "caption": "环保"} if field.parts else "环保"
            assert "环保" in full_text({field.name: [entry] if field.many else entry}), field.name


def test_no_field_of_a_further_page_is_lost() -> None:
    """Each page of an article may be the only one that has a value."""
    url = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml"
    pages = [url, url.replace(".shtml", "_1.shtml")]
    of_first = {"url", "template", "encoding", "pages", "visit", "page_number", "page_name", "pdf"}
    for each in fields(RawArticle):
        if each.name in of_first:
            continue
        bare = RawArticle(url=url, template="T1")
        empty = getattr(bare, each.name)
        values: Any = {
            "images": Image("u", "r", 1),
            "bylines": "记者 王敏",
            "editors": Byline("王敏", "编辑"),
        }
        value = values.get(each.name, "环保")
        whole = [value] if isinstance(empty, list) else value
        second = replace(bare, **{each.name: whole})
        joined = join(pages, dict(zip(pages, (bare, second), strict=True)))
        assert getattr(joined, each.name) == whole, each.name
