"""Finds captures of a URL for replay, by time and in any spelling of the URL. Opens the archive read-only.

A capture here has a response: records of failed requests are left out. Times are to the second, as 14 digits
in UTC, as in the addresses of Wayback and pywb. Captures of http and https, with and without `www.`, with and
without a slash at the end are one resource, as in their indexes.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import merge
from itertools import islice, product
from pathlib import Path
from urllib.parse import quote, unquote

from zjolcrawl.archive.archive import read_record
from zjolcrawl.archive.captures import Capture, url_key
from zjolcrawl.archive.files import ArchiveError
from zjolcrawl.archive.index import ArchiveIndex
from zjolcrawl.archive.index_file import NAME
from zjolcrawl.archive.s3 import WarcStore
from zjolcrawl.archive.warc import Message
from zjolcrawl.parsing.urls import absolute, host_of, normalized
from zjolcrawl.site.description import DEFAULT_PORTS

_SHOWN = "status IS NOT NULL AND type <> 'metadata'"
_WAIT = 5  # seconds for a lock of another process
_CODE = re.compile("%[0-9A-F]{2}")
_CODES = re.compile("(?:%[0-9A-Fa-f]{2})+")
_LEFT_RAW = set('{}^`<>"|\\ ')
_WWW = "www."
_LAST = "\U0010ffff"  # sorts after all URLs that begin alike
_AFTER = "~"  # sorts after all that may follow the seconds of a WARC-Date


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The other captures of a URL around one: None where there is none."""

    first: Capture
    last: Capture
    previous: Capture | None
    next: Capture | None


def date_prefix(stamp: str) -> str:
    """4 to 14 digits as the beginning of a WARC-Date: 201708 gives 2017-08."""
    parts = (stamp[:4], stamp[4:6], stamp[6:8], stamp[8:10], stamp[10:12], stamp[12:14])
    marks = ("", "-", "-", "T", ":", ":")
    return "".join(mark + part for mark, part in zip(marks, parts, strict=True) if part)


def spellings(url: str) -> tuple[str, ...]:
    """The URLs that stand for the same resource as `url`; the given one is first."""
    url = url.partition("#")[0]
    plain = absolute(url, url) or url
    normal = normalized(plain)
    found = [url]
    for text in (plain, normal, _CODE.sub(lambda code: code[0].lower(), normal), _unencoded(plain)):
        scheme, _, rest = text.partition("://")
        if scheme not in {"http", "https"} or not rest:
            continue
        host, _, path = rest.partition("/")
        # Only without a query: in one, a slash at the end may matter.
        paths = [f"/{path}"] if "?" in path else [f"/{path.rstrip('/')}", f"/{path.rstrip('/')}/"]
        if not path.rstrip("/"):
            paths = ["/", ""]
        found += [origin + path for origin, path in product(_origins(host), paths)]
    return tuple(dict.fromkeys(found))


def _unencoded(url: str) -> str:
    """A URL with the characters that only a program leaves without percent-encoding."""

    def raw(found: re.Match[str]) -> str:
        text = unquote(found[0], errors="surrogateescape")
        return "".join(
            each
            if each in _LEFT_RAW or (each > "\x7f" and not "\ud800" <= each <= "\udfff")
            else quote(each, safe="", errors="surrogateescape")
            for each in text
        )

    return _CODES.sub(raw, url)


def _origins(host: str) -> Iterator[str]:
    """The beginnings of the URLs of one host: http and https, `www.`, and default ports as others may write them."""
    bare = host.removeprefix(_WWW)
    for scheme, port in DEFAULT_PORTS.items():
        for name in (bare, _WWW + bare):
            yield f"{scheme}://{name}"
            if ":" not in bare:
                yield f"{scheme}://{name}:{port}"


