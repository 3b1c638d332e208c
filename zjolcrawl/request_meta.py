"""What spiders, middlewares and pipelines share of a request: keys of `meta` and `cb_kwargs`, conditional headers.

cb_kwargs    link (Link) and trail (URLs of stubs) of an article, parts (Parts) and url of a further
page; column (Column), number and probe of a list page, walk (Walk), issue and paper;
capture (Capture) of what is re-parsed. Errbacks and CallbackErrors read them.
"""

from __future__ import annotations

from scrapy import Request
from scrapy.http import Response

CONTEXT = "context"
"""What the archive stores beside a response: what `reparse` needs and the bytes do not say (dict)."""
SEEN_AT = "seen_at"
"""When the response arrived, or the capture was taken (UTC datetime). Set by the downloader middlewares."""
WARC = "warc"
"""Where the payload is in the archive: {file, offset, length, record_id}. Set with SEEN_AT."""
CAPTURE = "capture"
"""The capture that answers the request instead of the network."""
PART_OF = "part_of"
"""When re-parsing: the capture of an article's first page, for a request of a further page."""
AS_OF = "as_of"
"""When re-parsing: the time of the visit whose picture is wanted."""
HOST = "leased"
"""The host whose lease a request needs, that of the list or article it began with."""
FROM_ARCHIVE = "from_archive"
"""Marks a request to an archive of others, by `crawl backfill`: neither the site's rules nor our archive concern it."""
FED = "fed"
"""Marks a request for a link from the feed."""
CONDITIONS = {"etag": "If-None-Match", "last_modified": "If-Modified-Since"}
"""Validator name in a row to the request header that makes a request conditional."""


def after(response: Response, request: Request) -> Request:
    """A request that follows from a page: it needs the same host lease as the page."""
    if host := response.meta.get(HOST):
        request.meta.setdefault(HOST, host)
    return request
