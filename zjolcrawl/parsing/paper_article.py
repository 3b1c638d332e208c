"""Parses an article page of a digital paper into raw fields.

Visible text comes first. Missing fields are taken from the comment that Founder's system leaves:
`<!--enpproperty <title>…</title><introtitle>…</introtitle>… /enpproperty-->` [SIS], or the same with
`<founder-title>`, `<founder-pagenum>` …, also below `</html>` [SIS].
"""

from __future__ import annotations

import re
from html import escape, unescape
from itertools import islice

from lxml.html import HtmlElement

from zjolcrawl.items import Media, RawArticle
from zjolcrawl.parsing.block_reader import BlockReader
from zjolcrawl.parsing.blocks import Block
from zjolcrawl.parsing.body import Body, read_body
from zjolcrawl.parsing.byline_lines import byline_of
from zjolcrawl.parsing.fields.roles import AUTHOR_ROLES
from zjolcrawl.parsing.fields.text import DIVIDER, clean
from zjolcrawl.parsing.head import Head, read_head
from zjolcrawl.parsing.headline import find_headline
from zjolcrawl.parsing.info_line import read_info
from zjolcrawl.parsing.page import Page
from zjolcrawl.parsing.paper_page import Label, issue_pages, own_label, page_of, read_label
from zjolcrawl.parsing.templates import paper_template
from zjolcrawl.parsing.text_lines import page_lines
from zjolcrawl.parsing.urls import canonical, url_day
from zjolcrawl.parsing.xpath import Path, find

_PROPERTY, _PROPERTY_END = re.compile(r"<!--\s*enpproperty"), re.compile(r"/enpproperty\s*-->")
_FIELD = re.compile(r"<((?:founder-)?(\w+))>")
_LINE_END = re.compile(r"</p>|<br\s*/?>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*+>")
_LONGEST_COMMENT = 20_000  # characters
_PAPER_NAME = re.compile(r"(?:报|党员|电子版|在线)$|数字报|第.{1,6}版")
# （下转第3版）, 上接01版, ►A0002版: "continued on/from page", with its brackets and arrows.
_TURN = (
    r"[（(【\[\s]{0,9}+(?:[▶▷►>]{1,9}+|[▶▷►>\s]{0,9}+[下上][转接])\s{0,4}+第?\s{0,4}+"
    r"[A-Z]?[\d一二三四五六七八九十]{1,5}\s{0,4}+版[)）】\]▶▷►>\s]{0,9}+"
)
_SAYS = re.compile(r"[。！？，；].{4}|.{8}[。！？]|.{4}\s摄$")
_SENTENCE_END = re.compile("[。！？；]")
_SENTENCE_ENDS = "。！？”…）)"
_EDGE = re.compile(rf"^{_TURN}|{_TURN}$")


def read_paper_article(page: Page) -> RawArticle | None:
    """The article, or None if the page has none (see `is_blank`)."""
    template = paper_template()
    comment = _comment(page.text)
    if (container := _container(page.root)) is None:
        return None
    reader = BlockReader(page.base)
    blocks = [*_pictures(page, container), *_turned(reader.read(container))]
    title = _headline(template.titles, page.root)
    kicker = _headline(template.kickers, page.root) or comment.get("introtitle")
    subtitle = _headline(template.subtitles, page.root) or comment.get("subtitle")
    head, doubts = Head(), list[str]()
    if not title:  # a page of 2006-2009 without these classes, or an item without a headline
        headline = find_headline(page.elements, template, comment.get("title"))
        head = read_head(page.root, headline, container)
        title, doubts = _unclassed(head, comment, page.root)
        subtitle = subtitle or (None if comment else head.subtitle)
    body = read_body(blocks, [text for text in (kicker, subtitle) if text], title)
    if not title and (title := _from_text(body)):
        doubts = ["title: from the text"]
    if not (title and (body.lines or body.images or body.videos)):
        return None
    day = url_day(page.url)
    article = RawArticle(
        url=canonical(page.url),
        template=template.name,
        encoding=page.encoding,
        title=title,
        kicker=kicker,
        subtitle=subtitle,
        published=day.isoformat() if day else None,
        source=comment.get("papername"),
        bylines=_bylines(page.root, comment, head, body),
        editors=body.editors,
        editor_note=body.editor_note,
        abstract=body.abstract,
        dateline=body.dateline,
        body=body.lines,
        body_html=body.html,
        images=body.images,
        videos=body.videos,
        attachments=[Media(url, ref, name or None) for url, ref, name in reader.attachments],
        warnings=page.warnings + doubts,
    )
    return place_on_page(article, page, container, comment)


