"""`/web/…`: archived pages and files as they were at a time, made inert; Memento's TimeGate and TimeMap."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from zjolcrawl.archive.captures import Capture, mime_of
from zjolcrawl.archive.cdx import stamp_of
from zjolcrawl.archive.decoding import BrokenAnswer, body_start, unpacked
from zjolcrawl.archive.files import ArchiveError
from zjolcrawl.archive.replay import Neighbours, Replayer, open_index, target_of
from zjolcrawl.archive.warc import Message
from zjolcrawl.items import READ_KINDS
from zjolcrawl.parsing.deadline import LimitExceeded
from zjolcrawl.parsing.page import decode
from zjolcrawl.parsing.urls import kind
from zjolcrawl.web.inert import inert_page
from zjolcrawl.web.memento import (
    LINK_FORMAT,
    Target,
    address,
    http_date,
    link_header,
    parse_target,
    plain,
    timemap,
)
from zjolcrawl.web.rendering import page
from zjolcrawl.web.site import Site, base_url, site_of
from zjolcrawl.web.texts import _

_MOST_CAPTURES, _MOST_LISTED = 100_000, 1000
_MOST_SOURCE = 2_000_000  # bytes of a page that is shown
_MOST_DECODED = 64 * 2**20  # bytes of a body that is decoded for a client
_MOST_IMAGES, _MOST_IMAGE_BYTES = 100, 12_000_000  # of one page
_HTML = {"text/html", "application/xhtml+xml", None}
_TEXT = re.compile(r"text/.*|application/(?:json|javascript|x-javascript|xml|rss\+xml|atom\+xml)")
# Raster formats only: an SVG image may contain scripts.
_IMAGES = {"image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp", "image/avif"}
_SANDBOX = (
    "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_INERT = {
    "content-security-policy": _SANDBOX,
    # Browsers refuse a sandboxed page with another value.
    "cross-origin-opener-policy": "unsafe-none",
    "x-dns-prefetch-control": "off",
}
# Images are part of the page as data: URLs, because a sandboxed page is foreign to its own server.
_SHOWN = {
    **_INERT, "content-security-policy": f"{_SANDBOX}; img-src data:; style-src 'unsafe-inline'",
}  # fmt: skip
_NAME, _VALUE = re.compile(r"[A-Za-z0-9-]{1,60}"), re.compile(r"[\x20-\x7e\x80-\xff]{0,2000}")
_MOST_NAMES = 60  # headers of the page that are repeated; Python's clients take 100 in all
_LONGEST_TARGET = 8000  # characters of a redirect's address
_MOST_HEADERS = 2000  # characters of them together: proxies have small buffers
_BODILESS = {204, 205, 304}
_UNKNOWN = "归档中没有这个网址的存档。"

_T = TypeVar("_T")


@dataclass(slots=True)
class _Memento:
    """A capture that is served: its response, and the captures around it."""

    capture: Capture
    message: Message
    around: Neighbours
    target: str | None
    """Where it redirects to, unless that is the same resource."""

    @property
    def status(self) -> int:
        """The status to send: the capture's, if HTTP/1.1 can carry it."""
        return self.message.status if 200 <= self.message.status < 600 else 200

    @property
    def stamp(self) -> str:
        return stamp_of(self.capture.seen_at)


async def show(request: Request) -> Response:
    """The answer to an address under /web/. Raises HTTPException 400, 404."""
    target = parse_target(request)
    site, base = site_of(request), base_url(request).rstrip("/")
    if target.kind in {"timemap", "list"}:
        return await asyncio.to_thread(_all, site, base, target)
    accepted = request.headers.get("accept-encoding", "")
    return await asyncio.to_thread(_with_replayer, site, lambda r: _one(r, base, target, accepted))


