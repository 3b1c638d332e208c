"""`/record?url=…&revision=N`: the WARC record of a version: headers and page source."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from zjolcrawl.archive.archive import ArchiveError, read_record
from zjolcrawl.archive.decoding import body_start
from zjolcrawl.archive.s3 import WarcStore
from zjolcrawl.archive.warc import Message, Pointer, Record
from zjolcrawl.parsing.page import decode
from zjolcrawl.web.rendering import page
from zjolcrawl.web.site import newest_of, requested_version, site_of

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
    newest = await newest_of(request)
    article = await requested_version(request, newest)
    warc: dict[str, Any] | None = article.get("warc")
    if not warc:
        raise HTTPException(404, "这一版存入时没有保留网页原件（WARC=off）。")
    pointer = Pointer(**{name: warc[name] for name in Pointer.__dataclass_fields__})
    site = site_of(request)
    try:
        source = await asyncio.to_thread(
            read_source, site.data_dir / "warc", pointer, site.warc_store
        )
    except (ArchiveError, ValueError) as error:
        reason = f"归档文件 {pointer.file} 不在，或其中第 {pointer.offset} 字节处的记录不在、已损坏：{error}"
        raise HTTPException(404, reason) from None
    return page("record.html", newest=newest, article=article, url=newest["_id"], warc=pointer,
                source=source, most=_MOST)  # fmt: skip


def read_source(folder: Path, pointer: Pointer, store: WarcStore | None = None) -> Source:
    """The record and the first 300,000 bytes of its page. Raises ArchiveError, ValueError.

    `pointer` is that of a version, so the record has the payload and is not a revisit.
    """
    record = read_record(folder, pointer, store)
    message = record.message
    try:
        body, cut = body_start(message, _MOST)
    except ValueError:
        return Source(record, message, fault="正文的压缩格式解不开。")
    text, encoding, _ = decode(body)
    return Source(record, message, text.replace("\x00", "\ufffd"), encoding, cut)
