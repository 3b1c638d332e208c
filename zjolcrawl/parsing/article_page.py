"""Parses an article page into raw fields, by template: the entry point for reading articles."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import islice

from lxml.html import HtmlElement

from zjolcrawl.items import READ_KINDS, Media, RawArticle
from zjolcrawl.parsing.blocks import Block, BlockReader
from zjolcrawl.parsing.body import Body, read_body
from zjolcrawl.parsing.credit_bar import read_bar
from zjolcrawl.parsing.densest import SHORT, Densest, below_headline
from zjolcrawl.parsing.elements import ElementIndex, text_of
from zjolcrawl.parsing.exact_time import exact_time
from zjolcrawl.parsing.fields.dates import time_span
from zjolcrawl.parsing.fields.text import clean, squeeze
from zjolcrawl.parsing.footer import (
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
from zjolcrawl.parsing.heading import is_named_only_by_site
from zjolcrawl.parsing.info_line import InfoLine, read_info
from zjolcrawl.parsing.metadata import read_metadata
from zjolcrawl.parsing.multipage import page_urls
from zjolcrawl.parsing.outlet import outlet_below
from zjolcrawl.parsing.page import Page, read_page
from zjolcrawl.parsing.paper_article import is_blank, place_on_page, read_paper_article
from zjolcrawl.parsing.redirects import stub_target
from zjolcrawl.parsing.templates import Template, families, generic_template
from zjolcrawl.parsing.text_lines import LinesAfter, last_lines
from zjolcrawl.parsing.urls import absolute, canonical, doc_id, kind, url_day
from zjolcrawl.parsing.xpath import Path, Values, find

# Increase with every change that can alter a field. Stored as `parser.version` in the documents.
PARSER_VERSION = 3

_END = 14  # lines at the end of a container that may be a bar of tags or editors
_LEAST = 60  # characters; less text beside a redirect is not an article
_DESKTOP = (Values("//link[@rel = 'canonical']/@href"), Values("//a/@href"))
_MISSING_PAGE = re.compile(
    r"(?<![\d.])404(?=\W|$|页|错)|页面不存在|(?:找不到|没有找到|未找到|无法找到)(?:该|您|此)?.{0,6}(?:页面|网页|该页)|"
    r"(?:页面|网页)(?:未找到|没有?找到|找不到|无法找到|已删除|不见了)|not found|已被删除",
    re.IGNORECASE,
)
# Text in place of an article: a placeholder that a script has not filled, or a server's message.
_NO_TEXT = re.compile(
    r"加载|载入|请稍[候后等]|loading|暂无|无内容|抱歉|对不起|[您你](?:访问|请求|查看|浏览|要找|所)|返回(?:首页|上一页)|"
    r"无法(?:访问|显示|打开)|维护|服务器|网络异常|系统(?:升级|繁忙|错误)|请(?:先|重新)?登录|请刷新|跳转",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile("[。！？…!?][”’」』）)]?$")
# Messages in place of a removed article. Only searched on pages without an article.
_TAKEN_DOWN = re.compile(
    r"(?:文章|稿件|内容|新闻|页面|网页|信息|帖子|该文|资源|链接)\S{0,6}(?:不存在|已?被?(?:删除|撤[销稿回下]|移除|下[线架]|屏蔽)|已?失效|已?过期)|"
    r"(?:不存在|已被?(?:删除|撤[销稿回下]|移除|下[线架]))(?:的)?(?:文章|稿件|内容|新闻|页面)|410 Gone|Page Not Found",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Stub:
    """A page that only redirects the browser; `target` is an absolute URL."""

    target: str


@dataclass(frozen=True, slots=True)
class NotArticle:
    """A page without an article, and the reason.

    `missing`: the page says that nothing exists at its URL (a soft 404). `withheld`: the server sent a
    challenge or an empty page instead of the real one; a later request may succeed. `blank`: the page
    is complete but has nothing to read.
    """

    reason: str
    missing: bool = False
    withheld: bool = False
    blank: bool = False


def read_article(body: bytes, url: str) -> RawArticle | Stub | NotArticle:
    """Parse the article in a page's bytes. Never raises on bad HTML.

    `url` is the page's absolute URL; relative references resolve against it. The charset is detected
    from the bytes: see `page.decode`.
    """
    page = read_page(body, url)
    if kind(url) == "paper":
        if article := read_paper_article(page):
            return article
        if is_blank(page):
            return NotArticle("no headline or text: advertisement or masthead", blank=True)
    densest, day = Densest(page.root), url_day(url)
    for template in families():
        if not template.covers(day):
            continue
        found = _best_body(template, page)
        if found and template.ambiguous_bodies and _is_another(found.container, densest()):
            continue
        if found:
            # A page of a few words that redirects the browser is a stub, whatever its classes. With an
            # info line it is a brief, even if it redirects phones.
            is_short = _size(found.body) < _LEAST
            target = stub_target(page, always=bool(found.head.info)) if is_short else None
            return Stub(target) if target else _article(page, template, found)
    found = _generic(page, densest)
    if found and _size(found.body) < _LEAST and (sent := stub_target(page, always=True)):
        return Stub(sent)
    if found and not _is_lead(found) and not _is_missing_page(found.head, found.body):
        article = _article(page, generic_template(), found)
        is_paper = kind(url) == "paper"
        return place_on_page(article, page, found.container) if is_paper else article
    target = stub_target(page)
    return Stub(target) if target else _why_not(page)


@dataclass(frozen=True, slots=True)
class _Found:
    """A body container that holds an article, with the head, body and attachments read from it."""

    container: HtmlElement
    head: Head
    body: Body
    attachments: list[tuple[str, str, str]]


def _generic(page: Page, densest: Densest) -> _Found | None:
    """The article without a template: a gallery's slides and the text beside them, or the densest container."""
    container = densest()
    slides = read_gallery(page.root, page.base)
    if slides is None:
        if container is None:
            return _few(page, densest(SHORT))
        return _read(container, page, generic_template())
    box, blocks, below = slides
    if container is None or container is box or box in container.iterancestors():
        return _read(box, page, generic_template(), blocks + below)
    text = BlockReader(page.base).read(container)
    told, said = (sum(len(block.text) for block in some) for some in (blocks, text))
    if container in box.iterancestors() or 2 * told < said:
        return _read(container, page, generic_template())
    return _read(box, page, generic_template(), blocks + text)