def _with_replayer(site: Site, work: Callable[[Replayer], _T]) -> _T:
    """The result of `work`. Raises HTTPException 404 if there is no archive."""
    folder = site.data_dir / "warc"
    with open_index(folder) as index:
        if index is None:
            raise HTTPException(404, _(_UNKNOWN))
        return work(Replayer(index, folder, site.warc_store))


def _all(site: Site, base: str, target: Target) -> Response:
    """All captures of a URL, as a TimeMap or a page."""
    if target.kind == "timemap":
        text = _with_replayer(
            site,
            lambda r: timemap(base, target.url, r.index.mementos(target.url, most=_MOST_CAPTURES)),
        )
        if not text:
            raise HTTPException(404, _(_UNKNOWN))
        return Response(text, media_type=LINK_FORMAT)
    rows = _with_replayer(
        site, lambda r: list(r.index.mementos(target.url, most=_MOST_LISTED, newest=True))
    )
    if not rows:
        raise HTTPException(404, _(_UNKNOWN))
    shown = [
        (each, address(stamp_of(each.seen_at), each.url), _is_same(each, former))
        for each, former in zip_longest(rows, rows[1:])
    ]
    return page(
        "captures.html", url=target.url, rows=shown, more=len(rows) == _MOST_LISTED,
        timemap=f"/web/timemap/link/{plain(target.url)}",
    )  # fmt: skip


def _is_same(capture: Capture, former: Capture | None) -> bool:
    """Whether a capture has the content of the one before it. Not so every revisit: its content may be older."""
    return (
        former is not None
        and bool(capture.digest)
        and ((capture.digest, capture.status) == (former.digest, former.status))
    )


def _one(replayer: Replayer, base: str, target: Target, accepted: str) -> Response:
    """A memento, or the redirect to its own address."""
    capture = replayer.find(target.url, target.stamp)
    if capture is None:
        raise HTTPException(404, _(_UNKNOWN))
    found = _read(replayer, capture)
    links = link_header(base, capture, found.around)
    where = address(found.stamp, capture.url, target.modifier)
    if target.kind == "timegate":
        return _redirect(where, link=links, vary="accept-datetime")
    # Only for the time: a client that spells URLs in its own way would never arrive.
    if target.stamp != found.stamp:
        return _redirect(where, link=f'<{plain(capture.url)}>; rel="original"')
    response = _served(replayer, found, target.modifier, accepted)
    response.headers["memento-datetime"] = http_date(capture)
    response.headers["link"] = links
    response.headers["content-location"] = where
    left, kept = _MOST_HEADERS, 0
    for name, value in found.message.headers:
        left -= len(name) + len(value)
        if left >= 0 and kept < _MOST_NAMES and _NAME.fullmatch(name) and _VALUE.fullmatch(value):
            response.headers.append(f"x-archive-orig-{name}", value)
            kept += 1
    if found.target:
        response.headers["location"] = address(found.stamp, found.target, target.modifier)
    return response


def _redirect(where: str, **headers: str) -> Response:
    """Not Starlette's RedirectResponse, which encodes characters that are part of the URL, such as `|`."""
    return Response(status_code=302, headers={"location": where, **headers})


def _read(replayer: Replayer, capture: Capture) -> _Memento:
    message = replayer.message(capture)
    is_redirect = 300 <= message.status < 400 and message.status != 304
    leads_away = is_redirect and not replayer.leads_to_itself(capture)
    target = target_of(capture, message) if leads_away else None
    if target and len(plain(target)) > _LONGEST_TARGET:
        target = None
    return _Memento(capture, message, replayer.index.around_capture(capture), target)


def _served(replayer: Replayer, found: _Memento, modifier: str, accepted: str) -> Response:
    mime = mime_of(found.message.header("content-type"))
    if modifier == "id_" or (mime in _IMAGES and found.message.status == 200):
        return _bytes(found, accepted)
    if modifier == "im_":
        raise HTTPException(404, _("这个存档不是图片。"))
    return _shown(replayer, found, mime)