def is_blank(page: Page) -> bool:
    """Whether a page without an article is still a complete page (it has a text container).

    The masthead and advertisements are areas on the page image too; their pages lack headline or text.
    """
    return _container(page.root) is not None


def _from_tag(root: HtmlElement) -> str | None:
    """The text of `<title>` without the paper's name, or None."""
    parts = DIVIDER.split(
        "".join(str(each.text_content()) for each in islice(root.iter("title"), 1))
    )
    return clean(" ".join(part for part in parts if not _PAPER_NAME.search(clean(part)))) or None


def _comment(text: str) -> dict[str, str]:
    """The non-empty fields of Founder's comment, without tags."""
    mark = _PROPERTY.search(text)
    end = _PROPERTY_END.search(text, mark.end()) if mark else None
    if mark is None or end is None:
        return {}
    comment = text[mark.end() : end.start()][:_LONGEST_COMMENT]
    fields: dict[str, str] = {}
    unclosed: set[str] = set()
    at = 0
    while opening := _FIELD.search(comment, at):
        at = opening.end()
        if opening[1] in unclosed:
            continue
        close = comment.find(f"</{opening[1]}>", at)
        if close < 0:
            unclosed.add(opening[1])
            continue
        fields[opening[2].lower()] = _plain(comment[at:close])
        at = close
    return {name: value for name, value in fields.items() if value}


def _plain(markup: str) -> str:
    text = _TAG.sub("", _LINE_END.sub(" ", markup))
    try:
        return clean(unescape(text))
    except ValueError:  # &#9999…; with more digits than Python's int() accepts
        return clean(text)


def _container(root: HtmlElement) -> HtmlElement | None:
    """The element with the most text among those found by the first matching XPath."""
    found = find(paper_template().bodies, root)
    return max(found, key=lambda each: len(str(each.text_content())), default=None)


def _headline(candidates: tuple[Path, ...], root: HtmlElement) -> str | None:
    """The text of the first candidate that has any, its lines joined by a space."""
    for element in (element for path in candidates for element in path(root)):
        if text := " ".join(line.text for line in page_lines(element)):
            return text
    return None


def _pictures(page: Page, container: HtmlElement) -> list[Block]:
    """The pictures beside the text, each followed by its caption."""
    pairs: list[tuple[Block, Block]] = []
    for box in find(paper_template().pictures, page.root):
        if container in box.iterancestors() or box in container.iterancestors():
            continue
        row: list[tuple[Block, Block]] = []  # the last row that has pictures
        for cells in _rows(box):
            read = [BlockReader(page.base).read(cell) for cell in cells]
            if any(block.kind == "figure" for blocks in read for block in blocks):
                row = [pair for blocks in read for pair in _captioned(blocks)]
                pairs += row
            else:
                _take_captions(row, [blocks for blocks in read if blocks])
    return [block for pair in pairs for block in pair if block.kind == "figure" or block.lines]


def _rows(box: HtmlElement) -> list[list[HtmlElement]]:
    """The cells of a box's innermost table rows; a box without a table is a single cell."""
    inner = (row for row in box.iter("tr") if row is not box and row.find(".//tr") is None)
    rows = [[cell for cell in row if cell.tag in {"td", "th"}] for row in inner]
    return [cells for cells in rows if cells] or [[box]]


def _captioned(blocks: list[Block]) -> list[tuple[Block, Block]]:
    """The pictures of a cell, each with the text below it as caption."""
    pairs: list[tuple[Block, Block]] = []
    for block in blocks:
        if block.kind == "figure":
            pairs.append((block, Block("caption")))
        elif pairs:
            pairs[-1][1].lines += block.lines
    return pairs


