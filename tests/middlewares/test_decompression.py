"""Compressed responses are decompressed completely or not at all."""

from __future__ import annotations

import gzip
import sys
import zlib
from typing import Any

import brotli  # type: ignore[import-untyped]
import pytest
from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import HtmlResponse, Response
from scrapy.utils.test import get_crawler

from zjolcrawl.archive.decoding import BrokenAnswer, TooLarge, decoded_body, unpacked
from zjolcrawl.archive.warc import Message
from zjolcrawl.middlewares.decompression import DecompressionMiddleware

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

URL = "http://zjnews.zjol.com.cn/a.shtml"
PAGE = "".join(f"<p>第{number**5}号新闻</p>" for number in range(9000)).encode()
# mtime: all workers of pytest-xdist must collect the same names.
SQUEEZED = gzip.compress(PAGE, mtime=0)


def read(body: bytes, coding: str, most: int = 1 << 20) -> Response:
    settings = {"DOWNLOAD_MAXSIZE": most, "RETRY_ENABLED": False}
    crawler = get_crawler(settings_dict=settings)
    headers = {"Content-Encoding": coding, "Content-Type": "text/html"}
    answer = HtmlResponse(URL, headers=headers, body=body)
    done = DecompressionMiddleware.from_crawler(crawler).process_response(Request(URL), answer)
    assert isinstance(done, Response)
    return done


@pytest.mark.parametrize(
    ("body", "coding", "page"),
    [
        (SQUEEZED, "gzip", PAGE),
        (SQUEEZED, "x-gzip", PAGE),
        (gzip.compress(b"", mtime=0), "gzip", b""),
        (SQUEEZED * 2, "gzip", PAGE + PAGE),
        (SQUEEZED + b"\0\0\0", "gzip", PAGE),
        (zlib.compress(PAGE), "deflate", PAGE),
        (brotli.compress(PAGE, quality=5), "br", PAGE),
        (brotli.compress(SQUEEZED, quality=5), "gzip, br", PAGE),
        (PAGE, "utf-8", PAGE),
        (b"", "gzip", b""),
    ],
)
def test_what_comes_out(body: bytes, coding: str, page: bytes) -> None:
    ours = read(body, coding)
    assert ours.body == page
    assert type(ours) is HtmlResponse
    assert "Content-Encoding" not in ours.headers
    assert decoded_body(Message("HTTP/1.1 200 OK", [("Content-Encoding", coding)], body)) == page


@pytest.mark.parametrize("packed", [gzip.compress, zlib.compress, brotli.compress, zstd.compress])
def test_no_start_of_a_body_is_taken_for_the_whole(packed: Any) -> None:
    coding = {gzip.compress: "gzip", zlib.compress: "deflate", brotli.compress: "br"}.get(
        packed, "zstd"
    )
    whole = packed(PAGE[:2000])
    for length in range(1, len(whole)):
        with pytest.raises(BrokenAnswer, match=f"content coding {coding}: "):
            unpacked(whole[:length], [coding])
    assert unpacked(whole, [coding]) == PAGE[:2000]


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_plain_text_in_the_place_of_a_coding(coding: str) -> None:
    with pytest.raises(BrokenAnswer, match=f"content coding {coding}: "):
        read(b"<html><body>no coding</body></html>", coding)


@pytest.mark.parametrize(
    ("coding", "packed"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("br", brotli.compress), ("zstd", zstd.compress)],
)  # fmt: skip
def test_the_limit_holds_to_the_byte(coding: str, packed: Any) -> None:
    body = packed(PAGE)
    assert read(body, coding, len(PAGE)).body == PAGE
    assert read(body, coding, 0).body == PAGE
    with pytest.raises(IgnoreRequest, match="DOWNLOAD_MAXSIZE"):
        read(body, coding, len(PAGE) - 1)
    with pytest.raises(TooLarge):
        unpacked(packed(bytes(60_000_000)), [coding], 1000)
