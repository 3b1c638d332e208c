"""`/article?url=…&revision=N`: an article to be read, and where it came from."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from zjolcrawl.storage.browsing import stored_of
from zjolcrawl.storage.documents import records_of
from zjolcrawl.web.body import links_in, reading
from zjolcrawl.web.rendering import page
from zjolcrawl.web.site import asked_version, newest_of, site_of


async def show(request: Request) -> Response:
    """The page."""
    site = site_of(request)
    newest = await newest_of(request)
    article = await asked_version(request, newest)
    own = await stored_of(site.db, links_in(article.get("body_html", "")))
    body = reading(article, own, images=site.images.readable)
    rest = [each for each in article.get("images", []) if each["position"] not in body.shown]
    return page(
        "article.html",
        article=article, newest=newest, url=newest["_id"], body=body.html, rest=rest,
        images=site.images.readable, records=records_of(article),
    )  # fmt: skip
