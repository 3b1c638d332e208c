"""Answers of CDX servers, in every dialect, and what is no such answer."""

from __future__ import annotations

import json

import pytest

from zjolcrawl.archive.cdx import NotCdx, Row, pages_of, read_cdx

URL = "http://zjnews.zjol.com.cn/a/201708/t20170812_4774532.shtml"
KEY = "cn,com,zjol,zjnews)/a/201708/t20170812_4774532.shtml"
NAMES = ["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"]
VALUES = [KEY, "20170812101112", URL, "text/html", "200", "ABC", "1402"]
ROW = Row(URL, "20170812101112", 200, "text/html", "ABC", length=1402)
PLACED = Row(URL, "20170812101112", 200, "text/html", "ABC", "crawl-data/a.warc.gz", 7, 1402)
OBJECT = {
    "urlkey": KEY, "timestamp": "20170812101112", "url": URL, "mime": "text/html", "status": "200",
    "digest": "ABC", "length": "1402", "offset": "7", "filename": "crawl-data/a.warc.gz",
}  # fmt: skip


@pytest.mark.parametrize(
    ("body", "row"),
    [
        (json.dumps([NAMES, VALUES]), ROW),
        (json.dumps(OBJECT), PLACED),
        (f"{KEY} 20170812101112 {json.dumps({k: v for k, v in OBJECT.items() if k != 'timestamp'})}", PLACED),
        (" ".join(VALUES), ROW),
        (f"{KEY} 20170812101112 {URL} text/html 200 ABC - - 1402 7 crawl-data/a.warc.gz", PLACED),
        (f"\ufeff{json.dumps(OBJECT)}\r\n", PLACED),
    ],
    ids=["wayback", "pywb", "cdxj", "plain 7", "plain 11", "byte order mark"],
)  # fmt: skip
def test_dialects(body: str, row: Row) -> None:
    assert read_cdx(body.encode()).rows == [row]


def test_time_of_a_row() -> None:
    assert ROW.seen_at.isoformat() == "2017-08-12T10:11:12+00:00"


@pytest.mark.parametrize("body", ["", "  \n", "[]", "[]\n", '{"message": "No Captures found for: x"}',
                                  '{"error": "No Captures found for: x", "url": "x"}'])  # fmt: skip
def test_no_captures(body: str) -> None:
    listing = read_cdx(body.encode())
    assert (listing.rows, listing.resume_key, listing.faults) == ([], None, [])


@pytest.mark.parametrize(
    "body",
    [
        json.dumps([NAMES, VALUES, [], ["key+2017%21"]]),
        f"{' '.join(VALUES)}\n\nkey+2017%21\n",
    ],
)
def test_resume_key(body: str) -> None:
    listing = read_cdx(body.encode())
    assert (listing.rows, listing.resume_key) == ([ROW], "key+2017%21")


@pytest.mark.parametrize(
    "bad",
    [
        '{"timestamp": "20170812101112"}', '{"url": "http://x/", "timestamp": "2017"}', "{", "null", "one two",
        '{"url": "http://x/", "timestamp": "20170231000000"}', '{"url": 1', '{"url": "http://x/", "timestamp": null}',
        '{"url": "http://x/", "timestamp": "20170812101112", "status": "many"}', "[" * 100_000,
    ],
)  # fmt: skip
def test_a_bad_line_is_named_and_skipped(bad: str) -> None:
    listing = read_cdx(f"{json.dumps(OBJECT)}\n{bad}\n{json.dumps(OBJECT)}".encode())
    assert listing.rows == [PLACED, PLACED]
    assert listing.faults == [f"not a row of CDX: {bad[:80]}"]
    assert listing.size == 3


def test_a_bad_row_of_a_list_is_named_and_skipped() -> None:
    lines = [
        json.dumps(NAMES),
        json.dumps(VALUES),
        '["cut',
        json.dumps(["only", "two"]),
        "[1]",
        json.dumps(VALUES),
    ]
    listing = read_cdx("[{}]".format(",\n".join(lines)).encode())
    assert listing.rows == [ROW, ROW]
    assert [each.removeprefix("not a row of CDX: ") for each in listing.faults] == lines[2:5]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<!DOCTYPE html><html>", "an HTML or XML page instead of CDX"),
        ("<?xml version='1.0'?>", "an HTML or XML page instead of CDX"),
        (json.dumps([NAMES, VALUES])[:-20], "a list that is cut off"),
        (json.dumps([VALUES]), "a list without a header"),
        ("hello world", "text that is no CDX"),
        ('{"message": "Page 9 invalid"}', "the message 'Page 9 invalid'"),
    ],
)
def test_what_is_no_cdx(body: str, said: str) -> None:
    with pytest.raises(NotCdx, match=said):
        read_cdx(body.encode())


def test_numbers_of_pages() -> None:
    assert pages_of(b"36\n") == 36
    assert pages_of(b'{"pages": 3, "pageSize": 5, "blocks": 11}') == 3
    for bad in (b"1e999", b"", b"<html>", b"{}", b"[]", b"null"):
        with pytest.raises(NotCdx):
            pages_of(bad)


def test_deeply_nested_json_is_no_cdx() -> None:
    with pytest.raises(NotCdx):
        read_cdx(b"[" * 100_000)
