"""ASGI middleware that checks Host header and method and adds security headers to every response."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zjolcrawl.web.texts import _

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
READING = frozenset({"GET", "HEAD"})
HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[0-9a-z._-]+)(?::\d{1,5})?", re.IGNORECASE)

Refuse = Callable[[int, str], Response]


class SecurityMiddleware:
    """Allows only some methods with our own host name; adds those of HEADERS that a response does not set itself.

    Another name in `Host` means DNS rebinding: a foreign site whose name was pointed at this address, to
    read the archive through a visitor's browser.
    """

    def __init__(
        self,
        app: ASGIApp,
        host: str,
        refuse: Refuse,
        names: Collection[str] = (),
        methods: frozenset[str] = READING,
    ) -> None:
        """`host` is the address the server listens on, `names` are other names of it (BROWSE_HOSTS).

        `refuse` makes an error page from status and reason.
        """
        self._app, self._host, self._refuse = app, host, refuse
        self._names, self._methods = names, methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection; anything but http is ignored."""
        if scope["type"] != "http":
            return
        await self._checked(scope)(scope, receive, _with_headers(send))

    def _checked(self, scope: Scope) -> ASGIApp:
        if not is_ours(Headers(scope=scope).get("host", ""), self._host, self._names):
            return self._refuse(
                400, _("请求中的主机名不是本页的地址；BROWSE_HOSTS 可以允许别的名字。")
            )
        if scope["method"] not in self._methods:
            refusal = self._refuse(405, _("这里只能查看：只接受 GET 和 HEAD 请求。"))
            refusal.headers["allow"] = "GET, HEAD"
            return refusal
        return self._app


def is_ours(header: str, listening: str, names: Collection[str] = ()) -> bool:
    """Whether a Host header names this server, which listens on the address `listening` and has other `names`.

    `localhost` and loopback addresses always match. If the server listens on another address, its own name
    and any IP address match too: DNS rebinding needs a name.
    """
    match = HOST.fullmatch(header)
    if not match:
        return False
    name = match["name"].strip("[]").lower().rstrip(".")
    if name in {"localhost", listening.lower(), *names}:
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or not is_loopback(listening)


def is_loopback(host: str) -> bool:
    """Whether an address can be reached only from this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _with_headers(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return with_headers
