"""IP addresses that host names of the site may resolve to."""

import pytest
from twisted.internet.error import DNSLookupError

from zjolcrawl.network.resolver import public_address


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "0.0.0.0"]
)
@pytest.mark.parametrize("name", ["zjnews.zjol.com.cn", "img.zjolcdn.com"])
def test_private_address_of_the_site_is_refused(address: str, name: str) -> None:
    with pytest.raises(DNSLookupError, match="not public"):
        public_address(address, name)


def test_public_address_passes_and_so_does_a_private_proxy() -> None:
    assert public_address("60.191.1.1", "zjnews.zjol.com.cn") == "60.191.1.1"
    assert public_address("10.0.0.7", "proxy.example.org") == "10.0.0.7"
