"""DNS for the site's names: an answer that points into a private network is refused."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from scrapy.resolver import CachingThreadedResolver
from twisted.internet.defer import Deferred
from twisted.internet.error import DNSLookupError

from zjolcrawl.parsing.urls import is_image_host


class PublicResolver(CachingThreadedResolver):
    """Scrapy's own, but a name of the site never leads to a loopback, private or reserved address.

    Other names pass: a proxy's may well be private, and OwnHostsMiddleware lets no other through.
    """

    def getHostByName(self, name: str, timeout: Sequence[int] = ()) -> Deferred[str]:
        """An IPv4 address; the Deferred fails with DNSLookupError."""
        return super().getHostByName(name, timeout).addCallback(public_address, name)


def public_address(address: str, name: str) -> str:
    """The address, if a name of the site may have it. Raises DNSLookupError."""
    if is_image_host(f"http://{name}/") and not ip_address(address).is_global:
        raise DNSLookupError(f"{name} resolves to {address}, which is not public")
    return address