def _take_captions(row: list[tuple[Block, Block]], cells: list[list[Block]]) -> None:
    """Add a row of text below a row of pictures: cell by cell if they match in number, else to the last."""
    each = len(cells) == len(row)
    for index, blocks in enumerate(cells if row else []):
        _, caption = row[index if each else -1]
        caption.lines += [line for block in blocks for line in block.lines]


def _turned(blocks: list[Block]) -> list[Block]:
    """The blocks without "continued on page …" notes."""
    for block in blocks:
        if block.kind in {"p", "h2", "quote"}:
            words = [mark[0].strip() for line in block.lines for mark in _EDGE.finditer(line)]
            block.html = _without(block.html, [escape(each, quote=False) for each in words])
            block.lines = [text for line in block.lines if (text := _EDGE.sub("", line))]
    return [block for block in blocks if block.lines or block.kind in {"figure", "video"}]


def _without(html: str, words: list[str]) -> str:
    """The HTML without `words`, which occur in it in this order."""
    pieces, at = [], 0
    for each in words:
        if (found := html.find(each, at)) >= 0:
            pieces.append(html[at:found])
            at = found + len(each)
    return "".join([*pieces, html[at:]])


def place_on_page(
    article: RawArticle, page: Page, container: HtmlElement, comment: dict[str, str] | None = None
) -> RawArticle:
    """Add the page number, page name and PDF to an article.

    Also used for articles of another template (浙江法制报, 2005-2008), which have no comment.
    """
    label, article.pdf = _place(page, container, comment or {})
    if label:
        article.page_number, article.page_name = label.number, label.name
    return article


def _unclassed(
    head: Head, comment: dict[str, str], root: HtmlElement
) -> tuple[str | None, list[str]]:
    """The headline of a page without the template's classes, and the warnings about it."""
    if stated := comment.get("title"):
        return stated, []
    if head.title and not head.title_from_tag and not head.inside:
        return head.title, ["title: by its place"] * head.title_by_place
    title = _from_tag(root)
    return title, ["title: from <title>"] * bool(title)


def _from_text(body: Body) -> str | None:
    """A title from the first sentence of an item without a headline: a brief or a captioned picture.

    None for an advertisement: it has no sentence and names nobody. At most 40 characters.
    """
    captions = [image.caption for image in body.images if image.caption]
    texts = body.lines + captions
    is_one = body.bylines or body.entries or any(_SAYS.search(text) for text in texts)
    if not texts or not is_one:
        return None
    title = _SENTENCE_END.split(texts[0])[0].strip()
    return title if len(title) <= 40 else title[:39].rpartition("，")[0] or f"{title[:39]}…"


def _place(
    page: Page, container: HtmlElement, comment: dict[str, str]
) -> tuple[Label | None, str | None]:
    """The label and the PDF of the issue's page that the article is on."""
    label, pdf = page_of(page, issue_pages(page))
    label = label or own_label(page_lines(page.root, container))
    if label is None and (named := comment.get("nodename")):
        label = read_label(named)
    if label is None and (number := comment.get("pagenum")):
        label = Label(number)
    return label, pdf


def _bylines(root: HtmlElement, comment: dict[str, str], head: Head, body: Body) -> list[str]:
    """The bylines: the page's author line or the comment's author, then those in the head and the text."""
    named = _headline(paper_template().authors, root) or comment.get("author")
    if named and not re.search(AUTHOR_ROLES, named):
        named = f"作者: {named}"
    said = [named] if named else []
    said += read_info(" ".join(head.info)).bylines + head.credits + body.bylines
    return said or body.entries or _signed(body.lines)


def _signed(lines: list[str]) -> list[str]:
    """The names in the last line (王平 徐燕飞), if a sentence is above it; otherwise the line ends a list."""
    if len(lines) < 2 or lines[-2][-1] not in _SENTENCE_ENDS or len(lines[-1].split()) > 8:
        return []
    named = byline_of(lines[-1])
    return [named] if named else []
