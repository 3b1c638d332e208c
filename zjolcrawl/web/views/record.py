"""`/record?url=…&revision=N`: the WARC record of a version: headers and page source.

`/record?url=…&gone=1`: the record of the visit that found the article taken down.
"""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from zjolcrawl.archive.archive import ArchiveError, read_record
from zjolcrawl.archive.decoding import body_start
from zjolcrawl.archive.index import capture_at
from zjolcrawl.archive.s3 import WarcStore
from zjolcrawl.archive.warc import Message, Pointer, Record, warc_date
from zjolcrawl.parsing.page import decode
from zjolcrawl.web.rendering import page
from zjolcrawl.web.site import Site, newest_of, requested_version, site_of
from zjolcrawl.web.texts import _

_MOST = 300_000  # bytes of source shown; pages usually have 20,000 to 200,000


@dataclass(frozen=True, slots=True)
class Source:
    """A WARC record and the page source in it; `fault` says why the source cannot be shown."""

    record: Record
    message: Message
    text: str = ""
    encoding: str = ""
    cut: bool = False
    fault: str = ""


async def show(request: Request) -> Response:
    """The record page. Raises HTTPException 400, 404."""
    site = site_of(request)
    newest = await newest_of(request)
    gone = bool(request.query_params.get("gone"))
    article = newest if gone else await requested_version(request, newest)
    pointer = await (gone_record(site, newest) if gone else _pointer_of(article))
    if pointer is None:
        raise HTTPException(
            404,
            _("归档中没有那次访问的记录。")
            if gone
            else _("这一版存入时没有保留网页原件（WARC=off）。"),
        )
    try:
        source = await asyncio.to_thread(
            read_source, site.data_dir / "warc", pointer, site.warc_store
        )
    except (ArchiveError, ValueError) as error:
        reason = _(
            "归档文件 {} 不在，或其中第 {} 字节处的记录不在、已损坏：{}",
            pointer.file, str(pointer.offset), error,
        )  # fmt: skip
        raise HTTPException(404, reason) from None
    return page("record.html", newest=newest, article=article, url=newest["_id"], warc=pointer,
                source=source, most=_MOST, gone=gone)  # fmt: skip


async def gone_record(site: Site, article: dict[str, Any]) -> Pointer | None:
    """The record of the visit that found an article taken down; None if the archive has none."""
    at = article.get("gone_at")
    if not isinstance(at, datetime):
        return None
    folder = site.data_dir / "warc"
    try:
        found = await asyncio.to_thread(capture_at, folder, article["_id"], warc_date(at))
    except sqlite3.Error:
        return None
    return found.pointer if found and found.type != "metadata" else None


async def _pointer_of(article: dict[str, Any]) -> Pointer | None:
    warc: dict[str, Any] | None = article.get("warc")
    return Pointer(**{name: warc[name] for name in Pointer.__dataclass_fields__}) if warc else None


def read_source(folder: Path, pointer: Pointer, store: WarcStore | None = None) -> Source:
    """The record and the first 300,000 bytes of its page. Raises ArchiveError, ValueError.

    The record of a version has the payload; that of another visit may be a revisit, which has only headers.
    """
    record = read_record(folder, pointer, store)
    message = record.message
    try:
        body, cut = body_start(message, _MOST)
    except ValueError:
        return Source(record, message, fault=_("正文的压缩格式解不开。"))
    if record.fields.get("warc-type") == "revisit":
        return Source(record, message, fault=_("内容与此前一次访问的相同，这里只存了响应头。"))
    text, encoding = decode(body)[:2]
    return Source(record, message, text.replace("\x00", "\ufffd"), encoding, cut)
