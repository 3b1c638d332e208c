"""Responses that are cut, damaged or do not fit their request: failed, retried, never a version."""

from __future__ import annotations

import gzip
import sys
import zlib
from dataclasses import replace
from typing import Any

import brotli  # type: ignore[import-untyped]
import pytest
from pymongo.database import Database

from tests.pipelines.test_images import PNG
from tests.spiders import test_paper
from tests.spiders.test_incremental import due_now, row
from tests.support.crawling import Crawl
from tests.support.pages import COLUMN, DAY, article, list_page, serve_column, url_of
from tests.support.rebuilding import assert_rebuilt
from tests.support.site import Answer, Request, SiteProxy
from zjolcrawl.archive.archive import Archive

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FIRST, GOOD = 4774001, 4774900
MORE = "".join(f"<p>　　第{n**3}段，记者从发布会上了解到新的情况。</p>" for n in range(300))
PAGE = article(DAY, FIRST, more=MORE)
LIST = list_page([(DAY, FIRST + n) for n in range(60)])
RETRY = {"RETRY_ENABLED": "True", "RETRY_TIMES": "1"}


def raw_deflate(page: bytes) -> bytes:
    squeeze = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return squeeze.compress(page) + squeeze.flush()


def brotli_of(page: bytes) -> bytes:
    """The page in brotli. The usual quality, 11, takes twenty times as long and gives the same format."""
    packed: bytes = brotli.compress(page, quality=4)
    return packed


def sent(coding: str, body: bytes) -> Answer:
    return Answer(headers={"Content-Encoding": coding, "ETag": '"broken"'}, body=body)


