"""Who may read: the token that requests carry, and the origins whose pages may call the API.

The token is asked for by all pages, feeds and the API alike: they show the same texts, so a token at one of
the doors would protect nothing. A browser asks its user for it as the password of HTTP Basic.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zjolcrawl.web.security import Refuse
from zjolcrawl.web.texts import _

_CHALLENGES = ('Basic realm="zjolcrawl", charset="UTF-8"', 'Bearer realm="zjolcrawl"')


@dataclass(frozen=True, slots=True)
class Access:
    """The read `token`, empty if none is needed, the `origins` for CORS, and further host `names` of the server."""

    token: str = ""
    origins: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Without the token, for logs and tracebacks."""
        return f"Access(origins={self.origins}, names={self.names})"


OPEN = Access()
"""Everybody may read who reaches the server."""


class TokenMiddleware:
    """Answers 401 unless a request carries the token, as Bearer (RFC 6750) or Basic password (RFC 7617)."""

    def __init__(self, app: ASGIApp, token: str, refuse: Refuse) -> None:
        """`refuse` makes the error answer from status and reason. Without a token all requests pass."""
        self._app, self._token, self._refuse = app, token.encode(), refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if not self._token:
            await self._app(scope, receive, send)
            return
        given = _token_in(Headers(scope=scope).get("authorization", ""))
        if hmac.compare_digest(given, self._token):
            await self._app(scope, receive, _private(send))
            return
        refusal = self._refuse(401, _("需要令牌：用户名任意，密码是 API_TOKEN。"))
        for challenge in _CHALLENGES:
            refusal.headers.append("www-authenticate", challenge)
        await refusal(scope, receive, send)


def _token_in(authorization: str) -> bytes:
    """The token of an Authorization header; empty if it has none."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip().encode()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return b""
    return b""


def _private(send: Send) -> Send:
    """Keeps answers out of shared caches, which would give them to clients without the token."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            known = headers.get("cache-control", "")
            if known:
                headers["cache-control"] = f"private, {known}".replace(", public", "")
        await send(message)

    return sending
