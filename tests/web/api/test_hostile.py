"""Hostile parameters, headers and articles: each answer is well-formed, and none is a server error."""

from __future__ import annotations

import base64
import json

import pytest

from tests.web.api.asking import ROOT, ask, get, problem, told
from tests.web.sample import FOE, REFERENCE
from tests.web.serving import Web

PATHS = (
    "search",
    "articles",
    "article",
    "revisions",
    "columns",
    "counts",
    "health",
    "openapi.json",
)
QUERIES = [
    "words=" + "%F0%9F%98%80" * 200, "words=" + "%22" * 200, "words=" + "+".join(["%E6%B5%99"] * 99),
    "words=%E2%80%AE%E2%81%A6", "words=" + "a" * 60_000, "words=%00", "words=%ED%A0%80", "words=-x", "words=OR", "words=",
    "limit=0", "limit=-1", "limit=101", "limit=1e2", "limit=%2B1", "limit=1_0", "limit=%EF%BC%91", "limit=" + "9" * 5000, "limit=",
    "limit=5&limit=5", "since=2017-02-30", "since=2017-W01-1", "since=20170812", "since=%EF%BC%92017-08-12", "since=0001-01-01",
    "since=9999-12-31", "since=2018-01-01&until=2017-01-01", "until=7d", "changed_since=99999d", "changed_since=-1d", "gone_since=x",
    "column=" + "a," * 90, "column=" + "a," * 9000, "column=,", "column=", "&".join(["column=zjxw"] * 3000), "host=..%2F..", "host=%00",
    "host=http://zjnews.zjol.com.cn/", "person=" + "%EF%BC%8C" * 60, "tag=%ED%A0%80", "tag=%3Cscript%3E", "tag=" + "x" * 201,
    "edited[$ne]=1", "edited=x", "edited=2", "edited=", "images=%00", "order=best", "order=", "by=week", "q=x", "Words=x", "$where=1",
    "url=", "url=x", "url=http://[", "url=http://%00/", "url=" + "x" * 2001, "url=javascript:alert(1)", "url=file:///etc/passwd",
    "url=http://zjnews.zjol.com.cn/" + "%25" * 600, "url[$gt]=", "cursor=", "cursor=x", "cursor=" + "A" * 20_000, "cursor=%00", "cursor=====",
    "&".join(f"q{n}=1" for n in range(3000)), ";" * 5000, "=" * 5000, "%FF%FE=1", "%0D%0ASet-Cookie:x=1",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_queries(path: str, web: Web) -> None:
    for query in QUERIES:
        got = web.raw(f"{ROOT}/{path}?{query}")
        if got.status == 200:
            json.loads(got.body)
        else:
            assert told(got)["status"] in {400, 404}, (query[:80], got.text[:300])
            assert len(got.body) < 10_000
        assert "set-cookie" not in got.headers


def cursor(*key: object, mark: str) -> str:
    text = json.dumps([mark, *key])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


KEYS = [
    (), (None,), (1, 2, 3, 4), (None, None), ("x", "x"), (2**70, "x"), (-(2**63), "x"), (2**63 - 1, "x"), (1.5, "x"), (True, "x"),
    ({"$gt": 1}, "x"), (None, {"$gt": ""}), (None, "\ud800"), (None, "\0"), (0, ""), (0, "x" * 3000), (None, "x"),
    (0, None, "x"), (1, 2**63 - 1, "x"), (1, -1, "x"), (2, 0, "x"), (-1, 0, "x"), (0, 42 * 10**17 - 1, "x"), (1, 0, ["x"]),
    (0, 0), (2**62,), (-(2**63),), (2**63,), ({"$gt": 0},), ([],), ("x",), ([], []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "asked"),
    [("articles", {}), ("articles", {"changed_since": "2010-01-01"}), ("search", {"words": "浙江"}),
     ("search", {"words": "浙江", "changed_since": "2010-01-01"}), ("search", {"words": "浙江", "order": "relevance"}),
     ("revisions", {"url": REFERENCE})],
)  # fmt: skip
def test_forged_cursors(path: str, asked: dict[str, str], web: Web) -> None:
    """With the right mark of the query, which is no secret."""
    made = ask(web, path, **asked, limit=1)["next"]
    mark = json.loads(base64.urlsafe_b64decode(made + "=" * (-len(made) % 4)))[0]
    for key in KEYS:
        got = get(web, path, **asked, cursor=cursor(*key, mark=mark))
        assert got.status == 200 or told(got)["parameter"] == "cursor", key
    for text in ("[" * 3000, "1" * 6000, '{"a":1}', "null", "[]", '"x"', "\udc80"):
        packed = (
            base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode().rstrip("=")
        )
        assert problem(web, path, **asked, cursor=packed)["parameter"] == "cursor"


def test_a_cursor_belongs_to_its_query(web: Web) -> None:
    following = ask(web, "articles", column="zjxw", limit=1)["next"]
    assert ask(web, "articles", column="zjxw", limit=5, cursor=following)["articles"]
    found = problem(web, "articles", column="zjxc", cursor=following)
    assert "other parameters" in found["detail"]
    assert problem(web, "search", column="zjxw", cursor=following)["parameter"] == "cursor"


def test_unknown_parameters_have_the_nearest(web: Web) -> None:
    found = problem(web, "articles", colum="zjxw")
    assert (found["parameter"], found["near"]) == ("colum", "column")
    assert "did you mean column?" in found["detail"]
    assert problem(web, "columns", limit=1)["parameter"] == "limit"
    assert problem(web, "articles", words="x")["parameter"] == "words"


def test_a_search_needs_words_or_a_filter(web: Web) -> None:
    assert problem(web, "search")["parameter"] == "words"
    assert problem(web, "counts")["parameter"] == "words"
    assert problem(web, "search", words="-督察")["detail"].startswith("words: ")


def test_foe_is_only_text(web: Web) -> None:
    got = get(web, "article", url=FOE)
    assert got.headers["content-type"] == "application/json"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert json.loads(got.body)["title"].startswith("恶意标题<script>")
    page = web.raw(f"{ROOT}/?<script>")
    assert b"<script" not in page.body


def test_long_paths(web: Web) -> None:
    for path in (
        "x" * 5000,
        "%00",
        "%F0%9F%98%80",
        "..%2F..%2Fetc",
        "search/",
        "search/x",
        "%ED%A0%80",
    ):
        got = web.raw(f"{ROOT}/{path}")
        assert got.status in {307, 404}
        if got.status == 404:
            assert len(told(got)["detail"]) < 1000
