"""`/changes?kind=edited|gone&page=N`: the recent edits, takedowns and returns, the last one first."""

from __future__ import annotations

from itertools import groupby

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from zjolcrawl.storage.queries.changes import recent_changes
from zjolcrawl.web.labels import day
from zjolcrawl.web.query_string import integer, text
from zjolcrawl.web.rendering import link, page
from zjolcrawl.web.site import site_of
from zjolcrawl.web.texts import _
from zjolcrawl.web.views.history import page_of

_SIZE = 30
_MOST_PAGES = 20  # beyond them a search by the date of the change is quicker than paging
_TABS = {"": "全部", "edited": "改动", "gone": "撤下和恢复"}


async def show(request: Request) -> Response:
    """The page of recent changes. Raises HTTPException 400."""
    kind = text(request.query_params, "kind")
    if kind not in _TABS:
        raise HTTPException(400, _("变动的种类只有 edited 和 gone。"))
    number = integer(request.query_params, "page", 1, most=_MOST_PAGES)
    found = await recent_changes(
        site_of(request).db, _SIZE + 1, (number - 1) * _SIZE,
        edits=kind != "gone", takedowns=kind != "edited",
    )  # fmt: skip
    more = len(found) > _SIZE
    older = more and number < _MOST_PAGES
    return page(
        "changes.html",
        days=[(name, list(each)) for name, each in groupby(found[:_SIZE], key=lambda c: day(c.at))],
        tabs=[(_(name), link("/changes", kind=key), key == kind) for key, name in _TABS.items()],
        page_of=page_of, number=number, cut=more and not older,
        newer=link("/changes", kind=kind, page=number - 1) if number > 1 else None,
        older=link("/changes", kind=kind, page=number + 1) if older else None,
    )  # fmt: skip
