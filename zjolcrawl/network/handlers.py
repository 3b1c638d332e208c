"""The download handlers: wait for the host's lease or rate limit, and accept certificates that cannot be verified."""

from __future__ import annotations

import logging
from typing import Any

from OpenSSL import SSL
from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadFailedError
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached
from service_identity import CertificateError, VerificationError
from service_identity.hazmat import DNS_ID, verify_service_identity
from service_identity.pyopenssl import extract_patterns
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.web.client import BrowserLikePolicyForHTTPS, ResponseFailed
from zope.interface import implementer  # type: ignore[import-untyped]

from zjolcrawl.run.run import find_run

_PEER = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT


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


@implementer(IOpenSSLClientConnectionCreator)
class _Verified:
    """Connections that require a valid certificate: trusted issuer, not expired, for this host.

    Twisted's own check (26.10) accepts a certificate without any name, with a traceback on stderr.
    """

    def __init__(self, creator: Any, host: str) -> None:
        self._creator, self._host = creator, host

    def clientConnectionForTLS(self, protocol: Any) -> SSL.Connection:  # Twisted's name
        """A connection whose handshake fails if the certificate is not valid."""
        connection: SSL.Connection = self._creator.clientConnectionForTLS(protocol)
        connection.set_verify(_PEER, self._is_good)
        return connection

    def _is_good(self, _: SSL.Connection, held: Any, error: int, depth: int, good: int) -> bool:
        if depth or not good:
            return bool(good)
        try:
            verify_service_identity(extract_patterns(held), [DNS_ID(self._host)], [])
        except (CertificateError, VerificationError, ValueError):
            return False
        return True


class _Trust(BrowserLikePolicyForHTTPS):
    """Verifies certificates with the system's CAs, except for hosts in `unverified`."""

    def __init__(self, lenient: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._lenient = lenient
        self._creators: dict[bytes, Any] = {}  # one per host: each one reads the CA file
        self.unverified: set[bytes] = set()

    def creatorForNetloc(self, hostname: bytes, port: int) -> Any:  # Twisted's name
        """The connection factory for a host."""
        if hostname in self.unverified:
            return self._lenient.creatorForNetloc(hostname, port)
        if hostname not in self._creators:
            creator = super().creatorForNetloc(hostname, port)
            self._creators[hostname] = _Verified(creator, hostname.decode("ascii"))
        return self._creators[hostname]


class CertificateHandler(LeasedHandler):
    """Scrapy's https handler, with a fallback for hosts whose certificate cannot be verified.

    Scrapy verifies nothing unless DOWNLOAD_VERIFY_CERTIFICATES is set. This handler verifies first. If
    that fails, it retries without verification, does so for that host until the run ends, and adds a run
    warning: old sites let certificates expire, and their pages are still worth archiving. With
    DOWNLOAD_VERIFY_CERTIFICATES=True the request fails instead.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._strict = crawler.settings.getbool("DOWNLOAD_VERIFY_CERTIFICATES")
        self._trust = _Trust(self._contextFactory)
        self._contextFactory: Any = self._trust
        # Scrapy would log a warning for every connection to such a host.
        logging.getLogger("scrapy.core.downloader.tls").setLevel(logging.ERROR)

    async def download_request(self, request: Request) -> Response:
        """The response. Raises what Scrapy's handler raises."""
        try:
            return await super().download_request(request)
        except DownloadFailedError as error:
            if self._strict or not _is_of_tls(error):
                raise
        host = urlparse_cached(request).hostname or ""
        said = host.encode() in self._trust.unverified
        self._trust.unverified.add(host.encode())
        response = await super().download_request(request)
        run = find_run(self._crawler)
        if run and not said:
            run.warnings.append(
                f"https://{host}: its certificate cannot be verified ({_described(response)}); its "
                "responses are archived. Set DOWNLOAD_VERIFY_CERTIFICATES=True to refuse them"
            )
        return response


def _is_of_tls(error: DownloadFailedError) -> bool:
    """Whether the TLS handshake failed."""
    cause = error.__cause__
    reasons = cause.reasons if isinstance(cause, ResponseFailed) else []
    return any(each.check(SSL.Error) for each in reasons)


def _described(response: Response) -> str:
    """Subject, issuer and expiry date of the certificate of a response."""
    if response.certificate is None:
        return "no details available"
    held = response.certificate.original.to_cryptography()
    subject, issuer = held.subject.rfc4514_string(), held.issuer.rfc4514_string()
    by = "self-signed" if subject == issuer else f"issued by {issuer}"
    return f"{subject}, {by}, valid until {held.not_valid_after_utc:%Y-%m-%d}"
