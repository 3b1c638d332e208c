"""Records of other programs that are rare or not quite as the standard has them: imported, or named by offset."""

from __future__ import annotations

import gzip
import io
import itertools
import random

import pytest

from tests.archive import foreign_made as made
from tests.archive.test_foreign_file import BODIES, FORMS, URLS, WARC, read
from zjolcrawl.archive.foreign import Foreign, ForeignFile
from zjolcrawl.archive.foreign_exchange import BadRecord, Candidate, candidate_of, response_of
from zjolcrawl.archive.warc import Record

URL = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774001.shtml"
PAGE = made.http(b"page", Content_Type="text/html")


def candidate(data: bytes) -> Candidate | None:
    """What is made of the only record of a file."""
    (found,) = ForeignFile(io.BytesIO(data))
    assert isinstance(found, Foreign), found
    return candidate_of(found)


@pytest.mark.parametrize(
    "fields",
    [
        {"url": ""},
        {"url": "<>"},
        {"url": "http://zjnews.zjol.com.cn/zjnews/zjxw\r\n /201708/t20170812_4774001.shtml"},
        {"url": "http://zjnews.zjol.com.cn/zjnews/zjxw/\r\n\t201708/t20170812_4774001.shtml"},
        {"url": URL, "WARC_Segment_Number": "1"},
        {"url": URL, "WARC_Segment_Number": "2", "kind": "continuation"},
        {"url": URL, "kind": "continuation"},
        {"url": URL, "WARC_Segment_Number": "1", "kind": "resource"},
        {"url": URL, "WARC_Type": ""},
    ],
)
def test_record_that_cannot_be_used_is_named(fields: dict[str, str]) -> None:
    found = candidate(made.warc_record(fields.pop("url"), PAGE, **fields))
    assert found
    assert found.fault
    assert found.response is None


@pytest.mark.parametrize(
    ("url", "encoded"),
    [("专题/西湖.shtml", "%E4%B8%93%E9%A2%98/%E8%A5%BF%E6%B9%96.shtml"), ("a b{1}.shtml", "a%20b%7B1%7D.shtml"),
     ("%e4%b8%93.shtml", "%e4%b8%93.shtml"), ("x?栏目=1&b=%26", "x?%E6%A0%8F%E7%9B%AE=1&b=%26")],
)  # fmt: skip
def test_url_is_encoded_as_in_a_request(url: str, encoded: str) -> None:
    found = candidate(made.warc_record(f"http://zjnews.zjol.com.cn/{url}", PAGE))
    assert found
    assert (found.url, found.fault) == (f"http://zjnews.zjol.com.cn/{encoded}", "")


@pytest.mark.parametrize(
    "url",
    ["http://zjnews.zjol.com.cn:x/a", "http://www.example.com:99999/", "http://zjnews.zjol.com.cn:٤/", "http://a:-1/",
     "http://zjnews.zjol.com.cn:80x:80/a", "http://[::1/a", "http://[zjol.com.cn/", "http://zjnews..zjol.com.cn:8 0/"],
)  # fmt: skip
def test_url_that_is_none_is_of_another_host(url: str) -> None:
    found = candidate(made.warc_record(url, PAGE))
    assert found
    assert (found.moment, found.response, found.fault) == (None, None, "")


@pytest.mark.parametrize(
    "fold", ["WARC-Target-URI:\r\n {}", "WARC-Target-URI: \r\n\t<{}>", "WARC-Target-URI: {}\r\n "]
)
def test_header_of_two_lines(fold: str) -> None:
    data = made.warc_record(URL, PAGE).replace(
        f"WARC-Target-URI: {URL}".encode(), fold.format(URL).encode()
    )
    found = candidate(data)
    assert found
    assert (found.url, found.fault) == (URL, "")
    data = made.warc_record(URL, PAGE, WARC_Date="\r\n 2019-03-01T08:00:00Z", X_Note="a\r\n b")
    found = candidate(data)
    assert found
    assert found.moment == made.moment()


def test_segment_of_another_host_is_not_named() -> None:
    found = candidate(made.warc_record("http://example.org/", PAGE, WARC_Segment_Number="1"))
    assert found
    assert (found.fault, found.moment) == ("", None)


@pytest.mark.parametrize(
    "before",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n" * 3 + b"HTTP/1.1 100\r\n\r\n",
        b"http/1.0 100 Continue\n\n",
    ],
)
def test_interim_response(before: bytes) -> None:
    digest = made.digest(b"page")
    fields = {"warc-type": "response", "warc-payload-digest": digest}
    found = response_of(Record(fields, before + PAGE))
    assert (found.status, found.body) == (200, b"page")
    assert found.headers == [(b"Content-Type", b"text/html")]
    with pytest.raises(BadRecord):
        response_of(Record(fields, before))


def test_interim_response_in_the_body_is_text() -> None:
    body = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"
    assert response_of(Record({"warc-type": "response"}, made.http(body))).body == body


PARTS = {name: FORMS[name] for name in ("members", "plain", "one member")}


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(PARTS, 2)))
@pytest.mark.parametrize("between", [b"", b"\r\n\r\n"])
def test_mixed_compression(first: str, second: str, between: bytes) -> None:
    data = PARTS[first] + between + PARTS[second] + between + PARTS[first]
    urls, bad = read(data)
    assert (urls, bad) == (URLS * 3, [])
    found = [each for each in ForeignFile(io.BytesIO(data)) if isinstance(each, Foreign)]
    last = found[10:] if first != "one member" else found[10:11]
    start = len(PARTS[first] + between + PARTS[second] + between)
    assert min(each.offset for each in last) == start


@pytest.mark.parametrize(("first", "second"), [("plain", "members"), ("members", "plain")])
def test_damage_before_the_compression_changes(first: str, second: str) -> None:
    """Noise, a record that is cut off, and a record of a wrong length."""
    noise = random.Random(1).randbytes(3000)
    cut = {"plain": WARC[4], "members": gzip.compress(WARC[4], mtime=0)}[first][:-1500]
    wrong = made.warc_record(URLS[4], made.http(BODIES[4]), Content_Length="99999")
    wrong = {"plain": wrong, "members": gzip.compress(wrong, mtime=0)}[first]
    for damage in (noise, cut, wrong):
        urls, bad = read(PARTS[first] + damage + PARTS[second])
        assert urls == URLS * 2
        assert bad


def test_many_blank_lines_take_linear_time() -> None:
    urls, bad = read(gzip.compress(WARC[0]) + b"\r\n" * 4_000_000 + WARC[1])
    assert (urls, bad) == (URLS[:2], [])
