"""The words of the contract as dataclasses: what flows from a spider to MongoDB.

A spider yields a `RawArticle` (strings as the page has them); the normalize step turns it into an
`Article` (values as MongoDB stores them). Everything else that can become of a link or a column
page is an item too, so that one pipeline sees, in order, all that must be remembered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

READ_KINDS = frozenset({"article", "mobile", "paper"})
"""The kinds of link that lead to an article."""
FROM_KEYWORDS = "tags: from meta keywords"
"""The warning of an article whose page shows no 标签."""


@dataclass(slots=True)
class Byline:
    """One person named on an article.

    `role` is the page's own word (记者, 通讯员, 责任编辑 …); `outlet` is what stood before it, as the
    浙江在线 of 浙江在线记者.
    """

    name: str
    role: str
    outlet: str | None = None


@dataclass(slots=True)
class Image:
    """A picture of the article: `ref` as the page wrote it, `url` absolute, `position` from 1.

    What follows `status` is known of a stored one: `path` in the image store, `width` and `height`
    in pixels, size in `bytes`.
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
    """A video, audio or attached file: `ref` as the page wrote it, `url` absolute."""

    url: str
    ref: str
    name: str | None = None


@dataclass(slots=True)
class RawArticle:
    """What a template read, every value still the page's own text; None where it has none.

    `body` and `body_html` are already lines and clean blocks, for their structure is only known
    while the tree is. `bylines` are the passages that name people, in page order; `keywords` are those of
    the page's meta element.
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
    aliases: list[str] = field(default_factory=list)
    page_number: str | None = None
    page_name: str | None = None
    pdf: str | None = None
    warnings: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    listed_at: datetime | None = None
    frontier_url: str | None = None
    seen_at: datetime | None = None
    warc: dict[str, Any] | None = None
    pages_warc: list[dict[str, Any]] = field(default_factory=list)
    validators: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Article:
    """One version of one article as `articles` stores it (see the schema in README.md).

    Times are aware UTC datetimes. A field that the page does not have is None or empty here and
    absent in MongoDB. Bookkeeping fields (revision, first_seen_at …) are the store's. `seen_at` is when
    the page was answered, `warc` where its bytes are: {file, offset, length, record_id}; `pages_warc` has
    the same for each of `pages` that was read. `original_title` is the 原标题 that a reprint names.
    `page_number`, `page_name` and `pdf` are of the page of a digital paper that it was printed on.
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
    aliases: list[str] = field(default_factory=list)
    page_number: str | None = None
    page_name: str | None = None
    pdf: str | None = None
    warnings: list[str] = field(default_factory=list)
    frontier_url: str | None = None
    seen_at: datetime | None = None
    warc: dict[str, Any] | None = None
    pages_warc: list[dict[str, Any]] = field(default_factory=list)
    validators: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Link:
    """A link found on a column page (or given by hand), before anything is fetched.

    `kind` is what its URL is: article, paper, video, app, topic or offsite. `listed_at` is the
    list's own date (UTC), `reason` says why a link that is no article will not be fetched,
    `fetch_url` is the address as the list gives it.
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
    """A link whose page is as it was when its article was stored (304)."""

    url: str
    seen_at: datetime | None = None


@dataclass(slots=True)
class Outcome:
    """What became of a link that gave no article: `state` rejected, failed, gone or pending.

    `url` is the frontier's key. A rejected page also gets a row in `rejects`, with `status`,
    and the start of its text as `excerpt`. `skipped` marks a page that rightly gave no
    article (a stub that leads to the app), which needs no person. `front` marks a page that sends
    the reader to a front page: what was stored before is `gone`. `retry_after` is the server's word.
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
    """One fetched page of a column: what the list said, for `columns` and the run's summary."""

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
    """A column's walk from page to page came to its end.

    `complete`: every link that it lists is in the frontier (None: if the last page listed no unknown
    one); `swept`: because all its `pages` were read. `etag` and `last_modified` are the first page's.
    """

    column: str
    complete: bool | None
    swept: bool
    pages: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    seen_at: datetime | None = None
