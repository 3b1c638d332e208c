"""DNS resolver that refuses private addresses for the site's host names."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from scrapy.resolver import CachingThreadedResolver
from twisted.internet.defer import Deferred
from twisted.internet.error import DNSLookupError

from zjolcrawl.parsing.urls import is_image_host


class PublicResolver(CachingThreadedResolver):
    """Scrapy's resolver, except that a site host never resolves to a loopback, private or reserved address.

    Other names are not checked: a proxy may be on a private address, and OwnHostsMiddleware blocks requests
    to any other host.
    """

    def getHostByName(self, name: str, timeout: Sequence[int] = ()) -> Deferred[str]:
        """The IPv4 address of a name; the Deferred fails with DNSLookupError if it is refused."""
        return super().getHostByName(name, timeout).addCallback(public_address, name)


def public_address(address: str, name: str) -> str:
    """The address, if it is allowed for this name. Raises DNSLookupError otherwise."""
    if is_image_host(f"http://{name}/") and not ip_address(address).is_global:
        raise DNSLookupError(f"{name} resolves to {address}, which is not public")
    return address
