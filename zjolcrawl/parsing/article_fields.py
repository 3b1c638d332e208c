"""Puts the fields of an article together, from its head, body and footer and the page's metadata."""

from __future__ import annotations

import re
from functools import cache
from itertools import islice

from lxml.html import HtmlElement

from zjolcrawl.items import Media, RawArticle
from zjolcrawl.parsing.article_search import Found
from zjolcrawl.parsing.credit_bar import read_credit_bar
from zjolcrawl.parsing.elements import ElementIndex, text_of
from zjolcrawl.parsing.exact_time import exact_time
from zjolcrawl.parsing.fields.dates import time_span
from zjolcrawl.parsing.fields.text import clean, squeeze
from zjolcrawl.parsing.footer import attachments_in, bylines_in, editors_in
from zjolcrawl.parsing.head import Head
from zjolcrawl.parsing.info_line import InfoLine, read_info
from zjolcrawl.parsing.metadata import keywords_in, read_metadata
from zjolcrawl.parsing.multipage import page_urls
from zjolcrawl.parsing.outlet import outlet_below
from zjolcrawl.parsing.page import Page
from zjolcrawl.parsing.tag_bar import may_have_tags, tag_boxes, tags_in
from zjolcrawl.parsing.templates import Template
from zjolcrawl.parsing.text_lines import LinesAfter, last_lines
from zjolcrawl.parsing.urls import absolute, canonical, doc_id, kind
from zjolcrawl.parsing.xpath import Path, Values, find

_END = 14  # lines at the end of a container that may be a bar of tags or editors
_DESKTOP = (Values("//link[@rel = 'canonical']/@href"), Values("//a/@href"))


def read_fields(page: Page, found: Found) -> RawArticle:
    """The fields of an article, as the page writes them."""
    template, head, body = found.template, found.head, found.body
    info = _info(page.elements, template, head)
    after = LinesAfter(found.container)
    info.source = info.source or body.source
    footer = read_credit_bar(line.text for line in after) if info.source is None else InfoLine()
    info.source = info.source or footer.source
    doubts = _stand_ins(page.root, info, head, after)
    inside = cache(lambda: last_lines(found.container, _END))  # needed twice or not at all
    # An editor may be named in two places; duplicates are merged before storage.
    named = _texts(template.editors, page.elements)
    editors = body.editors + [_label("责任编辑", text) for text in named]
    editors += editors_in(islice(after, 40)) or editors_in(inside()) or editors_in(after)
    editors += footer.editors + info.editors
    files = found.attachments or attachments_in(after.first(12), page.base)
    bylines = info.bylines + body.bylines + footer.bylines
    boxes = tag_boxes(page.elements)
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
        bylines=bylines or body.entries or bylines_in(after.first(6)),
        editors=editors,
        tags=own_tags or tags_in(after, boxes),
        keywords=keywords_in(page.root, head.title),
        editor_note=body.editor_note or head.note,
        abstract=body.abstract or head.abstract,
        dateline=body.dateline,
        original_title=body.original_title or head.original_title,
        body=body.lines,
        body_html=body.html,
        images=body.images,
        videos=body.videos,
        attachments=[Media(url, ref, name or None) for url, ref, name in files],
        pages=page_urls(page),
        warnings=page.warnings + doubts,
    )


def _texts(candidates: tuple[Path, ...], elements: ElementIndex) -> list[str]:
    # An element that was never closed holds the rest of the page; its own text is at the beginning.
    texts = (clean(text_of(element)[:2000]) for element in find(candidates, elements))
    return list(islice(filter(None, texts), 2))


def _label(label: str, text: str) -> str:
    """The text with the label added, unless it has one; an element found by its id often has none."""
    return text if re.search(r"[:：]", text) or not text else f"{label}: {text}"


def _info(elements: ElementIndex, template: Template, head: Head) -> InfoLine:
    """The info line from the template's elements, completed from the lines below the headline."""
    times = [text for text in _texts(template.times, elements) if time_span(text)]
    sources, authors = _texts(template.sources, elements), _texts(template.authors, elements)
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
        # 最低工资标准发布, a subtitle, ends like the name of an outlet.
        below = [each for each in head.below if len(each.text) <= 8 or each.text != head.subtitle]
        line.source = outlet_below(below, line.rest)
    line.bylines += head.credits
    line.published = exact_time(elements.root, line.published, head.below)
    return line


def _stand_ins(root: HtmlElement, info: InfoLine, head: Head, after: LinesAfter) -> list[str]:
    """Fill gaps in the head from the footer, then from the page's metadata; return the doubts (warnings).

    Values from metadata and an unconfirmed title are doubts.
    """
    doubts: list[str] = []
    for line in after.first(6) if info.published is None else []:
        if re.search(r"(?:发布|发表|发稿)(?:时间|日期)|来源", line.text) and time_span(line.text):
            footer = read_info(line.text)
            info.published, info.source = footer.published, info.source or footer.source
            break
    is_dated = bool(info.published and time_span(info.published))
    is_sure = head.title and not head.title_from_tag and not head.title_by_place
    if is_dated and info.source and is_sure:
        return doubts
    stated = read_metadata(root)
    if head.title_from_tag:
        doubts += _title_stand_in(head, stated.title)
    elif head.title_by_place:
        doubts.append("title: by its place")
    if not is_dated and stated.published:
        info.published = stated.published
        doubts.append("published_at: from metadata")
    if info.source is None and stated.source:
        info.source = stated.source
        doubts.append("source: from metadata")
    return doubts


def _title_stand_in(head: Head, stated: str | None) -> list[str]:
    """For a page without a headline, prefer the metadata title to the `<title>`; return the doubts.

    The metadata title counts if the `<title>` contains it, or if the `<title>` has under 8 characters
    and so names only the site.
    """
    tag = head.title or ""
    if stated and (squeeze(stated) in squeeze(tag) or len(tag) < 8):
        head.title = stated
        return ["title: from metadata"]
    return ["title: from <title>"] * bool(tag)


def _named(text: str) -> str:
    return text if re.search(r"记者|作者|通讯员|[/／]|撰文|摄影", text) else f"作者: {text}"


def _address(page: Page) -> str:
    """The article's canonical URL; for a mobile page that links its desktop page, the latter's."""
    own = canonical(page.url)
    if kind(own) == "mobile":
        for href in (href for values in _DESKTOP for href in values(page.root)):
            url = canonical(absolute(page.base, href) or "")
            if kind(url) == "article" and doc_id(url) == doc_id(own):
                return url
    return own
