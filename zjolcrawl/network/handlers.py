"""The http download handler: waits for the host's lease or rate limit before it sends a request."""

from __future__ import annotations

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.http import Response

from zjolcrawl.run.run import find_run


class LeasedHandler(HTTP11DownloadHandler):
    """Scrapy's http handler with the host leases of a run: each request waits until it may be sent.

    A host without a lease needs a turn under the shared rate limit. Not a middleware: after the middlewares
    a request may wait long for the download delay, and the lease must be held when it is sent.
    """

    async def download_request(self, request: Request) -> Response:
        """The response. Raises LeaseLost, and what Scrapy's handler raises."""
        run = find_run(self._crawler)
        leases = run.leases if run else None
        if leases is None:  # re-parsing, or no run, as in `scrapy fetch`
            return await super().download_request(request)
        async with leases.permission(request):
            return await leases.response_to(super().download_request(request))
