"""Finds the container of a page's article: by the names of a template, or by its text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml.html import HtmlElement

from zjolcrawl.items import READ_KINDS
from zjolcrawl.parsing.block_reader import BlockReader
from zjolcrawl.parsing.blocks import Block
from zjolcrawl.parsing.body import Body, read_body
from zjolcrawl.parsing.densest import SHORT, Densest, below_headline
from zjolcrawl.parsing.elements import text_of
from zjolcrawl.parsing.fields.dates import time_span
from zjolcrawl.parsing.fields.text import squeeze
from zjolcrawl.parsing.gallery import read_gallery
from zjolcrawl.parsing.head import Head, read_head
from zjolcrawl.parsing.headline import Headline, find_headline, is_named_only_by_site
from zjolcrawl.parsing.notices import is_notice, says_missing
from zjolcrawl.parsing.page import Page
from zjolcrawl.parsing.templates import Template, families, generic_template
from zjolcrawl.parsing.urls import kind, url_day

_SENTENCE_END = re.compile("[。！？…!?][”’」』）)]?$")


@dataclass(frozen=True, slots=True)
class Found:
    """A body container that holds an article, with the head, body and attachments read from it.

    `template` is the family that the page belongs to.
    """

    template: Template
    container: HtmlElement
    head: Head
    body: Body
    attachments: list[tuple[str, str, str]]

    @property
    def size(self) -> int:
        """The number of characters; a picture or a video counts as 50."""
        return self.body.size + 50 * (len(self.body.images) + len(self.body.videos))

    @property
    def is_lead(self) -> bool:
        """Whether the text is a list of links or the lead of a topic page.

        A lead is under 200 characters, without a headline on the page and without an info line.
        """
        headless = self.head.title_from_tag and not self.head.info
        return self.body.links >= 0.5 or (headless and self.body.size < 200)

    @property
    def is_missing_page(self) -> bool:
        """Whether the text only says that there is no page."""
        # 造谣帖文已被删除 is a real headline if it has an info line.
        is_short = self.body.size < 200 and not self.head.info
        return is_short and says_missing(self.head.title or "")


def find_by_template(page: Page, densest: Densest) -> Found | None:
    """The article in the body of the first template that the page fits."""
    day = url_day(page.url)
    for template in families():
        found = _best_body(template, page) if template.covers(day) else None
        if found and not (template.ambiguous_bodies and _is_another(found.container, densest())):
            return found
    return None


def find_without_template(page: Page, densest: Densest) -> Found | None:
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
    in_blocks, in_text = (sum(len(block.text) for block in some) for some in (blocks, text))
    if container in box.iterancestors() or 2 * in_blocks < in_text:
        return _read(container, page, generic_template())
    return _read(box, page, generic_template(), blocks + text)


def _few(page: Page, container: HtmlElement | None) -> Found | None:
    """An article of few words: `_brief` or `_short`, whichever finds one.

    If both do, the short container wins only if it lies within the brief's and has at least as many
    images; text elsewhere on the page is a notice.
    """
    short, brief = _short(page, container), _brief(page)
    if short is None or brief is None:
        return brief or short
    is_in_brief = brief.container in (short.container, *short.container.iterancestors())
    return short if is_in_brief and len(short.body.images) >= len(brief.body.images) else brief


def _short(page: Page, container: HtmlElement | None) -> Found | None:
    """The container with a few words, if there is a headline and an info line; otherwise it is a notice."""
    found = _read(container, page, generic_template()) if container is not None else None
    return found if found and found.head.info and not found.head.title_from_tag else None


def _brief(page: Page) -> Found | None:
    """A sentence or pictures directly below a headline, confirmed by a dated info line or the `<title>`."""
    headline = find_headline(page.elements, generic_template())
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
    return is_notice(" ".join((head.title or "", *body.lines)))


def _best_body(template: Template, page: Page) -> Found | None:
    """The family's container with the most text: a class such as `content` may occur twice."""
    best: Found | None = None
    headline: Headline | None = None
    for path in template.bodies:
        for container in path(page.elements)[:8]:
            headline = headline or find_headline(page.elements, template)
            found = _read(container, page, template, headline=headline)
            if found and (best is None or found.size > best.size):
                best = found
        if best:
            return None if best.is_missing_page else best
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


def _read(
    container: HtmlElement,
    page: Page,
    template: Template,
    blocks: list[Block] | None = None,
    headline: Headline | None = None,
) -> Found | None:
    """The head, body and attachments of a container, or None if it holds no text, picture or video."""
    reader = BlockReader(page.base)
    blocks = reader.read(container) if blocks is None else blocks
    if not blocks:
        return None
    head = read_head(page.root, headline or find_headline(page.elements, template), container)
    body = read_body(blocks, head.lines, head.title, headline_inside=head.inside)
    if not body.images and not body.videos and body.size < 10 and not _is_whole(head, body, reader):
        return None
    if template.ambiguous_bodies and body.links > 0.5:
        return None
    return Found(template, container, head, body, reader.attachments)


def _is_whole(head: Head, body: Body, reader: BlockReader) -> bool:
    """Whether a text of under ten characters is a whole article: a sentence, or text with an attachment."""
    is_headed = head.title and not head.title_from_tag and any(map(time_span, head.info))
    if not is_headed or not body.lines or _is_notice(head, body):
        return False
    return bool(reader.attachments) or bool(_SENTENCE_END.search(body.lines[-1]))
