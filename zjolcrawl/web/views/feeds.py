"""`/feeds` and below: the list of feeds, and each as Atom and JSON Feed, with the fields of the search form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from zjolcrawl.feeds import atom, json_feed
from zjolcrawl.feeds.entries import entries
from zjolcrawl.feeds.feed import ARTICLES, NAMES, OF_VALUES, Feed, Page, read_page
from zjolcrawl.messages import nearest
from zjolcrawl.search import QueryError
from zjolcrawl.site.names import UnknownName
from zjolcrawl.storage.queries.browsing import column_ids
from zjolcrawl.storage.queries.names import resolved
from zjolcrawl.web.conditional import answer
from zjolcrawl.web.labels import unknown_name
from zjolcrawl.web.query_string import FIELDS, Params, integer, parse_search, text
from zjolcrawl.web.rendering import in_thread, page
from zjolcrawl.web.site import base_url, site_of
from zjolcrawl.web.texts import _

FORMS: dict[str, Any] = {"atom": atom, "json": json_feed}
_MOST_PAGES = 50
_DAYS = ("changed_since", "gone_since")
_KNOWN = {*FIELDS, "page", "lang"}
_NONE = "没有这个订阅源；/feeds 列出了全部。"


async def index(request: Request) -> Response:
    """The page that lists the feeds."""
    return page("feeds.html", names=NAMES, columns=await column_ids(site_of(request).db))


async def show(request: Request) -> Response:
    """A page of a feed. Raises HTTPException 400, 404."""
    path, dot, form = request.path_params["path"].rpartition(".")
    if not dot or form not in FORMS:
        raise HTTPException(404, _(_NONE))
    _check_fields(request.query_params)
    site = site_of(request)
    feed = _feed(path, request.query_params)
    number = integer(request.query_params, "page", 1, most=_MOST_PAGES)
    try:
        feed = replace(feed, selection=await resolved(site.db, feed.selection))
        if feed.q:
            await site.indexed()
        found = await read_page(site.db, site.index if feed.q else None, feed, number)
    except UnknownName as error:
        raise HTTPException(404, unknown_name(error)) from None
    except QueryError:
        raise HTTPException(
            400,
            _("请至少写一个不是“-排除”的词；最多 20 个词，每个词最多 200 个字，整句放在引号里。"),
        ) from None
    base, links = base_url(request), _links(request, feed, found)
    content = await in_thread(lambda: FORMS[form].render(feed, entries(found, base), links))
    return answer(request, content, f"{FORMS[form].MEDIA_TYPE}; charset=utf-8", found.written_at)


def _check_fields(params: Params) -> None:
    """Raises HTTPException 400 for an unknown field: without it, the feed would have other articles."""
    for name in params.keys() - _KNOWN:
        shown = text({"name": name}, "name")
        near = nearest(shown.lower(), FIELDS, 0.6)
        hint = _("是不是 {}？", near) if near else _("可用的有 {}。", "、".join(FIELDS))
        raise HTTPException(400, _("没有字段 {}。", shown) + hint)


def _feed(path: str, params: Params) -> Feed:
    """The feed at a path below /feeds/, without its ending. Raises HTTPException 400, 404."""
    name, slash, value = path.partition("/")
    given = dict(params)
    if name in OF_VALUES and slash and value:
        given[name], name = value, ARTICLES
    elif value or name not in NAMES:
        raise HTTPException(404, _(_NONE))
    form = parse_search(given)
    chosen = form.selection
    lists = {
        "column": chosen.columns, "host": chosen.sites, "person": chosen.people, "tag": chosen.tags,
    }  # fmt: skip
    if any(given.get(key) and not found for key, found in lists.items()):
        raise HTTPException(404, _(_NONE))  # only commas or spaces: not a feed of everything
    # As given, so that `7d` stays seven days ago.
    fields = form.fields | {key: text(given, key) for key in _DAYS if key in form.fields}
    return Feed(name, form.selection, form.q, fields)


def _links(request: Request, feed: Feed, found: Page) -> dict[str, str]:
    """The URLs of the page and its neighbours, and of the search page with the same fields."""
    here = f"{base_url(request)}feeds/{quote(request.path_params['path'])}"
    given = {name: word for name in FIELDS if (word := text(request.query_params, name))}

    def at(number: int) -> str:
        return _url(here, given | ({"page": str(number)} if number > 1 else {}))

    links = {
        "self": at(found.number),
        "alternate": base_url(request) + _web_page(feed),
        "first": at(1),
    }
    if found.number > 1:
        links["previous"] = at(found.number - 1)
    if found.more and found.number < _MOST_PAGES:
        links["next"] = at(found.number + 1)
    return links


def _web_page(feed: Feed) -> str:
    """The page for people with the same events: recent changes, or the search page if there are filters."""
    if feed.name == ARTICLES or feed.fields:
        flag = {feed.name: "1"} if feed.name in {"edited", "gone"} else {}
        return _url("", {**feed.fields, **flag})
    return _url("changes", {"kind": feed.name} if feed.name != "changes" else {})


def _url(path: str, fields: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(fields)}" if fields else path
