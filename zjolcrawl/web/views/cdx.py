"""`/cdx?url=…`: the captures of a URL as CDXJ or JSON lines, in the dialect of pywb's CDX server."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from zjolcrawl.archive.captures import Capture, cdxj_line
from zjolcrawl.archive.replay import open_index
from zjolcrawl.web.query_string import Params, integer, text
from zjolcrawl.web.site import site_of
from zjolcrawl.web.texts import _

_MOST = 10_000
_TYPES = {"cdxj": "text/x-cdxj", "json": "text/x-ndjson"}
_MATCHES = {"exact", "prefix", "host", "domain"}


@dataclass(frozen=True, slots=True)
class _Query:
    """The parameters: an absolute URL or a domain, how URLs match it, the form of the answer, times of 4 to 14 digits."""

    url: str
    match: str
    output: str
    since: str
    until: str
    limit: int


async def show(request: Request) -> Response:
    """The captures. Raises HTTPException 400."""
    query = _parse(request.query_params)
    folder = site_of(request).data_dir / "warc"
    found = await asyncio.to_thread(_captures, folder, query)
    lines = (cdxj_line(each) for each in found)
    body = "".join(lines if query.output == "cdxj" else map(_json, lines))
    return Response(body, media_type=f"{_TYPES[query.output]}; charset=utf-8")


def _parse(params: Params) -> _Query:
    output, match = text(params, "output") or "cdxj", text(params, "matchType") or "exact"
    url = text(params, "url", most=8000)
    if url.endswith("*") and "matchType" not in params:
        url, match = url[:-1], "prefix"
    if not url or output not in _TYPES or match not in _MATCHES:
        reason = _(
            "要写成 /cdx?url=…；output 是 cdxj 或 json，matchType 是 exact、prefix、host 或 domain。"
        )
        raise HTTPException(400, reason)
    url = url if "://" in url else f"http://{url}"
    host = url.partition("://")[2].partition("/")[0].lower()
    url = {"host": f"http://{host}/", "domain": host}.get(match, url)
    limit = min(integer(params, "limit", _MOST, most=10**6), _MOST)
    return _Query(url, match, output, _time(params, "from"), _time(params, "to"), limit)


def _captures(folder: Path, query: _Query) -> list[Capture]:
    with open_index(folder) as index:
        if index is None:
            return []
        find: Callable[[str, str, str, int], Iterator[Capture]] = index.beginning_with
        if query.match in {"exact", "domain"}:
            find = index.mementos if query.match == "exact" else index.of_domain
        return list(find(query.url, query.since, query.until, query.limit))


def _json(line: str) -> str:
    key, stamp, values = line.split(" ", 2)
    found = {"urlkey": key, "timestamp": stamp, **json.loads(values)}
    return json.dumps(found, ensure_ascii=False) + "\n"


def _time(params: Params, name: str) -> str:
    """A time of 4 to 14 digits, an even number; empty if absent. Raises HTTPException 400."""
    value = text(params, name)
    if value and not re.fullmatch(r"\d{4}(?:\d\d){0,5}", value, re.ASCII):
        raise HTTPException(400, _("{} 要写成 2017、201708 直到 20170812034512 这样。", name))
    return value
