"""The last step before the wire: a request is made when its host may be asked."""

from __future__ import annotations

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.http import Response

from zjolcrawl.extensions.run_ledger import RunLedger


class LeasedHandler(HTTP11DownloadHandler):
    """Scrapy's own http handler, for a run that has leases of hosts.

    Not a middleware: between those and the wire a request may wait long for its host's delay, and the lease
    must be held when it goes out.
    """

    async def download_request(self, request: Request) -> Response:
        """The answer. Raises LeaseLost, and what Scrapy's handler does."""
        leases = RunLedger.of(self._crawler).leases
        if leases is None:  # `scrapy fetch`
            return await super().download_request(request)
        async with leases.asking(request):
            return await super().download_request(request)
