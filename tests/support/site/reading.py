"""Reads HTTP/1.1 requests from a stream."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.support.site.messages import Request
from tests.support.site.urls import normalize


class BadRequestError(ValueError):
    """The client did not send a valid HTTP request."""


@dataclass(frozen=True, slots=True)
class Head:
    """Request line and headers."""

    method: str
    target: str
    version: str
    headers: Mapping[str, str]
    """Lower-case names."""

    @property
    def keep_alive(self) -> bool:
        """Whether the client wants to send another request on the connection."""
        # Some clients send Proxy-Connection instead of Connection to a proxy.
        wish = self.headers.get("connection", self.headers.get("proxy-connection", "")).lower()
        return "keep-alive" in wish if self.version == "HTTP/1.0" else "close" not in wish


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The next request's head; None if the client has closed. Raises `BadRequestError`."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        text = head.decode(errors="surrogateescape")
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise BadRequestError("the request stops in its head") from error
        return None
    except asyncio.LimitOverrunError as error:
        raise BadRequestError("the request's head is too long") from error
    first, *lines = text.strip("\r\n").split("\r\n")
    try:
        method, target, version = first.split(" ")
    except ValueError as error:
        raise BadRequestError(f"not a request line: {first!r}") from error
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequestError(f"not a header: {line!r}")
        name = name.lower()
        headers[name] = ", ".join(filter(None, [headers.get(name), value.strip()]))
    return Head(method, target, version, headers)


async def read_request(
    reader: asyncio.StreamReader, head: Head, authority: str | None = None
) -> Request:
    """The request of the head, with its body. Raises `BadRequestError`.

    `authority` is the host and port that CONNECT named: the request is https then.
    """
    url = head.target
    if url.startswith("/"):
        plain = f"http://{head.headers.get('host', '')}"
        url = (f"https://{authority}" if authority else plain) + url
    try:
        url = normalize(url)
        body = await _read_body(reader, head)
    except (ValueError, asyncio.IncompleteReadError) as error:
        raise BadRequestError(str(error)) from error
    host = urlsplit(url).hostname or ""
    return Request(head.method, url, host, head.headers, time.time(), body)


async def _read_body(reader: asyncio.StreamReader, head: Head) -> bytes:
    if "chunked" not in head.headers.get("transfer-encoding", "").lower():
        return await reader.readexactly(int(head.headers.get("content-length", "0")))
    body = bytearray()
    while size := int((await reader.readline()).partition(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    while (await reader.readline()).strip():
        pass  # trailers, which nothing here needs
    return bytes(body)
