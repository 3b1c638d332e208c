"""`/article?url=…&revision=N` or `&at=20170812034512`: one version of an article, with its provenance."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from zjolcrawl.storage.documents import records_of
from zjolcrawl.storage.queries.browsing import stored_of
from zjolcrawl.web.body import links_in, reading
from zjolcrawl.web.labels import doubt
from zjolcrawl.web.rendering import in_thread, page
from zjolcrawl.web.site import newest_of, requested_version, site_of
from zjolcrawl.web.views.cite import box

_MOST_IMAGES, _MOST_RECORDS, _MOST_DOUBTS = 500, 100, 50


async def show(request: Request) -> Response:
    """The page of an article. Raises HTTPException 400, 404."""
    site = site_of(request)
    newest = await newest_of(request)
    article = await requested_version(request, newest)
    links = await in_thread(links_in, article.get("body_html", ""))
    own = await stored_of(site.db, links)
    cite = box(request, article)
    return await in_thread(_page, article, newest, own, cite, images=site.images.readable)


def _page(
    article: dict[str, Any],
    newest: dict[str, Any],
    own: set[str],
    cite: dict[str, Any],
    *,
    images: bool,
) -> Response:
    body = reading(article, own, images=images)
    rest = [each for each in article.get("images", []) if each["position"] not in body.shown]
    warnings = article.get("warnings") or []
    return page(
        "article.html",
        article=article, newest=newest, url=newest["_id"], body=body.html,
        rest=rest[:_MOST_IMAGES], more=len(rest[_MOST_IMAGES:]),
        doubts=[doubt(str(each)[:500]) for each in warnings[:_MOST_DOUBTS]],
        more_doubts=len(warnings[_MOST_DOUBTS:]), images=images, cite=cite, records=records_of(article)[:_MOST_RECORDS],
    )  # fmt: skip
