"""Downloader middleware that refuses every request outside the site, redirects included."""

from __future__ import annotations

from scrapy import Request
from scrapy.exceptions import IgnoreRequest

from zjolcrawl.parsing.urls import is_image_host, is_own_host
from zjolcrawl.request_meta import CONTEXT, FROM_ARCHIVE


class OffSite(IgnoreRequest):
    """A request that would leave the site; the message names its target."""


class OwnHostsMiddleware:
    """Refuses requests that leave the site, also those that a redirect made.

    Hosts are checked by name and port. An IP address (127.0.0.1, 10.0.0.1) never matches, nor does
    another service on a host of the site. `zjolcrawl.network.resolver` checks the addresses that a name
    resolves to. The site's image hosts are allowed only for images and robots.txt. A request to an archive of
    others passes: its host is the one that the user named.
    """

    def process_request(self, request: Request) -> None:
        """Raises OffSite for a request that leaves the site."""
        if not may_fetch(request):
            raise OffSite(f"leads off the site: {request.url}")


def may_fetch(request: Request) -> bool:
    """Whether the request stays on the site, or goes to an archive that the user named."""
    if request.meta.get(FROM_ARCHIVE):
        return True
    image = "image" in request.meta.get(CONTEXT, {}) or request.url.endswith("/robots.txt")
    return is_image_host(request.url) if image else is_own_host(request.url)
