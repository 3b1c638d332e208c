"""Article page -> raw fields, by template: the one entry to reading an article."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import islice

from lxml.html import HtmlElement

from zjolcrawl.items import Media, RawArticle
from zjolcrawl.parsing.blocks import Block, BlockReader
from zjolcrawl.parsing.body import Body, read_body
from zjolcrawl.parsing.elements import Names, text_of
from zjolcrawl.parsing.fields.dates import find_time, time_span
from zjolcrawl.parsing.fields.text import clean, squeeze
from zjolcrawl.parsing.foot import (
    attachments_in,
    bylines_in,
    editors_in,
    keywords_in,
    may_have_tags,
    tag_boxes,
    tags_in,
)
from zjolcrawl.parsing.gallery import read_gallery
from zjolcrawl.parsing.head import Head, Headline, find_headline, read_head
from zjolcrawl.parsing.info_line import InfoLine, read_info
from zjolcrawl.parsing.lines import LinesAfter, last_lines
from zjolcrawl.parsing.metadata import read_metadata
from zjolcrawl.parsing.outlet import outlet_below
from zjolcrawl.parsing.page import Page, read_page
from zjolcrawl.parsing.pages import page_urls
from zjolcrawl.parsing.paper_article import is_blank, read_paper_article
from zjolcrawl.parsing.templates import FAMILIES
from zjolcrawl.parsing.templates.containers import T3
from zjolcrawl.parsing.templates.generic import GENERIC, SHORT, Densest
from zjolcrawl.parsing.templates.table import Path, Template, Values, find
from zjolcrawl.parsing.urls import absolute, canonical, doc_id, kind

# Raised with every change that can alter a field: `parser.version` of the documents.
PARSER_VERSION = 2

_END = 14  # lines of a container, among which a bar of tags or editors can be
_LEAST = 60  # characters: fewer beside a JavaScript redirect are no article
_STUB = re.compile(
    r"location(?:\.href)?\s*(?:=|\.replace\s*\(|\.assign\s*\()\s*[\"']([^\"']+)[\"']"
)  # SEL
_REFRESH = Values("//meta[translate(@http-equiv, 'REFSH', 'refsh') = 'refresh']/@content")
_REFRESH_URL = re.compile(r"url\s*=\s*['\"]?([^'\"\s;]+)", re.IGNORECASE)
_CLOCKS = Path("//time[@datetime]")
_DESKTOP = (Values("//link[@rel = 'canonical']/@href"), Values("//a/@href"))
_MISSING_PAGE = re.compile(
    r"(?<![\d.])404(?=\W|$|页|错)|页面不存在|找不到(?:该|您)?.{0,6}页面|页面(?:未找到|已删除|不见了)|not found|已被删除",
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
    `blank`: it is as it should be, and holds nothing to read.
    """

    reason: str
    missing: bool = False
    withheld: bool = False
    blank: bool = False


def read_article(body: bytes, url: str) -> RawArticle | Stub | NotArticle:
    """Read the article in a page's bytes; `url` is absolute and decides references.

    Declared charsets are not needed: see `page.decode`. Never raises on bad HTML.
    """
    page = read_page(body, url)
    if kind(url) == "paper":
        if article := read_paper_article(page):
            return article
        if is_blank(page):
            return NotArticle("no headline and text: advertisement or the paper's head", blank=True)
    densest = Densest(page.root)
    for template in FAMILIES:
        found = _best_body(template, page)
        if found and template is T3 and _is_another(found.container, densest()):
            continue
        if found:
            # A page of a few words that sends the browser on is a stub, whatever its classes.
            stub = _stub(page) if _size(found.body) < _LEAST else None
            return stub or _article(page, template, found)
    found = _generic(page, densest)
    if found and not _is_lead(found) and not _is_missing_page(found.head, found.body):
        return _article(page, GENERIC, found)
    return _stub(page) or _why_not(page)


