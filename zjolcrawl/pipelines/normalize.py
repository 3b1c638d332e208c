"""Item pipeline that converts a RawArticle's strings into an Article's typed values."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any, Self

from scrapy.crawler import Crawler

from zjolcrawl.fields import PAGE, PAPER, expected_of
from zjolcrawl.items import FROM_KEYWORDS, Article, Byline, Outcome, RawArticle
from zjolcrawl.parsing.article_page import PARSER_VERSION
from zjolcrawl.parsing.deadline import LimitExceeded, within
from zjolcrawl.parsing.fields.bylines import merge, people
from zjolcrawl.parsing.fields.dates import (
    china_day,
    china_midnight,
    find_time,
    find_yearless,
    is_plausible,
)
from zjolcrawl.parsing.fields.roles import AUTHOR_ROLES, EDITOR_ROLES, names_editor
from zjolcrawl.parsing.fields.tags import keyword_tags, split_tags
from zjolcrawl.parsing.fields.text import clean
from zjolcrawl.parsing.urls import doc_id, host_of, kind, url_day
from zjolcrawl.site.catalogue import catalogue_names, site_name
from zjolcrawl.site.papers import Paper, paper_of

_TYPES = {each.name: each.type for each in fields(Article)}
_AS_IT_IS = [
    each.name
    for each in fields(RawArticle)
    if each.name not in {"tags", "warnings"} and _TYPES.get(each.name) == each.type
]
"""The fields whose value on the page is the stored value."""
_EXPECTED = {kind: expected_of(kind) for kind in (PAGE, PAPER)}


def normalize(raw: RawArticle) -> Article:
    """The Article for a RawArticle. A pure function, shared by crawl and `reparse`."""
    article = Article(
        **{name: getattr(raw, name) for name in _AS_IT_IS},
        site=host_of(raw.url),
        title=clean(raw.title or ""),
        body="\n".join(raw.body),
        body_html="\n".join(raw.body_html),
        parser_version=PARSER_VERSION,
        doc_id=doc_id(raw.url),
        columns=list(raw.visit.columns),
        authors=merge(_people(raw.bylines, AUTHOR_ROLES)),
        editors=merge(_people(raw.editors + list(filter(names_editor, raw.bylines)), EDITOR_ROLES)),
        tags=split_tags(raw.tags),
        warnings=list(raw.warnings),
    )
    article.site_name = site_name(article.site)
    paper = paper_of(article.site) if kind(raw.url) == "paper" else None
    if paper:
        _of_paper(article, paper)
    if raw.keywords and not article.tags:
        own_names = catalogue_names().union(article.breadcrumb)
        article.tags = keyword_tags(raw.keywords, own_names)
        article.warnings += [FROM_KEYWORDS] * bool(article.tags)
    _publish_time(article, raw)
    from_url = any(warning.startswith("published_at") for warning in article.warnings)
    article.warnings += [
        f"missing: {name}"
        for name in _EXPECTED[PAPER if paper else PAGE]
        if not getattr(article, name) and not (name == "published_at" and from_url)
    ]
    if broken := article.title.count("\ufffd"):
        article.warnings.append(f"title: {broken} undecodable characters")
    article.warnings.sort()
    return article


def _of_paper(article: Article, paper: Paper) -> None:
    """Fill in what follows from the paper that printed the article."""
    article.site_name = article.site_name or paper.name
    article.source = article.source or paper.name
    article.columns = list(dict.fromkeys([*article.columns, paper.id]))


def _people(passages: list[str], roles: str) -> list[Byline]:
    return [person for passage in passages for person in people(passage, roles)]


def _publish_time(article: Article, raw: RawArticle) -> None:
    """Set the publish time from the page, else the list or the URL, with a warning if unsure."""
    if raw.published and (found := find_time(raw.published)):
        article.published_at, article.published_precision = found
    elif raw.published and (found := _in_a_year(raw)):
        article.published_at, article.published_precision = found
        article.warnings.append("published_at: the year is not the page's")
    elif (listed := raw.visit.listed_at) and is_plausible(listed):
        article.published_at, article.published_precision = listed, "day"
        article.warnings.append("published_at: from the list page")
    elif day := url_day(raw.url):
        article.published_at, article.published_precision = china_midnight(day), "day"
        article.warnings.append("published_at: from the URL")


def _in_a_year(raw: RawArticle) -> tuple[datetime, str] | None:
    """The page's own time if it lacks a year; the list or the URL gives the year."""
    listed = raw.visit.listed_at
    near = china_day(listed) if listed else url_day(raw.url)
    return find_yearless(raw.published, near) if raw.published and near else None


class NormalizePipeline:
    """Converts each RawArticle to an Article; other items pass through.

    An item that takes longer than PAGE_SECONDS becomes a rejected Outcome.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler.settings.getfloat("PAGE_SECONDS"))

    def process_item(self, item: Any) -> Any:
        if not isinstance(item, RawArticle):
            return item
        try:
            return within(self._seconds, normalize, item)
        except LimitExceeded as error:
            return Outcome(
                item.link, "rejected", str(error), final_url=item.url,
                template=item.template, seen_at=item.visit.seen_at, warc=item.visit.warc,
            )  # fmt: skip
