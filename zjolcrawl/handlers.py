"""The http download handler: sends a request only while this run holds the lease of its host."""

from __future__ import annotations

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.http import Response

from zjolcrawl.extensions.run_ledger import RunLedger


class LeasedHandler(HTTP11DownloadHandler):
    """Scrapy's http handler with a check of the host's lease before each request.

    Not a middleware: after the middlewares a request may wait long for the host's download delay, and the
    lease must be held when it is sent.
    """

    async def download_request(self, request: Request) -> Response:
        """The response. Raises LeaseLost, and what Scrapy's handler raises."""
        leases = RunLedger.of(self._crawler).leases
        if leases is None:  # no run, as in `scrapy fetch`
            return await super().download_request(request)
        async with leases.asking(request):
            return await super().download_request(request)
