"""Captures in the answers of other archives, and what is none."""

from __future__ import annotations

import gzip

import pytest

from zjolcrawl.archive.cdx import Row
from zjolcrawl.archive.mementos import (
    NotAPage,
    NotTheMemento,
    of_record,
    of_replay,
    redirect_within,
    replay_base,
)
from zjolcrawl.archive.warc import member

URL = "http://zjnews.zjol.com.cn/a/201708/t20170812_4774532.shtml"
ROW = Row(URL, "20170812101112")
BASE = "http://web.archive.org/web/"
TIME = (b"Memento-Datetime", b"Sat, 12 Aug 2017 10:11:13 GMT")


@pytest.mark.parametrize(
    ("cdx", "base"),
    [
        ("http://web.archive.org/cdx/search/cdx", "http://web.archive.org/web/"),
        ("https://arquivo.pt/wayback/cdx", "https://arquivo.pt/wayback/"),
        ("http://localhost:8080/coll/cdx", "http://localhost:8080/coll/"),
        ("http://localhost:8080/coll-cdx", "http://localhost:8080/coll/"),
        ("http://localhost:8080/coll/index", "http://localhost:8080/coll/"),
        ("http://web.archive.org/", None),
        ("ftp://host/cdx", None),
        ("/coll/cdx", None),
        ("http://[::1/cdx", None),
    ],
)
def test_where_pages_are_replayed(cdx: str, base: str | None) -> None:
    assert replay_base(cdx) == base


def test_original_headers() -> None:
    headers = [
        TIME, (b"Content-Type", b"text/html"), (b"X-Archive-Orig-ETag", b'"x"'), (b"Server", b"nginx"),
        (b"x-archive-orig-content-length", b"9"), (b"x-archive-orig-transfer-encoding", b"chunked"),
        (b"Link", b"<x>; rel=original"),
    ]  # fmt: skip
    memento = of_replay(ROW, BASE, 200, headers, b"<html>")
    assert memento.headers == [
        (b"ETag", b'"x"'),
        (b"Content-Type", b"text/html"),
        (b"Content-Length", b"6"),
    ]
    assert memento.seen_at.isoformat() == "2017-08-12T10:11:13+00:00"
    assert memento.provenance["url"] == f"{BASE}20170812101113/{URL}"


@pytest.mark.parametrize("kept", [False, True])
def test_a_coding_that_the_archive_has_undone(kept: bool) -> None:
    body = gzip.compress(b"<html>") if kept else b"<html>"
    headers = [TIME, (b"x-archive-orig-content-encoding", b"gzip")]
    names = [name.lower() for name, _ in of_replay(ROW, BASE, 200, headers, body).headers]
    assert (b"content-encoding" in names) is kept


def test_not_the_memento() -> None:
    with pytest.raises(NotTheMemento, match="HTTP 200 without Memento-Datetime"):
        of_replay(ROW, BASE, 200, [], b"Wayback is down")
    with pytest.raises(NotTheMemento):
        of_replay(ROW, BASE, 200, [(b"Memento-Datetime", b"soon")], b"")
    with pytest.raises(NotAPage, match="HTTP 404"):
        of_replay(ROW, BASE, 404, [TIME], b"")


@pytest.mark.parametrize(
    ("location", "target"),
    [
        (f"/web/20170101000000id_/{URL}", f"{BASE}20170101000000id_/{URL}"),
        (f"{BASE}20170101000000/{URL}", f"{BASE}20170101000000id_/{URL}"),
        (f"https://web.archive.org/web/20170101000000id_/{URL}", f"https://web.archive.org/web/20170101000000id_/{URL}"),
        (f"/web/20170101000000id_/{URL.replace('http:', 'https:')}", f"{BASE}20170101000000id_/{URL}"),
        (f"{BASE}20170101000000id_/http://zjnews.zjol.com.cn/", None),
        (f"http://elsewhere.org/web/20170101000000id_/{URL}", None),
        ("/login", None),
    ],
)  # fmt: skip
def test_redirects_within_an_archive(location: str, target: str | None) -> None:
    assert redirect_within(ROW, f"{BASE}20170812101112id_/{URL}", location) == target


def record(url: str = URL, kind: str = "response", block: bytes = b"") -> bytes:
    fields = [("WARC-Date", "2017-08-12T10:11:12Z"), ("WARC-Target-URI", url)]
    block = (
        block
        or b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: text/html\r\n\r\n<html>"
    )
    return member("urn:uuid:1", kind, fields, block, 6)


def test_a_record_of_common_crawl() -> None:
    memento = of_record(ROW, record())
    assert (memento.body, memento.seen_at.isoformat()) == (b"<html>", "2017-08-12T10:11:12+00:00")
    assert (b"Content-Encoding", b"gzip") not in memento.headers
    assert memento.provenance["record"] == "urn:uuid:1"


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        (b"", NotTheMemento, "cannot be read"),
        (b"<html>", NotTheMemento, "cannot be read"),
        (record()[:-4], NotTheMemento, "cannot be read"),
        (record(block=b"no message"), NotTheMemento, "cannot be read"),
        (record("http://elsewhere.org/"), NotTheMemento, "is of http://elsewhere.org/"),
        (record(block=b"HTTP/1.1 404 No\r\n\r\n"), NotAPage, "HTTP 404"),
        (record(kind="revisit"), NotAPage, "a revisit record"),
    ],
    ids=["empty", "html", "cut", "no message", "another page", "404", "revisit"],
)
def test_no_record(data: bytes, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        of_record(ROW, data)


def test_gzip_bomb() -> None:
    with pytest.raises(NotTheMemento, match="cannot be read"):
        of_record(ROW, gzip.compress(b"\0" * 200_000_000, 1))


@pytest.mark.parametrize(
    "time", [b"Thu, 01 Jan 1970 00:00:00 GMT", b"Fri, 01 Jan 2100 00:00:00 GMT"]
)
def test_time_at_which_nobody_took_a_page(time: bytes) -> None:
    with pytest.raises(NotTheMemento, match="cannot be true"):
        of_replay(ROW, BASE, 200, [(b"Memento-Datetime", time)], b"<html>")


def test_record_of_the_future() -> None:
    data = member("urn:uuid:1", "response", [("WARC-Date", "2100-01-01T00:00:00Z"), ("WARC-Target-URI", URL)],
                  b"HTTP/1.1 200 OK\r\n\r\n<html>", 6)  # fmt: skip
    with pytest.raises(NotTheMemento, match="cannot be true"):
        of_record(ROW, data)