def half(body: bytes) -> bytes:
    return body[: len(body) * 2 // 3]


def broken(page: bytes) -> dict[str, tuple[Answer, str]]:
    """By fault: the response, and the start of the reason."""
    tagged = Answer(headers={"ETag": '"broken"'}, body=page)
    packed = gzip.compress(page, mtime=0)
    return {
        "gzip cut": (sent("gzip", half(packed)), "content coding gzip: the body is cut"),
        "gzip without its trailer": (sent("gzip", packed[:-8]), "content coding gzip: the body is"),
        "gzip cut in its trailer": (sent("gzip", packed[:-1]), "content coding gzip: the body is"),
        "gzip cut in its header": (sent("gzip", packed[:7]), "content coding gzip: the body is"),
        "x-gzip cut": (sent("x-gzip", half(packed)), "content coding x-gzip: the body is cut"),
        "gzip with a bad checksum": (
            sent("gzip", packed[:-8] + b"\1\2\3\4" + packed[-4:]), "content coding gzip: Error -3"),
        "gzip with a bad length": (
            sent("gzip", packed[:-4] + b"\1\2\3\4"), "content coding gzip: Error -3"),
        "gzip with a flipped byte": (
            sent("gzip", packed[:300] + bytes([packed[300] ^ 85]) + packed[301:]),
            "content coding gzip: "),
        "gzip after other bytes": (sent("gzip", b"\r\n" + packed), "content coding gzip: Error -3"),
        "gzip before other bytes": (sent("gzip", packed + b"<!-- -->"), "content coding gzip: E"),
        "gzip before a cut member": (
            sent("gzip", packed + half(packed)), "content coding gzip: the body is cut"),
        "plain text said to be gzip": (sent("gzip", page), "content coding gzip: Error -3"),
        "deflate cut": (sent("deflate", half(zlib.compress(page))), "content coding deflate: "),
        "deflate with a bad checksum": (
            sent("deflate", zlib.compress(page)[:-4] + b"\0\0\0\0"), "content coding deflate: "),
        "raw deflate cut": (
            sent("deflate", half(raw_deflate(page))), "content coding deflate: the body is cut"),
        "brotli cut": (sent("br", half(brotli_of(page))), "content coding br: the body is"),
        "brotli without its last byte": (
            sent("br", brotli_of(page)[:-1]), "content coding br: the body is cut"),
        "brotli before other bytes": (sent("br", brotli_of(page) + b"x"), "content coding br: "),
        "zstd cut": (sent("zstd", half(zstd.compress(page))), "content coding zstd: the body is cut"),
        "zstd before other bytes": (sent("zstd", zstd.compress(page) + b"xxxx"), "content coding zstd: "),
        "the inner of two codings cut": (
            sent("gzip, br", brotli_of(half(packed))), "content coding gzip: the body is cut"),
        "shorter than its length": (replace(tagged, fault="truncate"), "the connection was lost after"),
        "chunks without the last": (
            replace(tagged, chunked=True, fault="truncate"), "the connection was lost after"),
        "gzip shorter than its length": (
            replace(sent("gzip", packed), fault="truncate"), "the connection was lost after"),
        "until the connection's end, cut": (
            replace(tagged, unframed=True, body=half(page)), "a body without a length ends "),
        "until the connection's end, cut in a tag": (
            replace(tagged, unframed=True, body=page[: page.rindex(b"</") + 3]),
            "a body without a length ends within a tag"),
        "until the connection's end, gzip cut": (
            replace(sent("gzip", half(packed)), unframed=True), "content coding gzip: the body is"),
        "304 to no condition": (Answer(status=304, headers={"ETag": '"broken"'}), "HTTP 304 to a"),
    }  # fmt: skip


def whole(page: bytes) -> dict[str, Answer]:
    packed = gzip.compress(page, mtime=0)
    return {
        "gzip": sent("gzip", packed),
        "gzip in two members": sent("gzip", gzip.compress(page[:500]) + gzip.compress(page[500:])),
        "gzip with padding": sent("gzip", packed + bytes(512)),
        "deflate": sent("deflate", zlib.compress(page)),
        "raw deflate": sent("deflate", raw_deflate(page)),
        "brotli": sent("br", brotli_of(page)),
        "zstd": sent("zstd", zstd.compress(page)),
        "zstd in two frames": sent("zstd", zstd.compress(page[:500]) + zstd.compress(page[500:])),
        "two codings": sent("gzip, br", brotli_of(packed)),
        "a coding that is none": sent("utf-8", page),
        "until the connection's end": Answer(body=page, unframed=True),
        "without its last end tag": Answer(body=page.replace(b"</html>", b""), unframed=True),
        "a length, and no end tags": Answer(body=page.replace(b"</body></html>", b"")),
        "in chunks": Answer(body=page, chunked=True),
    }


def serve(site: SiteProxy, answers: dict[int, Answer]) -> None:
    serve_column(site, [[(DAY, ident) for ident in [*answers, GOOD]]])
    for ident, answer in answers.items():
        site.set(url_of(ident), answer)


def test_broken_answer_to_the_first_visit_is_failed(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    cases = {
        FIRST + n: broken(article(DAY, FIRST + n, more=MORE))[name]
        for n, name in enumerate(broken(PAGE))
    }
    serve(site, {ident: answer for ident, (answer, _) in cases.items()})
    done = crawl("column", url=COLUMN, recheck="on")
    assert done.returncode == 1
    assert f"0 rejected, {len(cases)} failed, 0 gone" in done.stderr
    for ident, (_, reason) in cases.items():
        found = row(db, ident)
        assert found["state"] == "failed", (reason, found)
        assert found["last_error"].startswith(f"BrokenAnswer: {reason}"), (reason, found)
        assert found["next_visit_at"] > found["last_attempt_at"]
        assert "etag" not in found
    assert [each["_id"] for each in db.articles.find()] == [url_of(GOOD)]
    assert_rebuilt(db, site, crawl)
    for ident in cases:
        due_now(db, ident)
        site.set(url_of(ident), Answer(body=article(DAY, ident)))
    assert crawl("column", url=COLUMN).returncode == 0
    assert {each["state"] for each in db.frontier.find()} == {"stored"}


def test_broken_answer_to_a_later_visit_is_no_version(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    cases = {
        FIRST + n: broken(article(DAY, FIRST + n, "改过的标题", MORE))[name]
        for n, name in enumerate(broken(PAGE))
    }
    tag = {"ETag": '"good"'}
    serve(site, {i: Answer(body=article(DAY, i, more=MORE), headers=tag) for i in cases})
    assert crawl("column", url=COLUMN, recheck="on").returncode == 0
    before = list(db.articles.find().sort("_id", 1))
    for ident, (answer, _) in cases.items():
        site.set(url_of(ident), answer)
    assert crawl("column", url=COLUMN, recheck="on").returncode == 1
    after = list(db.articles.find().sort("_id", 1))
    assert [each for each in after if each["_id"] != url_of(GOOD)] == before[:-1]
    for ident, (_, reason) in cases.items():
        found = row(db, ident)
        assert (found["state"], found["etag"]) == ("stored", '"good"'), (reason, found)
        assert found["last_error"].startswith(f"BrokenAnswer: {reason}"), (reason, found)
        assert found["next_visit_at"] > found["last_attempt_at"]
    assert db.revisions.count_documents({}) == 0
    assert_rebuilt(db, site, crawl)


def test_whole_answers_of_each_form_are_stored(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    answers = {
        FIRST + n: whole(article(DAY, FIRST + n, more=MORE))[name]
        for n, name in enumerate(whole(PAGE))
    }
    serve(site, answers)
    done = crawl("column", url=COLUMN)
    assert f"stored {len(answers) + 1} new" in done.stderr
    assert {len(each["body"].splitlines()) for each in db.articles.find()} == {301, 1}
    assert db.articles.count_documents({"body": {"$regex": "发布会"}}) == len(answers)
    assert_rebuilt(db, site, crawl)


@pytest.mark.parametrize(
    "name", ["gzip cut", "chunks without the last", "until the connection's end, cut", "304 to no condition"]
)  # fmt: skip
def test_broken_answer_is_asked_for_again_at_once(
    name: str, site: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Any
) -> None:
    serve_column(site, [[(DAY, FIRST)]])
    site.set(url_of(FIRST), [broken(PAGE)[name][0], Answer(body=PAGE)])
    done = crawl("column", url=COLUMN, **RETRY)
    assert done.returncode == 0, done.stderr
    assert site.urls().count(url_of(FIRST)) == 2
    assert row(db, FIRST)["attempts"] == 1
    with Archive(tmp_path / "warc") as archive:
        first, second = archive.index.captures(url=url_of(FIRST))
        assert archive.message(second).body == PAGE
        if name != "304 to no condition":
            kept = archive.message(first).body
            assert kept
            assert kept != PAGE
        lost = archive.read(first.pointer).fields.get("warc-truncated")
        assert lost == ("disconnect" if "chunks" in name else None)
    assert_rebuilt(db, site, crawl)


def test_further_page_of_an_article_that_is_cut_fails_the_whole(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve_column(site, [[(DAY, FIRST)]])
    further = url_of(FIRST).replace(".shtml", "_1.shtml")
    pager = f'<div class="page"><a href="{further}">2</a></div>'
    site.set(url_of(FIRST), Answer(body=article(DAY, FIRST, more=pager)))
    site.set(further, sent("gzip", half(gzip.compress(PAGE))))
    crawl("column", url=COLUMN)
    if further not in site.urls():
        pytest.fail("the second page was not asked for")
    assert row(db, FIRST)["state"] == "failed"
    assert "page 2: BrokenAnswer: content coding gzip" in row(db, FIRST)["last_error"]
    assert db.articles.count_documents({}) == 0


@pytest.mark.parametrize(
    "name", ["gzip cut", "gzip with a bad checksum", "brotli cut", "zstd cut", "raw deflate cut",
             "chunks without the last", "until the connection's end, cut in a tag", "304 to no condition"],
)  # fmt: skip
def test_broken_list_is_not_swept_and_leaves_no_validators(
    name: str, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    answer, reason = broken(LIST)[name]
    site.set(COLUMN, answer)
    done = crawl("column", url=COLUMN)
    assert done.returncode == 1
    assert f"column page {COLUMN}: BrokenAnswer: {reason}" in done.stderr
    (column,) = db.columns.find()
    assert not {"swept_at", "walked_at", "etag", "last_modified", "page_links"} & column.keys()
    assert db.frontier.count_documents({}) == 0


def test_broken_second_page_of_a_list_leaves_the_walk_open(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve_column(site, [[(DAY, FIRST)], [(DAY, FIRST + 1)]])
    site.set(f"{COLUMN}index_1.shtml", broken(LIST)["gzip cut"][0])
    assert crawl("column", url=COLUMN).returncode == 1
    (column,) = db.columns.find()
    assert "walk_open_since" in column
    assert not {"swept_at", "etag"} & column.keys()
    serve_column(site, [[(DAY, FIRST)], [(DAY, FIRST + 1)]])
    assert crawl("column", url=COLUMN).returncode == 0
    assert db.articles.count_documents({}) == 2


def test_304_for_a_link_without_an_article_is_asked_for_again_without_validators(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    def conditional(request: Request) -> Answer:
        if "if-none-match" in request.headers:
            return Answer(status=304)
        return Answer(body=article(DAY, FIRST), headers={"ETag": '"one"'})

    serve_column(site, [[(DAY, FIRST)]])
    site.set(url_of(FIRST), conditional)
    crawl("column", url=COLUMN)
    db.articles.delete_many({})
    due_now(db, FIRST)
    done = crawl("column", url=COLUMN)
    assert done.returncode == 1
    assert "0 same" in done.stderr
    found = row(db, FIRST)
    assert "no article is stored" in found["last_error"]
    assert "etag" not in found
    due_now(db, FIRST)
    assert crawl("column", url=COLUMN).returncode == 0
    assert db.articles.count_documents({}) == 1


@pytest.mark.parametrize("validator", ["ETag", "Last-Modified"])
def test_304_of_the_page_that_a_redirect_leads_to_says_nothing_of_the_link(
    validator: str, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    value = '"one"' if validator == "ETag" else "Sat, 12 Aug 2017 02:00:00 GMT"
    serve_column(site, [[(DAY, FIRST)]])
    site.set(url_of(FIRST), Answer(body=PAGE, headers={validator: value}))
    crawl("column", url=COLUMN)
    due_now(db, FIRST)
    other = url_of(FIRST + 1)
    site.set(url_of(FIRST), Answer(status=302, headers={"Location": other}))
    site.set(other, Answer(status=304))
    assert crawl("column", url=COLUMN).returncode == 1
    found = row(db, FIRST)
    assert (found["state"], found["last_error"]) == ("stored", f"HTTP 304 of another page, {other}")
    assert not {"etag", "last_modified"} & found.keys()
    assert_rebuilt(db, site, crawl)


@pytest.mark.parametrize("cut", [
    sent("gzip", half(gzip.compress(PNG))), Answer(body=PNG, fault="truncate"),
])  # fmt: skip
def test_cut_image_is_failed_and_comes_with_the_next_visit(
    cut: Answer, site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    serve_column(site, [[(DAY, FIRST)]])
    page = article(DAY, FIRST, more='<p><img src="./W020170812.png"></p>')
    site.set(url_of(FIRST), Answer(body=page))
    site.set(f"{url_of(FIRST).rpartition('/')[0]}/W020170812.png", [cut, Answer(body=PNG)])
    for status, code in (("failed", 1), ("stored", 0)):
        assert crawl("column", url=COLUMN, recheck="on").returncode == code
        (stored,) = db.articles.find()
        assert [each["status"] for each in stored["images"]] == [status]
    if cut.fault:
        assert_rebuilt(db, site, crawl)


def test_cut_page_of_a_paper_is_an_error_and_its_issue_is_read_again(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    paper = test_paper.page(3079901)
    for name in ("node_2.htm", "node_3.htm"):
        site.set(f"{test_paper.ISSUE}{name}", test_paper.page(3079900 + len(name), (2, 3)))
    site.set(test_paper.CALENDAR, test_paper.calendar(test_paper.DAY))
    site.set(f"{test_paper.ISSUE}node_3.htm", sent("gzip", half(gzip.compress(paper.body))))
    done = crawl("paper", paper="zjrb", date=test_paper.DAY)
    assert done.returncode == 1
    assert f"column page {test_paper.ISSUE}node_3.htm: BrokenAnswer: content" in done.stderr
    assert db.frontier.find_one({"_id": f"{test_paper.ISSUE}content_3079901.htm"}) is None
    site.set(f"{test_paper.ISSUE}node_3.htm", paper)
    crawl("paper", paper="zjrb", date=test_paper.DAY)
    assert db.frontier.find_one({"_id": f"{test_paper.ISSUE}content_3079901.htm"}) is not None


def test_excerpt_of_a_rejected_page_can_be_read(
    site: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    """Whatever its encoding."""
    page = "<html><title>浙江</title><body><h1></h1><p>没有正文。</p></body></html>"
    site.set(url_of(FIRST), Answer(body=page.encode("gb18030")))
    assert crawl("article", url=url_of(FIRST)).returncode == 1
    (reject,) = db.rejects.find()
    assert reject["excerpt"] == page
