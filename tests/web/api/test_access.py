"""The read token, for pages and API alike, and CORS."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scrapy.settings import Settings

from tests.support.crawling import LONG, Crawl, Running
from tests.web.api.asking import ROOT, told
from tests.web.conftest import Archive
from tests.web.serving import Got, Web, browsing
from zjolcrawl.setting_values import api_origins, api_token
from zjolcrawl.web.access import Access

TOKEN = "c0ffee" * 8
ORIGIN = "https://news.example.org"
EVERY = (
    "/",
    "/columns",
    "/static/style.css",
    "/image/" + "0" * 64,
    "/nothing",
    f"{ROOT}/columns",
    f"{ROOT}/",
    f"{ROOT}/x",
)


@pytest.fixture(scope="module")
def guarded(archive: Archive) -> Iterator[tuple[Web, Running]]:
    """A server that other machines can reach."""
    with browsing(
        archive.data, archive.uri, archive.database,
        "--host", "0.0.0.0", "-s", f"API_TOKEN={TOKEN}", "-s", f"API_ORIGINS={ORIGIN}, http://localhost:3000",
    ) as (web, running):  # fmt: skip
        yield web, running


def basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


@pytest.mark.parametrize("target", EVERY)
def test_nothing_is_shown_without_the_token(target: str, guarded: tuple[Web, Running]) -> None:
    web, _ = guarded
    wrong = (
        "", "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Bearer x {TOKEN}", TOKEN, f"Digest {TOKEN}",
        basic(TOKEN, ""), basic("me", TOKEN[:-1]), "Basic ####", "Basic " + "é" * 9, "Bearer " + "é" * 9, basic("", ""),
        f"Bearer {TOKEN} ".replace("c0", "C0"),
    )  # fmt: skip
    for each in wrong:
        got = web.raw(target, headers={"Authorization": each.encode("latin-1")} if each else {})  # type: ignore[dict-item]
        assert got.status == 401, each
        assert (
            "Basic realm" in got.headers["www-authenticate"]
            or "Bearer" in got.headers["www-authenticate"]
        )
        assert "content-security-policy" in got.headers
        assert TOKEN not in got.text
    if target.startswith(ROOT):
        assert told(web.raw(target))["type"].endswith("#unauthorized")


@pytest.mark.parametrize("target", EVERY)
def test_the_token_as_bearer_or_as_password(
    target: str, guarded: tuple[Web, Running], web: Web
) -> None:
    closed, _ = guarded
    without = web.raw(target)
    for each in (f"Bearer {TOKEN}", f"bearer  {TOKEN}", basic("anyone", TOKEN), basic("", TOKEN)):
        got = closed.raw(target, headers={"Authorization": each})
        assert (got.status, got.body) == (without.status, without.body)
        assert "public" not in got.headers["cache-control"]


def test_images_stay_out_of_shared_caches(
    guarded: tuple[Web, Running], web: Web, archive: Archive
) -> None:
    entry = archive.db.articles.find_one(
        {"images.status": "stored", "images.sha256": {"$ne": None}}
    )
    assert entry is not None
    target = f"/image/{next(each['sha256'] for each in entry['images'] if 'sha256' in each)}"
    assert web.raw(target).headers["cache-control"].startswith("public, ")
    got = guarded[0].raw(target, headers={"Authorization": f"Bearer {TOKEN}"})
    assert got.headers["cache-control"] == "private, max-age=31536000, immutable"


def preflight(web: Web, origin: str, target: str = f"{ROOT}/search") -> Got:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    return web.raw(target, "OPTIONS", asked)


def test_pages_of_chosen_origins_may_call_the_api(guarded: tuple[Web, Running]) -> None:
    web, _ = guarded
    got = preflight(web, ORIGIN)
    assert (got.status, got.headers["access-control-allow-origin"]) == (200, ORIGIN)
    assert "authorization" in got.headers["access-control-allow-headers"].lower()
    assert "POST" not in got.headers["access-control-allow-methods"]
    got = web.raw(f"{ROOT}/columns", headers={"Origin": ORIGIN, "Authorization": f"Bearer {TOKEN}"})
    assert (got.status, got.headers["access-control-allow-origin"]) == (200, ORIGIN)
    assert "access-control-allow-credentials" not in got.headers
    assert "ETag" in got.headers["access-control-expose-headers"]
    assert "Origin" in got.headers["vary"]
    refused = web.raw(f"{ROOT}/columns", headers={"Origin": ORIGIN})
    assert (refused.status, refused.headers["access-control-allow-origin"]) == (401, ORIGIN)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://news.example.org.evil.example",
        "null",
        "http://news.example.org",
    ],
)
def test_pages_of_others_may_not(origin: str, guarded: tuple[Web, Running], web: Web) -> None:
    assert "access-control-allow-origin" not in preflight(guarded[0], origin).headers
    allowed = {"Origin": origin, "Authorization": f"Bearer {TOKEN}"}
    assert (
        "access-control-allow-origin"
        not in guarded[0].raw(f"{ROOT}/columns", headers=allowed).headers
    )
    # Without API_ORIGINS there is no CORS, and never for the pages.
    assert (
        "access-control-allow-origin"
        not in web.raw(f"{ROOT}/columns", headers={"Origin": ORIGIN}).headers
    )
    assert preflight(web, ORIGIN).status == 405
    assert preflight(guarded[0], ORIGIN, "/").status == 405


def test_other_machines_need_the_token(
    command: Crawl, mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    done = command("browse", "--host", "0.0.0.0", "--port", "0")
    assert (done.returncode, done.stdout) == (2, "")
    assert "set API_TOKEN" in done.stderr
    assert done.stderr.count("\n") == 1
    with browsing(tmp_path, mongodb_uri, database, "--host", "0.0.0.0", "-s", "API_TOKEN=off") as (
        web,
        running,
    ):
        assert web.get("/").status == web.raw(f"{ROOT}/columns").status == 200
        running.terminate()
        assert running.wait(timeout=LONG) == 0
        assert running.stderr
        assert "(everybody)" in running.stderr.read()


@pytest.mark.parametrize(
    "value",
    ["on", "short", "x" * 15, "with space in the token", "ключ" * 8, "x" * 16 + "\n" + "y" * 16],
)
def test_an_unusable_token_is_refused_and_not_printed(value: str, command: Crawl) -> None:
    done = command("browse", "--port", "0", "-s", f"API_TOKEN={value}")
    assert done.returncode == 2
    assert "setting API_TOKEN: expected" in done.stderr
    assert value not in done.stderr.replace("token, or off", "")


def test_the_token_is_in_no_log_and_no_repr(
    mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    assert TOKEN not in repr(Access(TOKEN))
    with browsing(
        tmp_path, mongodb_uri, database, "--host", "0.0.0.0", "-s", f"API_TOKEN={TOKEN}", "-s", "LOG_ENABLED=True", "-L", "DEBUG",
    ) as (web, running):  # fmt: skip
        web.get("/", headers={"Authorization": f"Bearer {TOKEN}"})
        running.terminate()
        assert running.wait(timeout=LONG) == 0
        assert running.stderr
        assert "with API_TOKEN" in (text := running.stderr.read())
        assert TOKEN not in text


def test_values_of_the_settings() -> None:
    def token(value: Any) -> str | None:
        return api_token(Settings({"API_TOKEN": value}))

    def origins(value: Any) -> tuple[str, ...]:
        return api_origins(Settings({"API_ORIGINS": value}))

    assert (token(""), token("off"), token("No"), token(TOKEN)) == (None, "", "", TOKEN)
    assert origins("") == ()
    assert origins("https://a.example, http://b.example:8080") == (
        "https://a.example",
        "http://b.example:8080",
    )
    assert origins("*") == ("*",)
    for bad in (
        "a.example",
        "https://a.example/",
        "https://a.example/x",
        "ftp://a.example",
        "https://A.example",
        "null",
        "https://u@a.example",
    ):
        with pytest.raises(ValueError, match="setting API_ORIGINS"):
            origins(bad)
