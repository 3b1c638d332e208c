"""Allowed hosts and methods, and security headers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.conftest import Archive
from tests.web.sample import FOE, REFERENCE
from tests.web.serving import Web, browsing
from zjolcrawl.setting_values import browse_hosts
from zjolcrawl.web.security import is_ours

EVERY = [
    "/", "/?q=%E6%B5%99%E6%B1%9F", f"/article?url={REFERENCE}", f"/history?url={REFERENCE}",
    f"/record?url={REFERENCE}", "/columns", "/calendar", "/changes", "/health", "/nothing", "/?page=0",
    f"/article?url={REFERENCE}&at=20991231235959", f"/cite?url={REFERENCE}&format=ris", f"/cdx?url={REFERENCE}",
    f"/download?url={REFERENCE}&part=record", f"/web/*/{REFERENCE}", f"/web/timemap/link/{REFERENCE}", "/web/x",
    "/static/style.css", "/image/" + "0" * 64, "/feeds", "/feeds/changes.atom", "/feeds/x",
    "/api/v1/", "/api/v1/nothing", "/api/v1/openapi.json",
    "/api/v1/search?words=%E6%B5%99%E6%B1%9F&order=relevance", "/api/v1/articles?limit=3", "/api/v1/columns",
    f"/api/v1/article?url={REFERENCE}", f"/api/v1/revisions?url={REFERENCE}&limit=2", "/api/v1/health",
    "/api/v1/counts?tag=x&by=day", "/api/v1/articles?changed_since=7d&limit=0",
]  # fmt: skip


@pytest.mark.parametrize("target", EVERY)
def test_every_answer_has_the_headers(target: str, web: Web) -> None:
    headers = web.raw(target).headers
    policy = headers["content-security-policy"]
    assert policy.split("; ") == [
        "default-src 'none'", "style-src 'self'", "img-src 'self'", "form-action 'self'",
        "base-uri 'none'", "frame-ancestors 'none'",
    ]  # fmt: skip
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "server" not in headers


@pytest.mark.parametrize("target", ["/", "/article", "/nothing", "/image/x", "/api/v1/search"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "X"])
def test_only_get_and_head(method: str, target: str, web: Web) -> None:
    got = web.raw(target, method)
    assert (got.status, got.headers["allow"]) == (405, "GET, HEAD")
    assert "content-security-policy" in got.headers


def test_head_is_get_without_a_body(web: Web) -> None:
    got, head = web.get("/columns"), web.raw("/columns", "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8017", "127.0.0.1.evil.example", "localhost.evil.example",
     "127.0.0.1@evil.example", "10.0.0.7", "", "[::1", "localhost:x", "a b"],
)  # fmt: skip
def test_a_name_that_is_not_ours_is_refused(host: str, web: Web) -> None:
    got = web.get("/", headers={"Host": host})
    assert got.status == 400
    assert "归档" not in got.text.partition("<main")[2]


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8017", "127.3.2.1"]
)
def test_loopback_names_are_ours(host: str, web: Web) -> None:
    assert web.get("/columns", headers={"Host": host}).status == 200


def test_a_bare_address_is_ours_only_where_others_can_reach_it() -> None:
    assert is_ours("10.0.0.7:80", "0.0.0.0")
    assert is_ours("archive.lan", "archive.lan")
    assert not is_ours("other.lan", "archive.lan")
    assert not is_ours("10.0.0.7", "127.0.0.1")


def test_names_of_a_proxy_are_ours_if_they_are_given() -> None:
    names = browse_hosts(" News.example.org, archive.lan ,")
    assert names == ("news.example.org", "archive.lan")
    for name in (
        "news.example.org",
        "NEWS.example.org:443",
        "news.example.org.",
        "archive.lan:8017",
    ):
        assert is_ours(name, "127.0.0.1", names)
        assert not is_ours(name, "127.0.0.1")
    for name in (
        "example.org",
        "x.news.example.org",
        "news.example.org.evil.example",
        "news.example.org@evil.example",
    ):
        assert not is_ours(name, "127.0.0.1", names)
    assert browse_hosts("") == ()
    assert not is_ours("", "127.0.0.1", browse_hosts(""))


@pytest.mark.parametrize(
    "value",
    [
        "http://news.example.org",
        "news.example.org:443",
        "*",
        "*.example.org",
        "a b",
        "a..b",
        "-",
        "新闻.cn",
        "a,b/",
    ],
)
def test_what_is_no_host_name_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"setting BROWSE_HOSTS=.* is not a host name"):
        browse_hosts(value)


def is_catch_up(op: dict[str, Any]) -> bool:
    """Whether a query comes from the full-text index, for which a page waits a second at most."""
    command = op["command"]
    if {"hello", "listCollections", "count"} & command.keys():
        return True
    return command.get("find") == "articles" and (
        "written_at" in command.get("projection", {}) or "maxTimeMS" not in command
    )


def test_no_page_writes_and_every_query_has_a_time_limit(archive: Archive) -> None:
    """Checked in the server's own record of all queries of the pages."""
    entry = archive.db.articles.find_one(
        {"images.status": "stored", "images.sha256": {"$ne": None}}
    )
    assert entry is not None
    more = [f"/article?url={FOE}", f"/image/{entry['images'][0]['sha256']}",
            f"/article?url={REFERENCE}&revision=1", "/?edited=1&column=zjxw&person=x"]  # fmt: skip
    with browsing(archive.data, archive.uri, archive.database) as (web, _):
        archive.db.command("profile", 2)
        try:
            for target in (*EVERY, *more):
                assert web.raw(target).status in {200, 400, 404}, target
        finally:
            archive.db.command("profile", 0)
    asked = list(archive.db["system.profile"].find({"appName": "zjolcrawl"}))
    archive.db["system.profile"].drop()
    assert {op["op"] for op in asked} <= {"query", "command", "getmore"}
    verbs = {next(iter(op["command"])) for op in asked if not is_catch_up(op)}
    assert verbs <= {"find", "aggregate", "distinct", "getMore", "count"}, verbs
    assert {"find", "aggregate", "distinct"} <= verbs
    assert not [
        op for op in asked if "$out" in str(op["command"]) or "$merge" in str(op["command"])
    ]
    limited = [op for op in asked if "getMore" not in op["command"] and not is_catch_up(op)]
    assert len(limited) > 30
    assert all(0 < op["command"]["maxTimeMS"] <= 10_000 for op in limited)
