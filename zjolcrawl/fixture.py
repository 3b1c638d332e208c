"""Saves pages as fixtures: the bytes, and a golden file drafted by the parser that a person must check.

fixtures/README.md describes the form. A draft has the key `unchecked`; tests and benchmarks refuse it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from zjolcrawl.items import READ_KINDS, Article, Link, RawArticle
from zjolcrawl.parsing.article_page import Stub
from zjolcrawl.parsing.column_page import ColumnPage, read_column
from zjolcrawl.parsing.fields.dates import china_day
from zjolcrawl.parsing.list_links import ListedLink
from zjolcrawl.parsing.paper_page import PaperPage, read_paper_page
from zjolcrawl.parsing.templates import paper_template
from zjolcrawl.parsing.urls import host_of, is_paper_page, kind
from zjolcrawl.pipelines.normalize import normalize
from zjolcrawl.site.papers import paper_of
from zjolcrawl.spiders.multipage import Parts
from zjolcrawl.spiders.pages import PageReader
from zjolcrawl.storage.documents import tidy

UNCHECKED = "unchecked"
"""The key of a golden file that no person has checked."""
_TODO = (
    "the parser wrote this: compare each value with what a reader of the page sees, correct it,"
    " then delete this line; until then the tests refuse this file"
)
# Fields of an Article that come from the store or the run, not from the page.
_NOT_THE_PAGES = {"columns", "visit", "parser_version", "template"}
_PLAIN = "text/html"
_OPEN = b"User-agent: *\nAllow: /\n"


@dataclass(frozen=True, slots=True)
class SavedPage:
    """A page as the server sent it, without content codings.

    `url` is canonical, or the http URL of a further page. `content_type` is that header's value.
    """

    url: str
    body: bytes
    content_type: str | None = None


@dataclass(slots=True)
class Draft:
    """A golden file, its folder in fixtures/, its pages, and the URLs of further pages that are missing."""

    folder: str
    golden: dict[str, Any]
    pages: list[SavedPage]
    missing: list[str]


def draft(
    page: SavedPage, further: Callable[[str], SavedPage | None], seconds: float = 10.0
) -> Draft:
    """A draft for a page. `further` finds another page of a multi-page article by its URL.

    A page that takes more than `seconds` of processor time to parse counts as no article.
    """
    reader = PageReader(seconds)
    made = Draft(paper_template().name if paper_of(host_of(page.url)) else "others", {}, [page], [])
    values: dict[str, Any] = {"url": page.url}
    if page.content_type and page.content_type != _PLAIN:
        values["headers"] = {"Content-Type": page.content_type}
    values["evidence"] = {"REAL": ["the whole page"]}
    is_list = is_paper_page(page.url) or kind(page.url) not in READ_KINDS
    listed = _read_list(page, reader) if is_list else None
    if isinstance(listed, PaperPage):
        found = as_issue_page(listed, page.url)
    elif listed and listed.links:
        made.folder, found = "lists", as_list(listed)
    else:
        found = _read_article(made, further, reader)
    made.golden = {UNCHECKED: _TODO, **values, **found}
    return made


def _read_list(page: SavedPage, reader: PageReader) -> ColumnPage:
    read = read_paper_page if is_paper_page(page.url) else read_column
    return reader.read_list(read, page.body, page.url)


def _read_article(
    made: Draft, further: Callable[[str], SavedPage | None], reader: PageReader
) -> dict[str, Any]:
    (page,) = made.pages
    raw = reader.read(page.body, page.url)
    if not isinstance(raw, RawArticle):
        return {"stub": raw.target} if isinstance(raw, Stub) else {"not_article": raw.reason}
    parts = Parts(Link(raw.url), raw, raw.pages)
    parts.add(page.url, raw)
    while raw.pages and (url := parts.missing):
        saved = further(url)
        part = reader.read(saved.body, url) if saved else None
        parts.add(url, part if isinstance(part, RawArticle) else None)
        made.pages += [saved] if saved else []
        made.missing += [] if saved else [url]
    article = normalize(parts.whole() if raw.pages else raw)
    made.folder = article.template
    return {"document": as_document(article)}


def as_document(article: Article) -> dict[str, Any]:
    """An article in the form of a golden file: lines as lists, times in ISO format, no empty values."""
    values = {k: v for k, v in asdict(article).items() if k not in _NOT_THE_PAGES}
    values = {"_id": values.pop("url"), **values}
    values["body"] = article.body.split("\n") if article.body else None
    values["body_html"] = article.body_html.split("\n") if article.body_html else None
    values["parser"] = {"template": article.template}
    if article.published_at:
        values["published_at"] = article.published_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    for image in values["images"]:
        image.pop("status")
    return {k: tidy(v) for k, v in values.items() if v not in (None, [], "")}


def as_list(page: ColumnPage) -> dict[str, Any]:
    """A column page in the form of a golden file."""
    return {"links": [_as_link(link) for link in page.links], "next": page.next_url}


def _as_link(link: ListedLink) -> dict[str, str]:
    entry = {"url": link.url, "kind": link.kind, "title": link.title or ""}
    if link.listed_at:
        entry["date"] = china_day(link.listed_at).isoformat()
    return entry


def as_issue_page(page: PaperPage, url: str) -> dict[str, Any]:
    """A page of a paper's issue in the form of a golden file."""
    day = re.search(r"/(\d{4}-\d\d)/(\d\d)/", url)
    values = {
        "day": "-".join(day.groups()) if day else None,
        "links": [{"url": link.url, "title": link.title or ""} for link in page.links],
        "page_number": page.label and page.label.number,
        "page_name": page.label and page.label.name,
        "pdf": page.pdf,
        "issue": [each.url for each in page.issue],
    }
    return {name: value for name, value in values.items() if value is not None}


def write(made: Draft, fixtures: Path) -> list[Path]:
    """Write a draft below `fixtures`; returns the new files, the golden file last.

    A host without a robots.txt gets one that allows everything, for the test site. Raises
    FileExistsError if the page is there already in any folder, and OSError.
    """
    robots = fixtures / "site" / urlsplit(made.golden["url"]).netloc / "robots.txt"
    contents = {} if robots.exists() else {robots: _OPEN}
    contents |= {fixtures / made.folder / place_of(page.url): page.body for page in made.pages}
    golden = fixtures / made.folder / f"{place_of(made.golden['url'])}.json"
    text = json.dumps(made.golden, ensure_ascii=False, indent=2) + "\n"
    contents[golden] = text.encode()
    for page in made.pages:
        if there := sorted(fixtures.glob(f"*/{_literal(place_of(page.url))}")):
            raise FileExistsError(f"{there[0]} is there already")
    for path, content in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(content)
    return list(contents)


def place_of(url: str) -> Path:
    """Where a page of the site is in a folder of fixtures: `<host>/<path>`, as the test site reads it.

    Raises ValueError for a URL that cannot be a file name.
    """
    parts = urlsplit(url)
    names = [unquote(name) for name in parts.path.split("/")[1:]]
    names[-1] = (names[-1] or "index.shtml") + (f"?{parts.query}" if parts.query else "")
    if any(name in {"", ".", ".."} or "/" in name or "\0" in name for name in names):
        raise ValueError(f"{url} cannot be a file name")
    return Path(parts.netloc, *names)


def _literal(path: Path) -> str:
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in path.as_posix())