@dataclass(frozen=True, slots=True)
class _Found:
    """A body container that holds an article, and what was read around it."""

    container: HtmlElement
    head: Head
    body: Body
    attachments: list[tuple[str, str, str]]


def _generic(page: Page, densest: Densest) -> _Found | None:
    """The slides of a gallery with the text beside them, else the densest container."""
    container = densest()
    slides = read_gallery(page.root, page.url)
    if slides is None:
        if container is None:
            return _short(page, densest(SHORT))
        return _read(container, page, GENERIC)
    box, blocks, below = slides
    if container is None or container is box or box in container.iterancestors():
        return _read(box, page, GENERIC, blocks + below)
    text = BlockReader(page.url).read(container)
    told, said = (sum(len(block.text) for block in some) for some in (blocks, text))
    if container in box.iterancestors() or 2 * told < said:
        return _read(container, page, GENERIC)
    return _read(box, page, GENERIC, blocks + text)


def _short(page: Page, container: HtmlElement | None) -> _Found | None:
    """A few words are an article below a headline and an info line, else a notice."""
    found = _read(container, page, GENERIC) if container is not None else None
    return found if found and found.head.info and not found.head.title_from_tag else None


def _best_body(template: Template, page: Page) -> _Found | None:
    """The family's container with most text: a class name such as `content` may stand twice."""
    best: _Found | None = None
    headline: Headline | None = None
    for path in template.bodies:
        for container in path(page.names)[:8]:
            headline = headline or find_headline(page.names, template)
            found = _read(container, page, template, headline=headline)
            if found and (best is None or _size(found.body) > _size(best.body)):
                best = found
        if best:
            return best if not _is_missing_page(best.head, best.body) else None
    return None


def _is_another(container: HtmlElement, article: HtmlElement | None) -> bool:
    """Whether the article is elsewhere, or in only a part of it: names such as `content` stand on
    wrappers of a whole page, or on a box beside the article, too.
    """
    if article is None or article is container or article in container.iterancestors():
        return False
    size, own = (len(squeeze(text_of(e))) for e in (article, container))
    return size < 0.6 * own if container in article.iterancestors() else size > own


def _is_lead(found: _Found) -> bool:
    """Whether the text is a list of links, or the lead of a topic page: a few lines without a headline
    or a date of their own.
    """
    headless = found.head.title_from_tag and not found.head.info
    return found.body.links >= 0.5 or (headless and found.body.size < 200)


def _size(body: Body) -> int:
    return body.size + 50 * len(body.images) + 50 * len(body.videos)


def _read(
    container: HtmlElement,
    page: Page,
    template: Template,
    blocks: list[Block] | None = None,
    headline: Headline | None = None,
) -> _Found | None:
    reader = BlockReader(page.url)
    blocks = reader.read(container) if blocks is None else blocks
    if not blocks:
        return None
    head = read_head(page.root, headline or find_headline(page.names, template), container)
    body = read_body(blocks, head.lines + ([head.title] if head.title else []))
    if not body.images and not body.videos and body.size < 10:
        return None
    if template is T3 and body.links > 0.5:
        return None
    return _Found(container, head, body, reader.attachments)


def _is_missing_page(head: Head, body: Body) -> bool:
    return body.size < 200 and bool(_MISSING_PAGE.search(head.title or ""))


