"""Captures that others made: the context that a crawl would have stored with them, and where they lead."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request

from zjolcrawl.archive.captures import Capture
from zjolcrawl.archive.decoding import BrokenAnswer, unpacked
from zjolcrawl.archive.foreign_exchange import Response
from zjolcrawl.archive.index import ArchiveIndex
from zjolcrawl.items import READ_KINDS
from zjolcrawl.parsing.navigation import column_url
from zjolcrawl.parsing.page import read_page
from zjolcrawl.parsing.redirects import stub_target
from zjolcrawl.parsing.urls import absolute, canonical, is_paper_page, kind, page_number
from zjolcrawl.request_meta import CAPTURE, CONTEXT
from zjolcrawl.site.catalogue import load_catalogue
from zjolcrawl.site.current import for_site
from zjolcrawl.site.papers import paper_of
from zjolcrawl.spiders.context import column_context

_MOST_HOPS = 5  # redirects and JavaScript redirects in a row
_LARGEST_STUB = 8192  # bytes of a page that only redirects the browser
_LIST_PAGE = re.compile(r"/index_(\d{1,5})\.s?html?\Z", re.ASCII)
_IMAGE_NAME = re.compile(r"\.(?:jpe?g|png|gif|webp|bmp)$", re.IGNORECASE)


_columns_by_url = for_site(lambda _: {each.url: each for each in load_catalogue().values()})


def context_of(url: str, response: Response | None = None) -> dict[str, Any]:
    """The context of a capture that others made, by its URL, without `provenance`.

    It is that of an article, of a further page of one, of a list of a column or paper, or of an image; empty for
    a page that no query asks for, such as a style sheet. No list named the link, so it has no columns; those
    come from the lists. `leads_to` is the article that a redirect leads to. `url` is on the site's own or image
    hosts. Raises SiteError if the catalogue is invalid.
    """
    mime = response.mime if response else None
    if (mime or "").startswith("image/") or _IMAGE_NAME.search(urlsplit(url).path):
        return {"image": url}
    if kind(url) in READ_KINDS:
        context: dict[str, Any] = {"article": canonical(url)}
        if number := page_number(url):
            context["part"] = number
        elif response and (target := _target_of(url, response)):
            context["leads_to"] = target
        return context
    page = _LIST_PAGE.search(url)
    front = column_url(url[: page.start() + 1] if page else url)
    if column := _columns_by_url().get(front or ""):
        return column_context(column, int(page[1]) if page else 0, probe=True)
    paper = paper_of(urlsplit(url).hostname or "") if is_paper_page(url) else None
    if paper:
        below = url[: url.rindex("/") + 1]
        return {**column_context(paper.column, 0, probe=True), "below": below}
    return {}


def _target_of(url: str, response: Response) -> str | None:
    """The canonical URL that a redirect, or a page that only redirects the browser, leads to."""
    target: str | None = None
    if 300 <= response.status < 400:
        target = absolute(url, response.header(b"location") or "")
    elif response.status == 200 and 0 < len(response.body) <= _LARGEST_STUB:
        codings = (response.header(b"content-encoding") or "").split(",")
        with suppress(BrokenAnswer):
            target = stub_target(read_page(unpacked(response.body, codings, _LARGEST_STUB), url))
    return canonical(target) if target and canonical(target) != canonical(url) else None


def followed(
    request: Request, target: str, trail: tuple[str, ...], index: ArchiveIndex
) -> Request | None:
    """The request for the capture nearest to a redirect that others captured; None if there is none.

    `request` is for the capture of the redirect, `trail` has the URLs of the stubs so far.
    """
    capture: Capture = request.cb_kwargs["capture"]
    hop = request.meta[CONTEXT].get("hop", 0) + 1
    if not capture.is_foreign or hop > _MOST_HOPS:
        return None
    found = index.nearest(target, capture.date, redirects=True)
    if found is None or canonical(found.url) == canonical(capture.url):
        return None
    meta = {**request.meta, CAPTURE: found, CONTEXT: {**found.context, "hop": hop}}
    arguments = {**request.cb_kwargs, "trail": trail, "capture": found}
    return request.replace(url=found.url, meta=meta, cb_kwargs=arguments)


def is_outranked(capture: Capture, index: ArchiveIndex) -> bool:
    """Whether another page that was captured of the URL at the same moment counts instead of this capture of others."""
    if capture.status != 200 or not capture.is_foreign:
        return False
    return index.rivals(capture)[0].digest != capture.digest


def next_best(capture: Capture, index: ArchiveIndex) -> Capture | None:
    """What counts if a capture of others has no article: another one of the URL at the same moment, or None."""
    if capture.status != 200 or not capture.is_foreign:
        return None
    rivals = {each.digest: each for each in index.rivals(capture) if each.is_foreign}
    digests = list(rivals)
    return next((rivals[each] for each in digests[digests.index(capture.digest) + 1 :]), None)
