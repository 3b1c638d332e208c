"""Article page of a digital paper -> raw fields (T5).

What the page shows comes first; what it does not show may be in the comment that Founder's system
leaves: `<!--enpproperty <title>…</title><introtitle>…</introtitle>… /enpproperty-->` [SIS].
"""

from __future__ import annotations

import re

from lxml import html
from lxml.html import HtmlElement

from zjolcrawl.items import Media, RawArticle
from zjolcrawl.parsing.blocks import Block, BlockReader
from zjolcrawl.parsing.body import Body, read_body
from zjolcrawl.parsing.fields.bylines import AUTHOR_ROLES
from zjolcrawl.parsing.lines import page_lines
from zjolcrawl.parsing.page import Page
from zjolcrawl.parsing.paper_page import Label, issue_pages, page_of, read_label
from zjolcrawl.parsing.templates.paper import KICKERS, PICTURES, SUBTITLES, T5
from zjolcrawl.parsing.templates.table import Path, find
from zjolcrawl.parsing.urls import canonical, url_day

_PROPERTY = re.compile(r"<!--\s*enpproperty(.*?)/enpproperty\s*-->", re.DOTALL)
_FIELD = re.compile(r"<(\w+)>(.*?)</\1>", re.DOTALL)
# （下转第3版）, 上接01版: where the printed text goes on. The site has the whole text on one page.
_TURN = re.compile(
    r"[（(【\[▶▷►>\s]*(?:紧?[下上][转接]|转|接)\s*第?\s*[A-Z]?[\d一二三四五六七八九十]{1,4}\s*版[)）】\]▶▷►>\s]*"
)
_EDGE = re.compile(rf"^{_TURN.pattern}|{_TURN.pattern}$")


def read_paper_article(page: Page) -> RawArticle | None:
    """The article, or None where the page has no text, no picture and no headline of one."""
    comment = _comment(page.text)
    container = _container(page.root)
    if container is None:
        return None
    reader = BlockReader(page.url)
    blocks = [*_pictures(page, container), *_turned(reader.read(container))]
    title = _headline(T5.titles, page.root) or comment.get("title")
    kicker = _headline(KICKERS, page.root) or comment.get("introtitle")
    subtitle = _headline(SUBTITLES, page.root) or comment.get("subtitle")
    body = read_body(blocks, [text for text in (kicker, title, subtitle) if text])
    if not title and not body.lines:
        return None
    label, pdf = _place(page, comment)
    day = url_day(page.url)
    return RawArticle(
        url=canonical(page.url),
        template=T5.name,
        encoding=page.encoding,
        title=title,
        kicker=kicker,
        subtitle=subtitle,
        published=day.isoformat() if day else None,
        bylines=_bylines(page.root, comment, body),
        editors=body.editors,
        editor_note=body.editor_note,
        dateline=body.dateline,
        body=body.lines,
        body_html=body.html,
        images=body.images,
        videos=body.videos,
        attachments=[Media(url, ref, name or None) for url, ref, name in reader.attachments],
        warnings=list(page.warnings),
        page_number=label.number if label else None,
        page_name=label.name if label else None,
        pdf=pdf,
    )


def _comment(text: str) -> dict[str, str]:
    """The fields of Founder's comment that are not empty, tags taken out."""
    mark = _PROPERTY.search(text)
    fields = {
        name.lower(): _plain(value) for name, value in _FIELD.findall(mark[1] if mark else "")
    }
    return {name: value for name, value in fields.items() if value}


def _plain(markup: str) -> str:
    if not markup.strip():
        return ""
    return " ".join(line.text for line in page_lines(html.fragment_fromstring(markup, "div")))


def _container(root: HtmlElement) -> HtmlElement | None:
    """The element with most text of the first XPath that finds any."""
    found = find(T5.bodies, root)
    return max(found, key=lambda each: len(str(each.text_content())), default=None)


def _headline(candidates: tuple[Path, ...], root: HtmlElement) -> str | None:
    """The first that has any text, its lines joined by a space."""
    for element in (element for path in candidates for element in path(root)):
        if text := " ".join(line.text for line in page_lines(element)):
            return text
    return None


def _pictures(page: Page, container: HtmlElement) -> list[Block]:
    """The pictures beside the text: all words that stand with one are its caption."""
    blocks: list[Block] = []
    for box in find(PICTURES, page.root):
        if container in box.iterancestors() or box in container.iterancestors():
            continue
        for block in BlockReader(page.url).read(box):
            last = blocks[-1] if blocks else None
            if block.kind == "figure" or last is None:
                blocks.append(block)
            elif last.kind == "caption":
                last.lines += block.lines
            else:
                block.kind = "caption"
                blocks.append(block)
    return blocks


def _turned(blocks: list[Block]) -> list[Block]:
    """The blocks without the words that lead from one printed page to another."""
    kept = []
    for block in blocks:
        if block.kind in {"p", "h2", "quote"} and any(_EDGE.search(line) for line in block.lines):
            for line in block.lines:
                block.html = block.html.replace(line, _EDGE.sub("", line))
            block.lines = [text for line in block.lines if (text := _EDGE.sub("", line))]
            if not block.lines:
                continue
        kept.append(block)
    return kept


def _place(page: Page, comment: dict[str, str]) -> tuple[Label | None, str | None]:
    """Which page of the issue the article stands on, and that page's PDF."""
    label, pdf = page_of(page, issue_pages(page))
    named = comment.get("nodename")
    if label is None and named:
        label = read_label(named)
    return label, pdf


def _bylines(root: HtmlElement, comment: dict[str, str], body: Body) -> list[str]:
    """The author's line of the page, else the comment's, and what the text itself says."""
    named = _headline(T5.authors, root) or comment.get("author")
    if named and not re.search(AUTHOR_ROLES, named):
        named = f"作者: {named}"
    return [named, *body.bylines] if named else body.bylines
