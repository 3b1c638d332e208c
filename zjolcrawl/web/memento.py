"""Memento (RFC 7089): the addresses under /web/, link headers and TimeMaps.

/web/20170812034512/URL      the capture nearest to that time, made inert
/web/20170812034512id_/URL   its bytes
/web/20170812034512im_/URL   its bytes, if they are an image
/web/URL                     TimeGate: a redirect to the capture nearest to Accept-Datetime
/web/timemap/link/URL        TimeMap: all captures
/web/*/URL                   the same for people
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timezone
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request

from zjolcrawl.archive.captures import Capture
from zjolcrawl.archive.cdx import moment_of, stamp_of
from zjolcrawl.archive.replay import Neighbours
from zjolcrawl.parsing.urls import absolute
from zjolcrawl.web.texts import _

NOW = "99991231235959"
"""The time that a TimeGate looks for without Accept-Datetime: the newest capture is the nearest to it."""
LINK_FORMAT = "application/link-format"
_TARGET = re.compile(
    r"(?:(?P<kind>timemap/link|\*)|(?P<stamp>\d{4,14})(?P<modifier>id_|im_)?)/(?P<url>.+)", re.ASCII
)
_SCHEME = re.compile(r"^(https?):/*(?=[^/])", re.IGNORECASE)  # proxies make one slash of two
_PADDING = "00000101000000"
_LONGEST = 8000
_LONGEST_HEADER = 16_000
# Characters of a URL that may stand in an address and between < and > (RFC 3986, 2).
_PLAIN = "!#$%&'()*+,/:;=?@[]~-._|"


@dataclass(frozen=True, slots=True)
class Target:
    """What an address under /web/ asks for: a time of 14 digits, a modifier, and the URL.

    `kind` is memento, timegate, timemap or list.
    """

    kind: str
    url: str
    stamp: str = NOW
    modifier: str = ""


def parse_target(request: Request) -> Target:
    """The target of a request, taken from its undecoded path and query. Raises HTTPException 400."""
    path = request.scope.get("raw_path") or request.scope["path"].encode()
    text = path.decode("latin-1").removeprefix("/web/")
    if query := request.scope["query_string"]:
        text += f"?{query.decode('latin-1')}"
    found = _TARGET.fullmatch(text)
    url = _url(found["url"] if found else text)
    if not found:
        return Target("timegate", url, _accepted(request.headers.get("accept-datetime")))
    if found["kind"]:
        return Target("list" if found["kind"] == "*" else "timemap", url)
    return Target("memento", url, _padded(found["stamp"]), found["modifier"] or "")


def address(stamp: str, url: str, modifier: str = "") -> str:
    """The path of a memento on this server."""
    return f"/web/{stamp}{modifier}/{plain(url)}"


def plain(url: str) -> str:
    """A URL with only the characters that a URL may have."""
    return quote(url.partition("#")[0], safe=_PLAIN, errors="replace")


def link_header(base: str, capture: Capture, around: Neighbours) -> str:
    """The `Link` header of a memento (RFC 7089, 2.2); with a very long URL only what is required."""
    rels: dict[str, list[str]] = defaultdict(list)
    named = (
        ("first", around.first), ("prev", around.previous), ("", capture), ("next", around.next),
        ("last", around.last),
    )  # fmt: skip
    dated: dict[str, str] = {}
    for rel, each in named:
        if each:
            link = base + address(stamp_of(each.seen_at), each.url)
            dated[link] = http_date(each)
            rels[link] += [rel] if rel else []
    links = [
        *_about(base, capture.url),
        *(_memento(link, rels[link], dated[link]) for link in dated),
    ]
    whole = ", ".join(links)
    return whole if len(whole) <= _LONGEST_HEADER else ", ".join(links[:2])


def timemap(base: str, url: str, captures: Iterable[Capture]) -> str:
    """A TimeMap (RFC 7089, 5); `captures` are in order of time. Empty if there are none."""
    rows = list(captures)
    if not rows:
        return ""
    ends = {0: ["first"]}
    ends.setdefault(len(rows) - 1, []).append("last")
    lines = [
        f'<{base}/web/timemap/link/{plain(url)}>; rel="self"; type="{LINK_FORMAT}";'
        f' from="{http_date(rows[0])}"; until="{http_date(rows[-1])}"',
        f'<{base}/web/{plain(url)}>; rel="timegate"',
        f'<{plain(url)}>; rel="original"',
    ]
    lines += [
        _memento(
            base + address(stamp_of(each.seen_at), each.url), ends.get(number, []), http_date(each)
        )
        for number, each in enumerate(rows)
    ]
    return ",\n".join(lines) + "\n"


def http_date(capture: Capture) -> str:
    """The time of a capture as HTTP writes it (RFC 9110, 5.6.7)."""
    return format_datetime(capture.seen_at.astimezone(timezone.utc), usegmt=True)


def _about(base: str, url: str) -> list[str]:
    return [
        f'<{plain(url)}>; rel="original"',
        f'<{base}/web/{plain(url)}>; rel="timegate"',
        f'<{base}/web/timemap/link/{plain(url)}>; rel="timemap"; type="{LINK_FORMAT}"',
    ]


def _memento(link: str, rels: list[str], date: str) -> str:
    return f'<{link}>; rel="{" ".join([*rels, "memento"])}"; datetime="{date}"'


def _url(text: str) -> str:
    """The URL at the end of an address; a missing scheme is http. Raises HTTPException 400."""
    url = _SCHEME.sub(r"\1://", text)
    url = url if _SCHEME.match(text) else f"http://{text}"
    try:
        known = absolute(url, url)
    except ValueError:
        known = None
    if not known or len(url) > _LONGEST or "." not in known.partition("://")[2].partition("/")[0]:
        raise HTTPException(
            400, _("地址要写成 /web/20170812034512/http://… 或 /web/http://… 这样。")
        )
    return url


def _padded(stamp: str) -> str:
    """4 to 14 digits as 14. Raises HTTPException 400 if they are no time."""
    full = stamp + _PADDING[len(stamp) :]
    try:
        moment_of(full)
    except ValueError:
        raise HTTPException(
            400, _("{} 不是时间；要写成 20170812034512 这样（世界时）。", stamp)
        ) from None
    return full


def _accepted(header: str | None) -> str:
    """Accept-Datetime as 14 digits. Raises HTTPException 400 if it is no date (RFC 7089, 4.5.3)."""
    if header is None:
        return NOW
    try:
        return stamp_of(parsedate_to_datetime(header)).rjust(14, "0")
    except (ValueError, OverflowError, IndexError, TypeError):
        raise HTTPException(400, _("Accept-Datetime 不是 RFC 9110 写法的时间。")) from None
