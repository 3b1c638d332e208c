"""Archives of others on the test site: Wayback's and Common Crawl's dialects, as their servers speak them.

Recorded from internetarchive/wayback (wayback-cdx-server/README.md), commoncrawl/cc-index-server and the answers of
web.archive.org: the JSON array with a resume key, `id_` replay with Memento-Datetime, JSON lines in numbered
pages, byte ranges of WARC files.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import format_datetime
from urllib.parse import parse_qs, urlsplit

from tests.support.site import Answer, SiteProxy
from tests.support.site.messages import Request
from zjolcrawl.archive.captures import url_key
from zjolcrawl.archive.warc import member, response_block, warc_date

WAYBACK = "http://web.archive.org/cdx/search/cdx"
INDEX = "http://index.commoncrawl.org/CC-MAIN-2017-34-index"
_FILE = "crawl-data/CC-MAIN-2017-34/segments/1/warc/CC-MAIN-1-00001.warc.gz"


@dataclass(frozen=True, slots=True)
class Held:
    """One capture that an archive holds; `at` has 14 digits. `broken`: its replay gives the archive's own error."""

    url: str
    at: str
    body: bytes = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/html"),)
    mime: str = "text/html"
    broken: bool = False

    @property
    def moment(self) -> datetime:
        return datetime.strptime(self.at, "%Y%m%d%H%M%S").replace(tzinfo=timezone.utc)

    @property
    def digest(self) -> str:
        return base64.b32encode(hashlib.sha1(self.body, usedforsecurity=False).digest()).decode()

    @property
    def record(self) -> bytes:
        """The gzip member of its WARC record."""
        block = response_block(
            self.status, [(n.encode(), v.encode()) for n, v in self.headers], self.body
        )
        fields = [("WARC-Date", warc_date(self.moment)), ("WARC-Target-URI", self.url)]
        ident = f"urn:uuid:{hashlib.md5(self.url.encode() + self.at.encode(), usedforsecurity=False).hexdigest()}"
        return member(ident, "response", fields, block, 6)