def _bytes(found: _Memento, accepted: str) -> Response:
    """The body as archived. A content coding that the client does not accept is undone, as pywb does."""
    message = found.message
    headers = {**_INERT, "vary": "accept-encoding"}
    coding = (message.header("content-encoding") or "").strip().lower()
    body = message.body
    if coding and not _accepts(accepted, coding):
        with suppress(BrokenAnswer):  # then it is sent as it is
            body, coding = unpacked(body, coding.split(","), _MOST_DECODED), ""
    if coding and _NAME.fullmatch(coding):
        headers["content-encoding"] = coding
    given = message.header("content-type") or "application/octet-stream"
    headers["content-type"] = given if _VALUE.fullmatch(given) else "application/octet-stream"
    if mime_of(given) not in _IMAGES:
        # Shown in the browser, even a sandboxed page would open connections to the live site (preconnect).
        headers["content-disposition"] = f'attachment; filename="{_file_name(found)}"'
    return Response(b"" if found.status in _BODILESS else body, found.status, headers)


def _file_name(found: _Memento) -> str:
    name = found.capture.url.partition("?")[0].rstrip("/").rpartition("/")[2]
    return f"{found.stamp}-{re.sub(r'[^A-Za-z0-9._-]', '_', name)[-100:]}"


def _accepts(accepted: str, coding: str) -> bool:
    """Whether Accept-Encoding names a coding without forbidding it."""
    named = (each.partition(";") for each in accepted.lower().split(","))
    return any(
        name.strip() == coding and not re.search(r"q=0(\.0*)?\s*$", q) for name, _, q in named
    )


def _shown(replayer: Replayer, found: _Memento, mime: str | None) -> Response:
    """The page with a banner: HTML made inert, text as it is, and of anything else only what it is."""
    body, title, text, fault = None, "", "", ""
    try:
        source, cut = body_start(found.message, _MOST_SOURCE)
    except ValueError:
        source, cut, fault = b"", False, _("正文的压缩格式解不开。")
    if mime in _HTML and not fault:
        pictures = _Pictures(replayer, found.stamp)
        try:
            inert = inert_page(
                source, found.capture.url, lambda url: address(found.stamp, url), pictures.read
            )
            title, body, cut = inert.title, inert.body, cut or inert.cut
        except LimitExceeded:
            fault = _("网页的标记太多，没有显示；原始字节是完整的。")
    elif mime and _TEXT.fullmatch(mime) and not fault:
        text = decode(source)[0].replace("\x00", "\ufffd")
    response = page(
        "replay.html", found.status if found.status not in _BODILESS else 200,
        found=found, title=title, body=body, text=text, fault=fault, cut=cut, mime=mime,
        address=address, stamp_of=stamp_of, is_article=kind(found.capture.url) in READ_KINDS,
    )  # fmt: skip
    response.headers.update(_SHOWN)
    return response


@dataclass(slots=True)
class _Pictures:
    """The images of a page as `data:` URLs, up to a number and a size of all."""

    replayer: Replayer
    stamp: str
    left: int = _MOST_IMAGE_BYTES
    known: dict[str, str | None] = field(default_factory=dict)

    def read(self, url: str) -> str | None:
        """The image at a URL that was captured nearest to the page's time, or None."""
        if url not in self.known and len(self.known) < _MOST_IMAGES:
            self.known[url] = self._read(url)
        found = self.known.get(url)
        self.left -= len(found or "")  # each time that it is shown
        return found if self.left >= 0 else None

    def _read(self, url: str) -> str | None:
        try:
            capture = self.replayer.find(url, self.stamp)
            if capture is None or capture.status not in {200, 304}:
                return None
            message = self.replayer.message(capture)
            mime = mime_of(message.header("content-type"))
            data, cut = body_start(message, max(self.left, 0))
        except (ArchiveError, ValueError):
            return None
        if mime not in _IMAGES or cut or not data:
            return None
        return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"
