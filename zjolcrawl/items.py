"""The item classes: what spiders yield and the pipelines write to MongoDB.

A spider yields a `RawArticle` (strings as on the page). The normalize pipeline turns it into an `Article`
(values as MongoDB stores them). Every other result for a link or a column page is an item too, so the
pipelines see all results in order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

READ_KINDS = frozenset({"article", "mobile", "paper"})
"""The kinds of link that lead to an article."""
FROM_KEYWORDS = "tags: from meta keywords"
"""The warning for an article whose tags (标签) come from the meta keywords of its page."""
IMAGE_WARNING = re.compile(r"image (\d+): ")
"""The start of a warning about one image, by its position; it is dropped once the image is stored."""


@dataclass(slots=True)
class Byline:
    """One person credited on an article.

    `role` is the word on the page: reporter (记者), correspondent (通讯员), responsible editor (责任编辑) ….
    `outlet` is the text before the role: 浙江在线 in 浙江在线记者.
    """

    name: str
    role: str
    outlet: str | None = None


def image_warning(position: int, text: str) -> str:
    """A warning about one image that IMAGE_WARNING matches."""
    return f"image {position}: {text}"


@dataclass(slots=True)
class Image:
    """An image of an article: `ref` as written on the page, `url` absolute, `position` from 1.

    `status` is `referenced`, `stored`, `missing` or `failed`. The fields after it are set for a stored
    image: `path` in the image store, `width` and `height` in pixels, size in `bytes`.
    """

    url: str
    ref: str
    position: int
    caption: str | None = None
    alt: str | None = None
    status: str = "referenced"
    sha256: str | None = None
    path: str | None = None
    width: int | None = None
    height: int | None = None
    bytes: int | None = None
    content_type: str | None = None


@dataclass(slots=True)
class Media:
    """A video, audio or attached file: `ref` as written on the page, `url` absolute."""

    url: str
    ref: str
    name: str | None = None


@dataclass(slots=True)
class Visit:
    """What the crawl knows of one visit of an article's page, beside what the page says.

    `link` is the key in `frontier` of the link that led there, `columns` are the ids of the columns that
    listed it, `listed_at` is the list's date. `seen_at` is the time of the response, `validators` are its
    ETag and Last-Modified, `aliases` the other URLs of the page. `warc` locates its bytes in the archive:
    {file, offset, length, record_id}; `pages_warc` has one such entry for each further page that was read.
    `provenance` says where a capture that others made comes from: {kind, from, url?, sha256?, record?, offset?};
    None for a visit of our own.
    """

    link: str | None = None
    columns: list[str] = field(default_factory=list)
    listed_at: datetime | None = None
    seen_at: datetime | None = None
    aliases: list[str] = field(default_factory=list)
    validators: dict[str, str] = field(default_factory=dict)
    warc: dict[str, Any] | None = None
    pages_warc: list[dict[str, Any]] = field(default_factory=list)
    provenance: dict[str, Any] | None = None


@dataclass(slots=True)
class RawArticle:
    """What a template read from a page: unparsed text, None if the page lacks the field.

    `body` and `body_html` are already lines and clean HTML blocks, because their structure is lost once
    the tree is gone. `bylines` are the passages that name people, in page order. `keywords` come from
    the page's meta element. `visit` is what the crawl knows besides.
    """

    url: str
    template: str
    encoding: str = "utf-8"
    breadcrumb: list[str] = field(default_factory=list)
    title: str | None = None
    kicker: str | None = None
    subtitle: str | None = None
    published: str | None = None
    source: str | None = None
    bylines: list[str] = field(default_factory=list)
    editors: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    keywords: list[str] = field(default_factory=list)
    editor_note: str | None = None
    abstract: str | None = None
    dateline: str | None = None
    original_title: str | None = None
    body: list[str] = field(default_factory=list)
    body_html: list[str] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    videos: list[Media] = field(default_factory=list)
    attachments: list[Media] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    page_number: str | None = None
    page_name: str | None = None
    pdf: str | None = None
    warnings: list[str] = field(default_factory=list)
    visit: Visit = field(default_factory=Visit)

    @property
    def link(self) -> str:
        """The key in `frontier` of the link that led to the page."""
        return self.visit.link or self.url


@dataclass(slots=True)
class Article:
    """One version of an article as stored in `articles` (schema: docs/reference/schema.md).

    Times are aware UTC datetimes. A field that the page lacks is None or empty here and absent in MongoDB.
    The store adds bookkeeping fields (revision, first_seen_at …), and what it stores of `visit`.
    `original_title` is the title (原标题) of the text that a reprint names.
    `page_number`, `page_name` and `pdf` describe the page of a digital paper that the article is printed on.
    """

    url: str
    site: str
    title: str
    body: str
    body_html: str
    template: str
    parser_version: int
    doc_id: str | None = None
    site_name: str | None = None
    columns: list[str] = field(default_factory=list)
    breadcrumb: list[str] = field(default_factory=list)
    kicker: str | None = None
    subtitle: str | None = None
    published_at: datetime | None = None
    published_precision: str | None = None
    source: str | None = None
    authors: list[Byline] = field(default_factory=list)
    editors: list[Byline] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    editor_note: str | None = None
    abstract: str | None = None
    dateline: str | None = None
    original_title: str | None = None
    images: list[Image] = field(default_factory=list)
    videos: list[Media] = field(default_factory=list)
    attachments: list[Media] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    page_number: str | None = None
    page_name: str | None = None
    pdf: str | None = None
    warnings: list[str] = field(default_factory=list)
    visit: Visit = field(default_factory=Visit)

    @property
    def link(self) -> str:
        """The key in `frontier` of the link that led to the article."""
        return self.visit.link or self.url


@dataclass(slots=True)
class Link:
    """A link found on a column page or given on the command line, before it is fetched.

    `kind` follows from the URL: article, mobile, paper, video, app, topic or offsite (parsing.urls.kind).
    `listed_at` is the date in the list (UTC). `reason` says why a link that leads to no article
    is not fetched. `fetch_url` is the URL as written in the list.
    """

    url: str
    kind: str = "article"
    columns: list[str] = field(default_factory=list)
    listed_title: str | None = None
    listed_at: datetime | None = None
    reason: str | None = None
    seen_at: datetime | None = None
    fetch_url: str | None = None


@dataclass(slots=True)
class Unchanged:
    """A link whose page has not changed since its article was stored (304)."""

    url: str
    seen_at: datetime | None = None


@dataclass(slots=True)
class Outcome:
    """The result of a link that gave no article: `state` is rejected, failed, gone or pending.

    `url` is the key in `frontier`. A rejected page also gets a document in `rejects`, with its HTTP
    `status` and an `excerpt`: the start of its source, or of the article's text if it was parsed. `skipped` marks a page that is expected to have no
    article (a stub that links to the app); no action is needed. `front` marks a page that sends the reader
    to a front page: an article stored for it counts as gone. `retry_after` comes from the server.
    """

    url: str
    state: str
    reason: str
    status: int | None = None
    final_url: str | None = None
    article: str | None = None
    template: str | None = None
    excerpt: str | None = None
    attempted: bool = True
    skipped: bool = False
    front: bool = False
    retry_after: datetime | None = None
    seen_at: datetime | None = None
    warc: dict[str, Any] | None = None


@dataclass(slots=True)
class ColumnVisit:
    """One fetched page of a column: what its list contains, for `columns` and the run summary."""

    column: str
    url: str
    page: int
    links: int
    newest_listed_at: datetime | None = None
    pages_total: int | None = None
    not_modified: bool = False
    entry: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    seen_at: datetime | None = None


@dataclass(slots=True)
class WalkEnd:
    """The end of a walk through the pages of a column.

    `complete`: every link that the column lists is in the frontier. `swept`: the walk reached the last page;
    `pages` is how many it read. `etag` and `last_modified` are those of the first page.
    """

    column: str
    complete: bool
    swept: bool
    pages: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    seen_at: datetime | None = None