def _few(page: Page, container: HtmlElement | None) -> _Found | None:
    """An article of few words: `_brief` or `_short`, whichever finds one.

    If both do, the short container wins only if it lies within the brief's and has at least as many
    images; text elsewhere on the page is a notice.
    """
    short, brief = _short(page, container), _brief(page)
    if short is None or brief is None:
        return brief or short
    is_in_brief = brief.container in (short.container, *short.container.iterancestors())
    return short if is_in_brief and len(short.body.images) >= len(brief.body.images) else brief


def _short(page: Page, container: HtmlElement | None) -> _Found | None:
    """The container with a few words, if there is a headline and an info line; otherwise it is a notice."""
    found = _read(container, page, generic_template()) if container is not None else None
    return found if found and found.head.info and not found.head.title_from_tag else None


def _brief(page: Page) -> _Found | None:
    """A sentence or pictures directly below a headline, confirmed by a dated info line or the `<title>`."""
    headline = find_headline(page.names, generic_template())
    box = below_headline(page, headline.element) if headline.element is not None else None
    found = _read(box, page, generic_template(), headline=headline) if box is not None else None
    if found is None or _is_notice(found.head, found.body):
        return None
    if any(map(time_span, found.head.info)):
        return found
    tag, title = headline.title_tag, squeeze(found.head.title or "")
    is_confirmed = squeeze(tag).startswith(title) and not is_named_only_by_site(tag)
    is_said = bool(found.body.lines) and bool(_SENTENCE_END.search(found.body.lines[-1]))
    is_one = is_said and is_confirmed and not headline.by_place and kind(page.url) in READ_KINDS
    return found if is_one else None


def _is_notice(head: Head, body: Body) -> bool:
    """Whether the words below a headline are a notice of the page or server, not an article."""
    text = " ".join((head.title or "", *body.lines))
    return any(each.search(text) for each in (_MISSING_PAGE, _TAKEN_DOWN, _NO_TEXT))


def _best_body(template: Template, page: Page) -> _Found | None:
    """The family's container with the most text: a class such as `content` may occur twice."""
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
    """Whether the article is outside the container or only a small part of it.

    Class names such as `content` also occur on wrappers of the whole page and on boxes beside the
    article.
    """
    if article is None or article is container or article in container.iterancestors():
        return False
    size, own = (len(squeeze(text_of(e))) for e in (article, container))
    return size < 0.6 * own if container in article.iterancestors() else size > own


