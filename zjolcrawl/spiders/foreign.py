"""Captures that others made: the context that a crawl would have stored with them, and where they lead."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request

from zjolcrawl.archive.captures import Capture
from zjolcrawl.archive.index import ArchiveIndex
from zjolcrawl.items import READ_KINDS
from zjolcrawl.parsing.navigation import column_url
from zjolcrawl.parsing.urls import canonical, is_paper_page, kind, page_number
from zjolcrawl.request_meta import CAPTURE, CONTEXT
from zjolcrawl.site.catalogue import load_catalogue
from zjolcrawl.site.current import for_site
from zjolcrawl.site.papers import paper_of
from zjolcrawl.spiders.context import column_context

_MOST_HOPS = 5  # redirects and JavaScript redirects in a row
_LIST_PAGE = re.compile(r"/index_(\d{1,5})\.s?html?\Z", re.ASCII)
_IMAGE_NAME = re.compile(r"\.(?:jpe?g|png|gif|webp|bmp)$", re.IGNORECASE)


_columns_by_url = for_site(lambda _: {each.url: each for each in load_catalogue().values()})


def context_of(url: str, mime: str | None = None) -> dict[str, Any]:
    """The context of a capture that others made, by its URL, without `provenance`.

    It is that of an article, of a further page of one, of a list of a column or paper, or of an image; empty for
    a page that no query asks for, such as a style sheet. No list named the link, so it has no columns; those
    come from the lists. `url` is on the site's own or image hosts, `mime` its media type. Raises SiteError if
    the catalogue is invalid.
    """
    if (mime or "").startswith("image/") or _IMAGE_NAME.search(urlsplit(url).path):
        return {"image": url}
    if kind(url) in READ_KINDS:
        part = {"part": number} if (number := page_number(url)) else {}
        return {"article": canonical(url), **part}
    page = _LIST_PAGE.search(url)
    front = column_url(url[: page.start() + 1] if page else url)
    if column := _columns_by_url().get(front or ""):
        return column_context(column, int(page[1]) if page else 0, probe=True)
    paper = paper_of(urlsplit(url).hostname or "") if is_paper_page(url) else None
    if paper:
        below = url[: url.rindex("/") + 1]
        return {**column_context(paper.column, 0, probe=True), "below": below}
    return {}


def followed(
    request: Request, target: str, trail: tuple[str, ...], index: ArchiveIndex
) -> Request | None:
    """The request for the capture that a redirect led to, if others made both; None if there is none.

    `request` is for the capture of the redirect, `trail` has the URLs of the stubs so far.
    """
    capture: Capture = request.cb_kwargs["capture"]
    hop = request.meta[CONTEXT].get("hop", 0) + 1
    if not capture.is_foreign or hop > _MOST_HOPS:
        return None
    found = index.nearest(target, capture.date, run=capture.run, redirects=True)
    if found is None or canonical(found.url) == canonical(capture.url):
        return None
    meta = {**request.meta, CAPTURE: found, CONTEXT: {**found.context, "hop": hop}}
    arguments = {**request.cb_kwargs, "trail": trail, "capture": found}
    return request.replace(url=found.url, meta=meta, cb_kwargs=arguments)
