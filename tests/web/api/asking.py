"""A client of the API that follows cursors."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlencode

from tests.web.serving import Got, Web

ROOT = "/api/v1"


def ask(web: Web, path: str, **asked: Any) -> Any:
    """The JSON of an answer with status 200; a list is a parameter that occurs several times."""
    got = get(web, path, **asked)
    assert got.status == 200, got.text
    return json.loads(got.body)


def get(web: Web, path: str, **asked: Any) -> Got:
    return web.raw(f"{ROOT}/{path}?{urlencode(asked, doseq=True)}")


def pages(web: Web, path: str, **asked: Any) -> Iterator[Any]:
    """The answers page by page."""
    page = ask(web, path, **asked)
    yield page
    while following := page.get("next"):
        page = ask(web, path, **asked, cursor=following)
        yield page


def articles(web: Web, path: str, **asked: Any) -> list[dict[str, Any]]:
    """The articles of all pages."""
    return [each for page in pages(web, path, **asked) for each in page["articles"]]


def ids(documents: Iterable[dict[str, Any]]) -> list[str]:
    return [each["_id"] for each in documents]


def problem(web: Web, path: str, **asked: Any) -> dict[str, Any]:
    """The problem details of an answer, which must have their form."""
    return told(get(web, path, **asked))


def told(got: Got) -> dict[str, Any]:
    assert got.headers["content-type"] == "application/problem+json", got.text
    found: dict[str, Any] = json.loads(got.body)
    assert found["status"] == got.status >= 400
    assert found["type"].startswith("/api/v1/#")
    assert {"title", "detail"} <= found.keys()
    return found
