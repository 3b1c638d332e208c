"""A test site: serves files under real host names over loopback, for tests and the demo.

Everything goes through a forward proxy, so the product under test needs no test-only branch: the
usual `http_proxy` and `https_proxy` variables (`SiteProxy.environ`) are enough.
"""

from tests.support.site.messages import Answer, Fault, Request, Responder
from tests.support.site.proxy import SiteProxy

__all__ = ["Answer", "Fault", "Request", "Responder", "SiteProxy"]
