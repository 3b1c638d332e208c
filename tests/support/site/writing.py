"""Writes HTTP/1.1 responses and faults to a stream."""

import asyncio
import gzip
import socket
import struct
from asyncio import sleep
from collections.abc import Iterator
from dataclasses import replace
from email.utils import formatdate
from http.client import responses

from tests.support.site.files import content_type
from tests.support.site.messages import Answer, Request

# Statuses that never have a body (RFC 9110, 6.4.1).
BODILESS = frozenset({204, 304})
# The server sets the framing, whatever headers were recorded with a page.
FRAMING = ("connection", "content-length", "transfer-encoding")
BLOCK = 64 * 1024


def sends_status(answer: Answer) -> bool:
    """Whether the client receives a status."""
    return answer.fault not in ("reset", "close", "hang")


def with_defaults(answer: Answer, request: Request, *, compress: bool) -> Answer:
    """The response with all headers and the body as sent, without framing.

    `compress`: gzip text if the client accepts it.
    """
    headers: dict[str, str | None] = {"date": formatdate(usegmt=True)}
    if answer.status not in BODILESS:
        headers["content-type"] = content_type(request.url)
    headers.update((name.lower(), value) for name, value in answer.headers.items())
    for name in FRAMING:
        headers.pop(name, None)
    accepted = "gzip" in request.headers.get("accept-encoding", "").lower()
    fitting = compress and accepted and "content-encoding" not in headers
    if answer.status in BODILESS or not (answer.gzip or (fitting and _is_text(headers))):
        return replace(answer, headers=headers)
    headers |= {"content-encoding": "gzip", "vary": "Accept-Encoding"}
    return replace(answer, headers=headers, body=gzip.compress(answer.body, mtime=0))


async def write_answer(
    writer: asyncio.StreamWriter, answer: Answer, request: Request, *, keep_alive: bool
) -> None:
    """Send a response of `with_defaults`; after a truncated one the connection must be closed."""
    bodiless = request.method == "HEAD" or answer.status in BODILESS
    writer.write(_head(answer, keep_alive=keep_alive))
    if not bodiless:
        slow = answer.fault == "slow"
        for piece in _pieces(answer, answer.drop_bytes if slow else BLOCK):
            writer.write(piece)
            await writer.drain()
            if slow:
                await sleep(answer.drop_seconds)
    await writer.drain()


def reset(writer: asyncio.StreamWriter) -> None:
    """End the connection with a TCP RST."""
    connection: socket.socket = writer.get_extra_info("socket")
    # SO_LINGER with zero time makes close() send RST (socket(7)).
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _is_text(headers: dict[str, str | None]) -> bool:
    kind = (headers.get("content-type") or "").lower()
    return kind.startswith("text/") or any(word in kind for word in ("xml", "json", "javascript"))


def _head(answer: Answer, *, keep_alive: bool) -> bytes:
    version = "1.0" if answer.unframed else "1.1"
    lines = [f"HTTP/{version} {answer.status} {responses.get(answer.status, 'Unknown')}"]
    lines += [
        f"{name.title()}: {value}" for name, value in answer.headers.items() if value is not None
    ]
    if answer.chunked:
        lines.append("Transfer-Encoding: chunked")
    elif answer.status not in BODILESS and not answer.unframed:
        # For HEAD: the length that GET would have. A truncated empty body also lacks a byte.
        length = max(len(answer.body), int(answer.fault == "truncate"))
        lines.append(f"Content-Length: {length}")
    lines.append(f"Connection: {'keep-alive' if keep_alive else 'close'}")
    return "\r\n".join([*lines, "", ""]).encode(errors="surrogateescape")


def _pieces(answer: Answer, size: int) -> Iterator[bytes]:
    truncated = answer.fault == "truncate"
    body = answer.body[: len(answer.body) // 2] if truncated else answer.body
    for start in range(0, len(body), size):
        piece = body[start : start + size]
        yield b"%x\r\n%b\r\n" % (len(piece), piece) if answer.chunked else piece
    if answer.chunked and not truncated:
        yield b"0\r\n\r\n"
