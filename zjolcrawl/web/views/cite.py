"""`/cite?url=…&at=…&format=ris` and `/download?url=…&at=…&part=record`: references and originals, as files."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from zjolcrawl.archive.archive import ArchiveError, read_record
from zjolcrawl.archive.cdx import stamp_of
from zjolcrawl.archive.decoding import unpacked
from zjolcrawl.archive.warc import Pointer
from zjolcrawl.display.citation import FORMATS, Citation, citation
from zjolcrawl.storage.documents import records_of, url_of
from zjolcrawl.web.query_string import text
from zjolcrawl.web.security import is_loopback
from zjolcrawl.web.site import Site, base_url, newest_of, requested_version, site_of
from zjolcrawl.web.texts import _

_PARTS = {"page": ("text/html", ".html"), "record": ("application/warc", ".warc.gz")}
_MOST_RECORDS, _MOST_BYTES = 100, 64 * 2**20


def permanent_link(version: dict[str, Any]) -> str:
    """The path of a version, which stays when older captures renumber the versions, for readers of any language."""
    return f"/article?{urlencode({'url': url_of(version), 'at': stamp_of(version['changed_at'])})}"


def cited(request: Request, version: dict[str, Any]) -> Citation:
    """The Citation of a version; with its address here, if others can reach this server."""
    address = _address(request, version)
    is_public = not is_loopback(urlsplit(address).hostname or "localhost")
    return citation(version, address if is_public else "")


def box(request: Request, version: dict[str, Any]) -> dict[str, Any]:
    """The variables of the template cite.html."""
    found = cited(request, version)
    return {
        "texts": [(FORMATS[each].name, FORMATS[each].write(found)) for each in ("gbt7714-2025", "gbt7714-2015")],
        "formats": {name: each.name for name, each in FORMATS.items()},
        "at": found.stamp,
        "link": _address(request, version),
    }  # fmt: skip


def _address(request: Request, version: dict[str, Any]) -> str:
    return base_url(request).rstrip("/") + permanent_link(version)


async def show(request: Request) -> Response:
    """A reference as a file. Raises HTTPException 400, 404."""
    wanted = FORMATS.get(text(request.query_params, "format"))
    if wanted is None:
        raise HTTPException(400, _("{} 要写成其中之一：{}", "format", ", ".join(FORMATS)))
    found = cited(request, await requested_version(request, await newest_of(request)))
    return _file(
        wanted.write(found).encode(), wanted.media_type, f"{found.identifier}{wanted.suffix}"
    )


async def download(request: Request) -> Response:
    """The page of a version as the server sent it, or its WARC records. Raises HTTPException 400, 404."""
    part = text(request.query_params, "part")
    if part not in _PARTS:
        raise HTTPException(400, _("{} 要写成其中之一：{}", "part", ", ".join(_PARTS)))
    version = await requested_version(request, await newest_of(request))
    found = records_of(version) if part == "record" else [version.get("warc")]
    pointers = [
        Pointer(**{n: each[n] for n in Pointer.__dataclass_fields__}) for each in found if each
    ]
    if not pointers:
        raise HTTPException(404, _("这一版存入时没有保留网页原件（WARC=off）。"))
    try:
        content = await asyncio.to_thread(
            _content, site_of(request), pointers[:_MOST_RECORDS], part
        )
    except (ArchiveError, ValueError) as error:
        raise HTTPException(404, _("归档文件中的记录读不出来：{}", str(error))) from None
    media_type, suffix = _PARTS[part]
    return _file(content, media_type, f"{citation(version).identifier}{suffix}")


def _content(site: Site, pointers: list[Pointer], part: str) -> bytes:
    """The decoded page in a record, or a WARC file of the records. Raises ArchiveError, ValueError."""
    records = (read_record(site.data_dir / "warc", each, site.warc_store) for each in pointers)
    if part == "record":
        return b"".join(gzip.compress(each.raw, mtime=0) for each in records)
    message = next(records).message
    return unpacked(
        message.body, (message.header("content-encoding") or "").split(","), _MOST_BYTES
    )


def _file(content: bytes, media_type: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    if media_type.startswith("text/plain") or "json" in media_type:
        media_type += "; charset=utf-8"
    return Response(content, headers={**headers, "content-type": media_type})