def _article(page: Page, template: Template, found: _Found) -> RawArticle:
    head, body = found.head, found.body
    info = _info(page.names, template, head)
    after = LinesAfter(found.container)
    info.source = info.source or body.source
    doubts = _stand_ins(page.root, info, head, after)
    editors = body.editors + [
        _label("责任编辑", text) for text in _texts(template.editors, page.names)
    ]
    inside = cache(lambda: last_lines(found.container, _END))  # asked for twice or not at all
    # Each is said in one place or in two: the store keeps a person once.
    editors += editors_in(islice(after, 40)) or editors_in(inside()) or editors_in(after)
    editors += info.editors
    boxes = tag_boxes(page.names)
    own_tags = may_have_tags(found.container, boxes) and tags_in(inside(), boxes)
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
        bylines=info.bylines + body.bylines or bylines_in(after.first(6)),
        editors=editors,
        tags=own_tags or tags_in(after, boxes),
        keywords=keywords_in(page.root, head.title),
        editor_note=body.editor_note or head.note,
        dateline=body.dateline,
        original_title=body.original_title or head.original_title,
        body=body.lines,
        body_html=body.html,
        images=body.images,
        videos=body.videos,
        attachments=[
            Media(url, ref, name or None)
            for url, ref, name in found.attachments or attachments_in(after.first(12), page.url)
        ],
        pages=page_urls(page),
        warnings=page.warnings + doubts,
    )


def _texts(candidates: tuple[Path, ...], names: Names) -> list[str]:
    # An id's element that was never closed holds the page; what it is for stands at its beginning.
    texts = (clean(text_of(element)[:2000]) for element in find(candidates, names))
    return list(islice(filter(None, texts), 2))


def _label(label: str, text: str) -> str:
    """The text with the label it goes without where an id names the field."""
    return text if re.search(r"[:：]", text) or not text else f"{label}: {text}"


def _info(names: Names, template: Template, head: Head) -> InfoLine:
    """The info line from the template's own elements, else from the lines below the headline."""
    times = [text for text in _texts(template.times, names) if time_span(text)]
    sources, authors = _texts(template.sources, names), _texts(template.authors, names)
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
        line.source = outlet_below(head.below, line.rest)
    line.published = _to_the_second(names.root, line.published)
    return line


def _to_the_second(root: HtmlElement, shown: str | None) -> str | None:
    """The time of a `<time>` element where the page shows the same one to the minute."""
    known = find_time(shown) if shown else None
    for element in _CLOCKS(root)[:8] if known and known[1] == "minute" else []:
        exact = find_time(stated := element.get("datetime") or "")
        if known and exact and exact[0].second and exact[0].replace(second=0) == known[0]:
            return stated
    return shown


def _stand_ins(root: HtmlElement, info: InfoLine, head: Head, after: LinesAfter) -> list[str]:
    """Fill what the head does not show from the foot, then from the page's metadata; the latter is
    a doubt.
    """
    doubts: list[str] = []
    for line in after.first(6) if info.published is None else []:
        if re.search(r"(?:发布|发表|发稿)(?:时间|日期)|来源", line.text) and time_span(line.text):
            foot = read_info(line.text)
            info.published, info.source = foot.published, info.source or foot.source
            break
    if info.published and info.source and head.title and not head.title_from_tag:
        return doubts
    stated = read_metadata(root)
    if head.title_from_tag:
        doubts += _title_stand_in(head, stated.title)
    if info.published is None and stated.published:
        info.published = stated.published
        doubts.append("published_at: from metadata")
    if info.source is None and stated.source:
        info.source = stated.source
        doubts.append("source: from metadata")
    return doubts


def _title_stand_in(head: Head, stated: str | None) -> list[str]:
    """Where no headline is on the page, metadata tell what of the `<title>` is one, or stand for a
    `<title>` that names only the site.
    """
    tag = head.title or ""
    if stated and (squeeze(stated) in squeeze(tag) or len(tag) < 8):
        head.title = stated
        return ["title: from metadata"]
    return ["title: from <title>"] * bool(tag)


def _named(text: str) -> str:
    return text if re.search(r"记者|作者|通讯员|[/／]|撰文|摄影", text) else f"作者: {text}"


def _address(page: Page) -> str:
    """The article's canonical URL: that of its desktop page where a mobile page names it."""
    own = canonical(page.url)
    if kind(own) == "mobile":
        for href in (href for values in _DESKTOP for href in values(page.root)):
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
