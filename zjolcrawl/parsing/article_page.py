"""Article page -> raw fields, by template: the one entry to reading an article."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

from lxml.html import HtmlElement

from zjolcrawl.items import Media, RawArticle
from zjolcrawl.parsing.blocks import Block, BlockReader
from zjolcrawl.parsing.body import Body, read_body
from zjolcrawl.parsing.fields.dates import time_span
from zjolcrawl.parsing.fields.text import clean
from zjolcrawl.parsing.foot import editors_in, keywords_in, tags_in
from zjolcrawl.parsing.head import Head, read_head
from zjolcrawl.parsing.info_line import InfoLine, read_info
from zjolcrawl.parsing.lines import lines_after, page_lines
from zjolcrawl.parsing.page import Page, read_page
from zjolcrawl.parsing.pages import page_urls
from zjolcrawl.parsing.templates import FAMILIES
from zjolcrawl.parsing.templates.generic import GENERIC, densest
from zjolcrawl.parsing.templates.table import Path, Template, Values, find
from zjolcrawl.parsing.urls import absolute, canonical, doc_id, kind

# Raised with every change that can alter a field: `parser.version` of the documents.
PARSER_VERSION = 1

_LEAST = 60  # characters: fewer beside a JavaScript redirect are no article
_STUB = re.compile(
    r"location(?:\.href)?\s*(?:=|\.replace\s*\(|\.assign\s*\()\s*[\"']([^\"']+)[\"']"
)  # SEL
_REFRESH = Values("//meta[translate(@http-equiv, 'REFSH', 'refsh') = 'refresh']/@content")
_REFRESH_URL = re.compile(r"url\s*=\s*['\"]?([^'\"\s;]+)", re.IGNORECASE)
_DESKTOP = Values("//link[@rel = 'canonical']/@href | //a/@href")
_MISSING_PAGE = re.compile(
    r"404|页面不存在|找不到(?:该|您)?.{0,6}页面|页面(?:未找到|已删除|不见了)|not found|已被删除",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Stub:
    """A page that only sends the browser on: `target` is absolute."""

    target: str


@dataclass(frozen=True, slots=True)
class NotArticle:
    """A page without an article, and why.

    `missing`: the page says that there is nothing at its address (a soft 404). `withheld`: it is no
    page at all but what a server sends in its place (a challenge, nothing), perhaps not the next time.
    """

    reason: str
    missing: bool = False
    withheld: bool = False


def read_article(body: bytes, url: str) -> RawArticle | Stub | NotArticle:
    """Read the article in a page's bytes; `url` is absolute and decides references.

    Declared charsets are not needed: see `page.decode`. Never raises on bad HTML.
    """
    page = read_page(body, url)
    for template in FAMILIES:
        if found := _best_body(template, page):
            # A page of a few words that sends the browser on is a stub, whatever its classes.
            stub = _stub(page) if _size(found.body) < _LEAST else None
            return stub or _article(page, template, found)
    container = densest(page.root)
    found = _read(container, page, GENERIC) if container is not None else None
    if found and found.body.links < 0.5 and not _is_missing_page(found.head, found.body):
        return _article(page, GENERIC, found)
    return _stub(page) or _why_not(page)


@dataclass(frozen=True, slots=True)
class _Found:
    """A body container that holds an article, and what was read around it."""

    container: HtmlElement
    head: Head
    body: Body
    attachments: list[tuple[str, str, str]]


def _best_body(template: Template, page: Page) -> _Found | None:
    """The family's container with most text: a class name such as `content` may stand twice."""
    best: _Found | None = None
    for path in template.bodies:
        for container in path(page.root)[:8]:
            found = _read(container, page, template)
            if found and (best is None or _size(found.body) > _size(best.body)):
                best = found
        if best:
            return best if not _is_missing_page(best.head, best.body) else None
    return None


def _size(body: Body) -> int:
    return sum(map(len, body.lines)) + 50 * len(body.images) + 50 * len(body.videos)


def _read(container: HtmlElement, page: Page, template: Template) -> _Found | None:
    reader = BlockReader(page.url)
    blocks: list[Block] = reader.read(container)
    if not blocks:
        return None
    head = read_head(page.root, template, container)
    body = read_body(blocks, head.lines + ([head.title] if head.title else []))
    if not body.images and not body.videos and sum(map(len, body.lines)) < 10:
        return None
    if template.name == "T3" and body.links > 0.5:
        return None
    return _Found(container, head, body, reader.attachments)


def _is_missing_page(head: Head, body: Body) -> bool:
    return bool(_MISSING_PAGE.search(head.title or "")) and sum(map(len, body.lines)) < 200


