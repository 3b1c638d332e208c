"""Squeezed answers are read as Scrapy's own middleware reads them."""

from __future__ import annotations

import gzip
import zlib

import brotli  # type: ignore[import-untyped]
import pytest
from scrapy import Request
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import HtmlResponse, Response
from scrapy.utils.test import get_crawler

from zjolcrawl.middlewares.decompression import DecompressionMiddleware

URL = "http://zjnews.zjol.com.cn/a.shtml"
PAGE = "".join(f"<p>第{number**5}号新闻</p>" for number in range(9000)).encode()
SQUEEZED = gzip.compress(PAGE)


def read(body: bytes, coding: str, stock: type[HttpCompressionMiddleware], most: int) -> Response:
    crawler = get_crawler(settings_dict={"DOWNLOAD_MAXSIZE": most})
    headers = {"Content-Encoding": coding, "Content-Type": "text/html"}
    answer = HtmlResponse(URL, headers=headers, body=body)
    done = stock.from_crawler(crawler).process_response(Request(URL), answer)
    assert isinstance(done, Response)
    return done


@pytest.mark.parametrize(
    ("body", "coding", "page"),
    [
        (SQUEEZED, "gzip", PAGE),
        (SQUEEZED, "x-gzip", PAGE),
        (gzip.compress(b"", mtime=0), "gzip", b""),
        (SQUEEZED + gzip.compress(PAGE), "gzip", PAGE + PAGE),
        (SQUEEZED + b"\0\0\0", "gzip", PAGE),
        (SQUEEZED + b"<!-- -->", "gzip", PAGE),
        (SQUEEZED[:-4], "gzip", PAGE),
        (SQUEEZED[:-8] + b"\0\0\0\0" + SQUEEZED[-4:], "gzip", PAGE),
        (zlib.compress(PAGE), "deflate", PAGE),
        (brotli.compress(PAGE), "br", PAGE),
        (brotli.compress(SQUEEZED), "gzip, br", PAGE),
    ],
)
def test_what_comes_out(body: bytes, coding: str, page: bytes) -> None:
    ours = read(body, coding, DecompressionMiddleware, 1 << 20)
    assert ours.body == page
    assert type(ours) is HtmlResponse
    assert "Content-Encoding" not in ours.headers


def test_of_a_broken_answer_the_start_is_read() -> None:
    body = read(SQUEEZED[: len(SQUEEZED) // 2], "gzip", DecompressionMiddleware, 1 << 20).body
    assert body
    assert PAGE.startswith(body)
    assert body != PAGE


def test_what_is_no_gzip_is_an_error_as_with_scrapy() -> None:
    for which in (HttpCompressionMiddleware, DecompressionMiddleware):
        with pytest.raises(gzip.BadGzipFile):
            read(b"<html>", "gzip", which, 1 << 20)


def test_the_limit_holds_to_the_byte() -> None:
    assert read(SQUEEZED, "gzip", DecompressionMiddleware, len(PAGE)).body == PAGE
    assert read(SQUEEZED, "gzip", DecompressionMiddleware, 0).body == PAGE
    with pytest.raises(IgnoreRequest, match="DOWNLOAD_MAXSIZE"):
        read(SQUEEZED, "gzip", DecompressionMiddleware, len(PAGE) - 1)