class ReplayIndex(ArchiveIndex):
    """The index of an archive, for reading only."""

    def __init__(self, folder: Path) -> None:
        """Open the index. Raises sqlite3.Error."""
        self.note = ""
        path = folder.absolute() / NAME
        self._db = sqlite3.connect(
            f"{path.as_uri()}?mode=ro", timeout=_WAIT, uri=True, check_same_thread=False
        )

    def mementos(
        self, url: str, since: str = "", until: str = "", most: int = -1, *, newest: bool = False
    ) -> Iterator[Capture]:
        """Captures of a URL from `since` to `until` (4 to 14 digits or empty, both included), by time."""
        urls = spellings(url)
        order = "DESC" if newest else "ASC"
        where = (
            f"WHERE url IN ({_marks(urls)}) AND {_SHOWN} AND date >= ? AND date < ?"
            f" ORDER BY date {order}, file, offset LIMIT ?"
        )
        return self._select(where, (*urls, *_span(since, until), most))

    def nearest_first(self, url: str, stamp: str) -> Iterator[Capture]:
        """Captures of a URL, the nearest to a time of 14 digits first.

        Of two that are equally near, the earlier one is first; of the same second, the one with exactly this
        URL, then the last.
        """
        urls = spellings(url)
        where = (
            f"WHERE url IN ({_marks(urls)}) AND {_SHOWN}"
            " ORDER BY abs(ifnull(julianday(substr(date, 1, 19)), 0) - julianday(?)), substr(date, 1, 19),"
            " url <> ?, date DESC, file, offset"
        )
        return self._select(where, (*urls, date_prefix(stamp), urls[0]))

    def around_capture(self, capture: Capture) -> Neighbours:
        """The first and last capture of the same resource, and those before and after this one."""
        urls, second = spellings(capture.url), capture.date[:19]
        of_url = f"WHERE url IN ({_marks(urls)}) AND {_SHOWN}"

        def one(more: str, *values: str) -> Capture | None:
            return next(self._select(f"{of_url} {more} LIMIT 1", (*urls, *values)), None)

        return Neighbours(
            one("ORDER BY date") or capture,
            one("ORDER BY date DESC") or capture,
            one("AND date < ? ORDER BY date DESC", second),
            one("AND date > ? ORDER BY date", second + _AFTER),
        )

    def beginning_with(self, url: str, since: str, until: str, most: int) -> Iterator[Capture]:
        """Captures of all URLs that begin with `url`, by URL without scheme and `www.`, then by time."""
        host, _, path = (absolute(url, url) or url).partition("://")[2].partition("/")
        starts = [f"{origin}/{path}" for origin in _origins(host)]
        return self._ranges(starts, "", since, until, most)

    def of_domain(self, domain: str, since: str, until: str, most: int) -> Iterator[Capture]:
        """Captures of a domain and its subdomains, in the same order. Reads the whole index."""
        found = self._ranges(["http://", "https://"], domain, since, until, -1)
        inside = (each for each in found if f".{host_of(each.url)}".endswith(f".{domain}"))
        return islice(inside, most)

    def _ranges(
        self, starts: Iterable[str], part: str, since: str, until: str, most: int
    ) -> Iterator[Capture]:
        """Captures of URLs that begin with one of `starts` and contain `part`."""
        where = (
            f"WHERE url >= ? AND url < ? AND instr(url, ?) > 0 AND {_SHOWN} AND date >= ? AND date < ?"
            " ORDER BY url, date LIMIT ?"
        )
        found = (
            self._select(where, (start, start + _LAST, part, *_span(since, until), most))
            for start in starts
        )
        by_url = merge(*found, key=lambda each: (_bare(each.url), each.date))
        return islice(by_url, most if most >= 0 else None)


@contextmanager
def open_index(folder: Path) -> Iterator[ReplayIndex | None]:
    """The index of the archive in `folder`, or None if there is none. Raises ArchiveError."""
    if not (folder / NAME).is_file():
        yield None
        return
    try:
        index = ReplayIndex(folder)
        try:
            yield index
        finally:
            index.close()
    except sqlite3.Error as error:
        raise ArchiveError(
            f"{folder / NAME} cannot be read ({error}); see scrapy health"
        ) from error


@dataclass(frozen=True, slots=True)
class Replayer:
    """Reads responses of captures: an open index, the folder of the WARC files and their store."""

    index: ReplayIndex
    folder: Path
    store: WarcStore | None = None

    def find(self, url: str, stamp: str) -> Capture | None:
        """The capture nearest to a time of 14 digits, or None.

        A redirect to the resource itself (http to https) is only taken if there is nothing else, as in pywb.
        Raises ArchiveError.
        """
        first = None
        for capture in self.index.nearest_first(url, stamp):
            if not self.leads_to_itself(capture):
                return capture
            first = first or capture
        return first

    def leads_to_itself(self, capture: Capture) -> bool:
        """Whether a capture is a redirect to another spelling of its URL. Raises ArchiveError."""
        if not 300 <= (capture.status or 0) < 400 or capture.status == 304:
            return False
        target = target_of(capture, self.message(capture))
        return target is not None and url_key(target) == url_key(capture.url)

    def message(self, capture: Capture) -> Message:
        """The response of a capture, its body as received.

        A revisit has its own headers and the body of the record that it refers to. A 304 says that this
        record still held, so it is that record's response. Raises ArchiveError.
        """
        message = self._read(capture)
        if capture.type != "revisit":
            return message
        origin = self.index.record(capture.origin) if capture.origin else None
        if origin is None:
            raise ArchiveError(f"{capture.pointer.record_id} refers to a missing record")
        first = self._read(origin)
        if capture.status == 304:
            return first
        return Message(message.first_line, message.headers, first.body)

    def _read(self, capture: Capture) -> Message:
        try:
            message = read_record(self.folder, capture.pointer, self.store).message
            message.status  # noqa: B018 (raises ValueError if there is none)
        except (ValueError, IndexError) as error:
            raise ArchiveError(str(error)) from error
        return message


def target_of(capture: Capture, message: Message) -> str | None:
    """The absolute URL that a redirect leads to; None if it names none on http or https."""
    location = message.header("location")
    try:
        return absolute(capture.url, location) if location else None
    except ValueError:
        return None


def _span(since: str, until: str) -> tuple[str, str]:
    """Bounds of WARC-Dates: the first included, the last excluded."""
    return date_prefix(since), date_prefix(until) + _AFTER


def _marks(urls: tuple[str, ...]) -> str:
    return ", ".join("?" * len(urls))


def _bare(url: str) -> str:
    """A URL without scheme, `www.` and default port."""
    host, slash, path = url.partition("://")[2].removeprefix(_WWW).partition("/")
    return re.sub(":(?:80|443)$", "", host) + slash + path