def _article(page: Page, template: Template, found: _Found) -> RawArticle:
    head, body = found.head, found.body
    info = _info(page.root, template, head)
    after = lines_after(found.container)
    inside = page_lines(found.container)[-14:]  # a tag bar stands last
    editors = body.editors + [
        _label("责任编辑", text) for text in _texts(template.editors, page.root)
    ]
    # Each is said in one place or in two: the store keeps a person once.
    editors += editors_in(after[:40]) or editors_in(inside) or editors_in(after)
    editors += info.editors
    warnings = list(page.warnings)
    if head.title_from_tag and head.title:
        warnings.append("title: from <title>")
    return RawArticle(
        url=_address(page),
        template=template.name,
        encoding=page.encoding,
        breadcrumb=head.breadcrumb,
        title=head.title,
        kicker=head.kicker,
        subtitle=head.subtitle,
        published=info.published,
        source=info.source,
        bylines=info.bylines + body.bylines,
        editors=editors,
        tags=tags_in(inside) or tags_in(after),
        keywords=keywords_in(page.root, head.title),
        editor_note=body.editor_note or head.note,
        dateline=body.dateline,
        original_title=body.original_title or head.original_title,
        body=body.lines,
        body_html=body.html,
        images=body.images,
        videos=body.videos,
        attachments=[Media(url, ref, name or None) for url, ref, name in found.attachments],
        pages=page_urls(page),
        warnings=warnings,
    )


def _texts(candidates: tuple[Path, ...], root: HtmlElement) -> list[str]:
    texts = (clean(str(element.text_content())) for element in find(candidates, root))
    return list(islice(filter(None, texts), 2))


def _label(label: str, text: str) -> str:
    """The text with the label it goes without where an id names the field."""
    return text if re.search(r"[:：]", text) or not text else f"{label}: {text}"


def _info(root: HtmlElement, template: Template, head: Head) -> InfoLine:
    """The info line from the template's own elements, else from the lines below the headline."""
    times = [text for text in _texts(template.times, root) if time_span(text)]
    sources, authors = _texts(template.sources, root), _texts(template.authors, root)
    line = read_info(" ".join(dict.fromkeys(head.info)))
    if times:
        own = read_info(times[0])
        line.published = own.published
        line.source = line.source or own.source
        line.bylines = line.bylines or own.bylines
        line.editors = line.editors or own.editors
    if sources:
        labelled = read_info(_label("来源", sources[0]))
        line.source = labelled.source or line.source
        line.bylines = line.bylines or labelled.bylines
    if authors:
        named = read_info(_named(authors[0])).bylines
        line.bylines = named or line.bylines
    if line.source is None and head.info:
        outlets = [
            w
            for text in line.rest
            for w in text.split()
            if re.search(r"(?:报|网|在线|社|客户端|台|新闻|宣传|频道)$", w)
        ]
        if not outlets:  # 今日椒江: a word of its own between time and author
            words = [word for text in line.rest for word in text.split()]
            outlets = [word for word in words if re.fullmatch(r"[\u4e00-\u9fff·]{4,12}", word)]
            outlets = outlets if len(words) == 1 else []
        line.source = outlets[0] if len(outlets) == 1 else None
    return line


def _named(text: str) -> str:
    return text if re.search(r"记者|作者|通讯员|[/／]|撰文|摄影", text) else f"作者: {text}"


def _address(page: Page) -> str:
    """The article's canonical URL: that of its desktop page where a mobile page names it."""
    own = canonical(page.url)
    if kind(own) == "mobile":
        for href in _DESKTOP(page.root):
            url = canonical(absolute(page.url, href) or "")
            if kind(url) == "article" and doc_id(url) == doc_id(own):
                return url
    return own


def _stub(page: Page) -> Stub | None:
    targets = [match[1] for match in _STUB.finditer(page.text)]
    for content in _REFRESH(page.root):
        if match := _REFRESH_URL.search(content):
            targets.insert(0, match[1])
    for target in targets:
        url = absolute(page.url, target)
        if url and canonical(url) != canonical(page.url):
            return Stub(url)
    return None


def _why_not(page: Page) -> NotArticle:
    text = clean(" ".join(page.root.itertext("p", "div", "h1", "h2", "td", "title")))[:400]
    if not page.text.strip():
        return NotArticle("empty page", withheld=True)
    if _MISSING_PAGE.search(text):
        return NotArticle("page says it is missing", missing=True)
    links = len(page.root.findall(".//a[@href]"))
    if not links and "<script" in page.text.lower():
        return NotArticle("script only: a challenge or an unknown stub", withheld=True)
    return NotArticle("links only: a topic or list page" if links >= 5 else "no body found")
