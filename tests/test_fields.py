"""The table of fields."""

from __future__ import annotations

from dataclasses import fields

from zjolcrawl.fields import FIELDS, PAGE, PAPER, expected_of
from zjolcrawl.items import Article, Image


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
