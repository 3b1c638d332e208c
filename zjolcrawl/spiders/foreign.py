"""Captures that others made: the context that a crawl would have stored with them, and where they lead."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request

from zjolcrawl.archive.captures import Capture
from zjolcrawl.archive.index import ArchiveIndex
from zjolcrawl.items import READ_KINDS
from zjolcrawl.parsing.urls import canonical, is_paper_page, kind, page_number
from zjolcrawl.request_meta import CAPTURE, CONTEXT
from zjolcrawl.site.catalogue import load_catalogue
from zjolcrawl.site.papers import paper_of
from zjolcrawl.spiders.context import column_context

_MOST_HOPS = 5  # redirects and JavaScript redirects in a row
_LIST_NAME = re.compile(r"(?:index(?:_([0-9]{1,4}))?\.s?html?)?")
_IMAGE_NAME = re.compile(r"\.(?:jpe?g|png|gif|webp|bmp)$", re.IGNORECASE)


class ContextFinder:
    """Finds the context of a capture by its URL: article, further page, list of a column or paper, image.

    Which column listed an article is known from the captures of lists only.
    """

    def __init__(self) -> None:
        """Raises SiteError if the catalogue is invalid."""
        self._columns = {column.url: column for column in load_catalogue().values()}

    def context(self, url: str, mime: str | None) -> dict[str, Any]:
        """The context without `provenance`; empty for a page that no query asks for, such as a style sheet.

        `url` is http or https and on the site's own or image hosts, `mime` its media type.
        """
        if (mime or "").startswith("image/") or _IMAGE_NAME.search(urlsplit(url).path):
            return {"image": url}
        what = kind(url)
        if what in READ_KINDS:
            number = page_number(url)
            return {"article": canonical(url), **({"part": number} if number else {})}
        return self._of_list(url) if what == "topic" else {}

    def _of_list(self, url: str) -> dict[str, Any]:
        plain = re.sub("^https:", "http:", url)
        folder, _, name = plain.rpartition("/")
        column, found = self._columns.get(f"{folder}/"), _LIST_NAME.fullmatch(name)
        if column and found:
            return column_context(column, int(found[1] or 0), probe=True)
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
    meta = {**request.meta, CAPTURE: found, CONTEXT: {**found.known, "hop": hop}}
    arguments = {**request.cb_kwargs, "trail": trail, "capture": found}
    return request.replace(url=found.url, meta=meta, cb_kwargs=arguments)
