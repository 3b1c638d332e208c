"""Nothing is fetched that is not the site's own, wherever a redirect points."""

from __future__ import annotations

from scrapy import Request
from scrapy.exceptions import IgnoreRequest

from zjolcrawl.parsing.urls import is_image_host, is_own_host


class OffSite(IgnoreRequest):
    """A request that would leave the site; the message says where to."""


class OwnHostsMiddleware:
    """Refuses a request, also one a redirect made, that leaves the site.

    Hosts are judged by name and port, so an address (127.0.0.1, 10.0.0.1) is never one of them, nor
    is another service on a host of the site; what a name
    may resolve to is `zjolcrawl.resolver`'s matter. The site's image hosts are its own for images and
    their robots.txt alone.
    """

    def process_request(self, request: Request) -> None:
        """Raises OffSite."""
        if not may_fetch(request):
            raise OffSite(f"leads off the site: {request.url}")


def may_fetch(request: Request) -> bool:
    """Whether the request stays on the site."""
    image = "image" in request.meta.get("context", {}) or request.url.endswith("/robots.txt")
    return is_image_host(request.url) if image else is_own_host(request.url)
