"""`/columns`: the columns that have articles, with article count and newest day."""

from __future__ import annotations

from itertools import groupby

from starlette.requests import Request
from starlette.responses import Response

from zjolcrawl.storage.queries.browsing import column_counts
from zjolcrawl.web.labels import column_site
from zjolcrawl.web.rendering import page
from zjolcrawl.web.site import site_of


async def show(request: Request) -> Response:
    """The list of columns, grouped by host."""
    counts = await column_counts(site_of(request).db)
    counts.sort(key=lambda each: (column_site(each.id), -each.articles, each.id))
    groups = [(host, list(rows)) for host, rows in groupby(counts, key=lambda c: column_site(c.id))]
    return page("columns.html", groups=groups)