def _is_lead(found: _Found) -> bool:
    """Whether the text is a list of links or the lead of a topic page.

    A lead is under 200 characters, without a headline on the page and without an info line.
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
    reader = BlockReader(page.base)
    blocks = reader.read(container) if blocks is None else blocks
    if not blocks:
        return None
    head = read_head(page.root, headline or find_headline(page.names, template), container)
    body = read_body(blocks, head.lines, head.title, headline_inside=head.inside)
    if not body.images and not body.videos and body.size < 10 and not _is_whole(head, body, reader):
        return None
    if template.ambiguous_bodies and body.links > 0.5:
        return None
    return _Found(container, head, body, reader.attachments)


def _is_whole(head: Head, body: Body, reader: BlockReader) -> bool:
    """Whether a text of under ten characters is a whole article: a sentence, or text with an attachment."""
    is_headed = head.title and not head.title_from_tag and any(map(time_span, head.info))
    if not is_headed or not body.lines or _is_notice(head, body):
        return False
    return bool(reader.attachments) or bool(_SENTENCE_END.search(body.lines[-1]))


def _is_missing_page(head: Head, body: Body) -> bool:
    # 造谣帖文已被删除 is a real headline if it has an info line.
    return body.size < 200 and not head.info and bool(_MISSING_PAGE.search(head.title or ""))


def _article(page: Page, template: Template, found: _Found) -> RawArticle:
    head, body = found.head, found.body
    info = _info(page.names, template, head)
    after = LinesAfter(found.container)
    info.source = info.source or body.source
    foot = read_bar(line.text for line in after) if info.source is None else InfoLine()
    info.source = info.source or foot.source
    doubts = _stand_ins(page.root, info, head, after)
    editors = body.editors + [
        _label("责任编辑", text) for text in _texts(template.editors, page.names)
    ]
    inside = cache(lambda: last_lines(found.container, _END))  # needed twice or not at all
    # An editor may be named in two places; duplicates are merged before storage.
    editors += editors_in(islice(after, 40)) or editors_in(inside()) or editors_in(after)
    editors += foot.editors + info.editors
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
        bylines=(
            info.bylines + body.bylines + foot.bylines or body.entries or bylines_in(after.first(6))
        ),
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
        attachments=[
            Media(url, ref, name or None)
            for url, ref, name in found.attachments or attachments_in(after.first(12), page.base)
        ],
        pages=page_urls(page),
        warnings=page.warnings + doubts,
    )


def _texts(candidates: tuple[Path, ...], names: ElementIndex) -> list[str]:
    # An element that was never closed holds the rest of the page; its own text is at the beginning.
    texts = (clean(text_of(element)[:2000]) for element in find(candidates, names))
    return list(islice(filter(None, texts), 2))


def _label(label: str, text: str) -> str:
    """The text with the label added, unless it has one; an element found by its id often has none."""
    return text if re.search(r"[:：]", text) or not text else f"{label}: {text}"


def _info(names: ElementIndex, template: Template, head: Head) -> InfoLine:
    """The info line from the template's elements, completed from the lines below the headline."""
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
        # 最低工资标准发布, a subtitle, ends like the name of an outlet.
        below = [each for each in head.below if len(each.text) <= 8 or each.text != head.subtitle]
        line.source = outlet_below(below, line.rest)
    line.bylines += head.credits
    line.published = exact_time(names.root, line.published, head.below)
    return line


def _stand_ins(root: HtmlElement, info: InfoLine, head: Head, after: LinesAfter) -> list[str]:
    """Fill gaps in the head from the foot, then from the page's metadata; return the doubts (warnings).

    Values from metadata and an unconfirmed title are doubts.
    """
    doubts: list[str] = []
    for line in after.first(6) if info.published is None else []:
        if re.search(r"(?:发布|发表|发稿)(?:时间|日期)|来源", line.text) and time_span(line.text):
            foot = read_info(line.text)
            info.published, info.source = foot.published, info.source or foot.source
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


def _why_not(page: Page) -> NotArticle:
    text = clean(" ".join(page.root.itertext("p", "div", "h1", "h2", "td", "title")))[:400]
    if not page.text.strip():
        return NotArticle("empty page", withheld=True)
    if _MISSING_PAGE.search(text) or _TAKEN_DOWN.search(text):
        return NotArticle("page says it is missing", missing=True)
    links = len(page.root.findall(".//a[@href]"))
    if not links and "<script" in page.text.lower():
        return NotArticle("script only: a challenge or an unknown stub", withheld=True)
    return NotArticle("links only: a topic or list page" if links >= 5 else "no body found")