@dataclass
class Archive:
    """What both archives hold, and how they misbehave.

    `interrupt`, if set, may answer a request in place of the archive. `per_page`: rows of one page of Common
    Crawl's index. `hidden`: captures that are shown, but that no index has.
    """

    captures: list[Held]
    interrupt: Callable[[Request], Answer | None] = lambda request: None
    per_page: int = 3
    most: int = 10_000
    extra_lines: list[str] = field(default_factory=list)
    hidden: list[Held] = field(default_factory=list)

    def serve(self, site: SiteProxy) -> Archive:
        """Answer for the hosts of both archives."""
        site.set_host("web.archive.org", self._or_interrupted(self._wayback))
        site.set_host("index.commoncrawl.org", self._or_interrupted(self._index))
        site.set_host("data.commoncrawl.org", self._or_interrupted(self._data))
        return self

    def _or_interrupted(self, answer: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
        return lambda request: self.interrupt(request) or answer(request)

    def matching(self, query: dict[str, str]) -> list[Held]:
        """The captures that a CDX query asks for, by URL and time."""
        url, match = query["url"], query.get("matchType", "exact")
        first, last = query.get("from", "0"), query.get("to", "9")
        found = [
            each for each in self.captures
            if _matches(each.url, url, match) and first <= each.at <= last
        ]  # fmt: skip
        return sorted(found, key=lambda each: (url_key(each.url), each.at))

    def _wayback(self, request: Request) -> Answer:
        if urlsplit(request.url).path == "/cdx/search/cdx":
            return self._cdx(_query(request))
        return self._replay(request)

    def _cdx(self, query: dict[str, str]) -> Answer:
        start = int(query.get("resumeKey", "0").rpartition("+")[2])
        found = self.matching(query)
        limit = min(self.most, int(query.get("limit", "150000")))
        names = ["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"]
        rows: list[list[str]] = [names] if found else []
        rows += [
            [url_key(e.url), e.at, e.url, e.mime, str(e.status), e.digest, str(len(e.record))]
            for e in found[start : start + limit]
        ]
        if query.get("showResumeKey") == "true" and start + limit < len(found):
            rows += [[], [f"{url_key(found[start + limit].url)}+{start + limit}"]]
        text = ",\n ".join([*(json.dumps(row) for row in rows), *self.extra_lines])
        return Answer(headers={"Content-Type": "application/json"}, body=f"[{text}]\n".encode())

    def _replay(self, request: Request) -> Answer:
        stamp, _, url = request.url.partition("/web/")[2].partition("id_/")
        of_url = [e for e in [*self.captures, *self.hidden] if _bare(e.url) == _bare(url)]
        if not of_url:
            return Answer(404, {"Content-Type": "text/html"}, b"<h1>not in the archive</h1>")
        exact = [each for each in of_url if each.at == stamp]
        held = exact[0] if exact else min(of_url, key=lambda e: abs(int(e.at) - int(stamp)))
        if held.broken:
            others = [each for each in of_url if not each.broken]
            if not others:
                return Answer(404, {"Content-Type": "text/html"}, b"<h1>cannot be shown</h1>")
            held = min(others, key=lambda e: abs(int(e.at) - int(stamp)))
        if held.at != stamp:
            where = f"http://web.archive.org/web/{held.at}id_/{held.url}"
            return Answer(302, {"Location": where})
        headers = {f"x-archive-orig-{name.lower()}": value for name, value in held.headers}
        headers |= {"Memento-Datetime": format_datetime(held.moment, usegmt=True)}
        headers |= {name: v for name, v in held.headers if name == "Content-Type"}
        return Answer(held.status, headers, held.body)

    def _index(self, request: Request) -> Answer:
        query = _query(request)
        found = self.matching(query)
        if not found:
            body = json.dumps({"message": f"No Captures found for: {query['url']}"})
            return Answer(404, {"Content-Type": "application/json"}, body.encode())
        pages = -(-len(found) // self.per_page)
        if query.get("showNumPages") == "true":
            body = json.dumps({"pages": pages, "pageSize": 5, "blocks": pages})
            return Answer(headers={"Content-Type": "application/json"}, body=body.encode())
        number = int(query.get("page", "0"))
        if number >= pages:
            body = json.dumps(
                {"message": f"Page {number} invalid: First Page is 0, Last Page is {pages - 1}"}
            )
            return Answer(400, {"Content-Type": "application/json"}, body.encode())
        some = found[number * self.per_page : (number + 1) * self.per_page]
        some = some[: int(query.get("limit", "100000"))]
        lines = [json.dumps(self._json_row(each)) for each in some] + self.extra_lines
        return Answer(headers={"Content-Type": "text/x-ndjson"}, body="\n".join(lines).encode())

    def _json_row(self, held: Held) -> dict[str, str]:
        offset = 0
        for each in self.captures:
            if each is held:
                break
            offset += len(each.record)
        return {
            "urlkey": url_key(held.url), "timestamp": held.at, "url": held.url, "mime": held.mime,
            "status": str(held.status), "digest": held.digest, "length": str(len(held.record)),
            "offset": str(offset), "filename": _FILE,
        }  # fmt: skip

    def _data(self, request: Request) -> Answer:
        whole = b"".join(each.record for each in self.captures)
        first, last = map(int, request.headers["range"].removeprefix("bytes=").split("-"))
        return Answer(206, {"Content-Type": "application/octet-stream"}, whole[first : last + 1])


def _query(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}


def _bare(url: str) -> str:
    return url.partition("://")[2].replace(":80/", "/", 1)


def _matches(url: str, wanted: str, match: str) -> bool:
    host = urlsplit(url).hostname or ""
    if match == "domain":
        return host == wanted or host.endswith(f".{wanted}")
    return host == wanted if match == "host" else _bare(url).startswith(wanted)


def zipped(body: bytes) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    """A compressed body with its headers."""
    return gzip.compress(body, mtime=0), (
        ("Content-Type", "text/html"),
        ("Content-Encoding", "gzip"),
    )


def replays(urls: Iterable[str]) -> list[str]:
    """The URLs of pages among those requested from an archive, not those of its index."""
    return [url for url in urls if "/web/" in url or "data.commoncrawl.org" in url]
