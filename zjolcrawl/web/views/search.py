"""`/`: the search form and its results; without a query, the newest articles that match the filters."""

from __future__ import annotations

import calendar
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import groupby
from typing import Any

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from zjolcrawl.display.snippets import Marked, marked, snippets
from zjolcrawl.search import QueryError, Results, Search, search
from zjolcrawl.search.tokens import FIELDS
from zjolcrawl.site.catalogue import sites
from zjolcrawl.site.names import UnknownName
from zjolcrawl.storage.queries.articles import find_article
from zjolcrawl.storage.queries.browsing import column_ids, listed_articles
from zjolcrawl.storage.queries.names import resolved
from zjolcrawl.web.labels import column_name, column_site, listed, unknown_name
from zjolcrawl.web.language import current
from zjolcrawl.web.query_string import (
    Params,
    SearchForm,
    integer,
    key_of,
    read_search,
    without_empty,
)
from zjolcrawl.web.rendering import link, page, part, picture
from zjolcrawl.web.site import Site, site_of
from zjolcrawl.web.texts import _, content

_SIZE = 20
_MOST_PAGES = 50  # beyond them a narrower date range is quicker than paging
_MOST_MONTHS = 60
_HIGH = 40  # height of the highest bar
_LONGEST = 500  # characters shown of a title
_FLAGS = {"edited": "发布后改过", "gone": "已撤下", "images": "有图片"}
_NAMED = {
    "changed_since": "{} 起改过", "gone_since": "{} 起撤下", "column": "栏目 {}",
    "since": "自 {}", "until": "至 {}", "host": "网站 {}", "person": "人物 {}", "tag": "标签 {}",
}  # fmt: skip
# A pasted address: with a scheme, or a host name with letters at its end and a path.
_ADDRESS = re.compile(
    r"(?:https?://\S{1,2000}|(?:[\w-]{1,63}\.){1,20}[a-z]{2,63}(?::\d{1,5})?/\S{0,2000})",
    re.IGNORECASE,
)
_LONGEST_ADDRESS = 2000


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of the histogram: month (2017-08) or year, number of hits, height, and a link to search within it."""

    name: str
    count: int
    height: int
    link: str


@dataclass(frozen=True, slots=True)
class Row:
    """A hit: the article, its title and passages with search terms marked, and the path of a picture."""

    article: dict[str, Any]
    title: Marked
    passages: list[Marked]
    picture: str | None


async def show(request: Request) -> Response:
    """The search page. A form that was sent with empty fields, and the URL of an article, are redirected."""
    site, params = site_of(request), request.query_params
    if (kept := without_empty(params)) is not None:
        return RedirectResponse(link("/", **kept), 302)
    address = _address(params)
    if address and (stored := await _stored(site, address)):
        return RedirectResponse(link("/article", url=stored), 302)
    form, known = read_search(params), await column_ids(site.db)
    if address:
        form = replace(form, faults={"q": _("归档中没有这个网址的文章。")})
        return _page(form, known, 404, rows=[], number=1)
    try:
        number = integer(params, "page", 1, most=_MOST_PAGES)
    except HTTPException as error:
        return _page(
            form, known, 400,
            rows=[], number=1, reason=error.detail, instead=link("/", **form.fields), offer=_("从第一页看起"),
        )  # fmt: skip
    if form.faults:
        return _page(form, known, 400, rows=[], number=1)
    try:
        form = replace(form, selection=await resolved(site.db, form.selection))
    except UnknownName as error:
        return _unknown(form, known, error)
    return await _answer(site, form, known, number)


async def _answer(site: Site, form: SearchForm, known: list[str], number: int) -> Response:
    """One page of hits, with their number by month or year."""
    try:
        results = await _found(site, form, (number - 1) * _SIZE)
    except QueryError:
        reason = _(
            "请至少写一个不是“-排除”的词；最多 20 个词，每个词最多 200 个字，整句放在引号里。"
        )
        return _page(replace(form, faults={"q": reason}), known, 400, rows=[], number=1)
    bars = _bars(site, form) if form.q and results.total else []
    rows = [_row(each, results.terms, images=site.images.readable) for each in results.articles]
    more = results.total > number * _SIZE
    older = more and number < _MOST_PAGES
    return _page(
        form, known,
        results=results, rows=rows, bars=bars, highest=max(bars, key=lambda bar: bar.count, default=None),
        number=number, first=(number - 1) * _SIZE + 1, cut=more and number == _MOST_PAGES,
        newer=link("/", **form.fields, page=number - 1) if number > 1 else None,
        older=link("/", **form.fields, page=number + 1) if older else None,
    )  # fmt: skip


def _address(params: Params) -> str | None:
    """The URL that was pasted as the query, or None."""
    given = params.get("q", "").strip()
    if len(given) > _LONGEST_ADDRESS or not _ADDRESS.fullmatch(given):
        return None
    return given if "://" in given else f"http://{given}"


async def _stored(site: Site, address: str) -> str | None:
    """The canonical URL of the article at any of its URLs, or None."""
    key = key_of(address)
    found = await find_article(site.db, key) if key else None
    return found["_id"] if found else None


def _page(form: SearchForm, known: list[str], status: int = 200, **shown: Any) -> Response:
    """The page with the form filled in; `known` are the columns to choose from."""
    chosen = form.fields.get("column")
    if len(form.selection.columns) == 1:
        (chosen,) = form.selection.columns
    return page(
        "search.html", status,
        form=form, columns=_options(tuple(known), chosen, current().tag), hosts=_hosts(),
        flags={name: _(text) for name, text in _FLAGS.items()}, chips=list(_chips(form)), **shown,
    )  # fmt: skip


def _unknown(form: SearchForm, known: list[str], error: UnknownName) -> Response:
    """The page for a filter that names nothing, with a link to the search that was probably meant."""
    given = form.fields[error.kind]
    meant = given.replace(error.name, error.near) if error.name in given else error.near
    instead = link("/", **{**form.fields, error.kind: meant}) if error.near else None
    return _page(
        form, known, 404,
        rows=[], number=1, reason=unknown_name(error), instead=instead, offer=_("就按这个检索"),
    )  # fmt: skip


async def _found(site: Site, form: SearchForm, skip: int) -> Results:
    """The hits of the query, or a list of the selected articles without one. Raises QueryError."""
    if not form.q:
        found = await listed_articles(site.db, form.selection, limit=_SIZE + 1, skip=skip)
        return Results(found[:_SIZE], skip + len(found))
    await site.indexed()
    return await search(
        site.db, site.index, form.q, form.selection, limit=_SIZE, skip=skip, fields=FIELDS
    )


def _bars(site: Site, form: SearchForm) -> list[Bar]:
    """Hits by month from the first hit to the last, or by year for 60 months and more."""
    found = Search(site.index, form.q, form.selection)
    counts = found.histogram("month")
    if not counts:
        return []
    first, last = (int(key[:4]) * 12 + int(key[5:]) - 1 for key in (min(counts), max(counts)))
    if last - first < _MOST_MONTHS:
        spans = [f"{n // 12}-{n % 12 + 1:02}" for n in range(first, last + 1)]
    else:
        counts = found.histogram("year")
        spans = [str(year) for year in range(first // 12, last // 12 + 1)]
    most = max(counts.values())
    rest = {name: each for name, each in form.fields.items() if name not in {"since", "until"}}
    return [
        Bar(
            name, counts.get(name, 0), math.ceil(_HIGH * counts.get(name, 0) / most),
            link("/", **rest, since=_day(name, first=True), until=_day(name, first=False)),
        )
        for name in spans
    ]  # fmt: skip


def _day(span: str, *, first: bool) -> str:
    """The first or last day of a month (2017-08) or a year (2017)."""
    year, month = int(span[:4]), int(span[5:] or (1 if first else 12))
    return f"{year}-{month:02}-{1 if first else calendar.monthrange(year, month)[1]:02}"


def _row(article: dict[str, Any], terms: list[str], *, images: bool) -> Row:
    entries = article.get("images", [])
    sources = (found for each in entries if (found := picture(each, readable=images)))
    passages = snippets(article, terms) if terms else [[(_lead(article.get("body", "")), False)]]
    return Row(
        article, marked((article["title"] or "")[:_LONGEST], terms), passages, next(sources, None)
    )


def _lead(body: str) -> str:
    text = "".join(body.split("\n"))
    return text if len(text) < 100 else f"{text[:100]}…"


# Cached: it is the longest part of the form and the same on nearly every page.
@lru_cache(maxsize=64)
def _options(columns: tuple[str, ...], chosen: str | None, language: str) -> Markup:
    """The options of the column select, grouped by host; they depend on the language."""
    named = sorted((column_site(each), each) for each in columns)
    groups = [
        (host, [(key, column_name(key)) for group, key in rows])
        for host, rows in groupby(named, key=lambda pair: pair[0])
    ]
    return part("options.html", columns=groups, chosen=chosen, stray=chosen not in {None, *columns})


@cache
def _hosts() -> Markup:
    """The options of the host field."""
    return part("hosts.html", hosts=sites())


def _chips(form: SearchForm) -> Iterator[tuple[str, str]]:
    """The active filters, each with a link to the same search without it."""
    for name, value in form.filters.items():
        if name in form.faults:
            continue
        columns = [column_name(each) for each in form.selection.columns]
        shown = content(listed(columns) if name == "column" else value)
        label = _(_FLAGS[name]) if name in _FLAGS else _(_NAMED[name], shown)
        rest = {key: each for key, each in form.fields.items() if key != name}
        yield label, link("/", **rest)
