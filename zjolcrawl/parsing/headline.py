"""Finds the headline of a page: by the template, the `<title>`, a heading tag, or its place."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from lxml.html import HtmlElement

from zjolcrawl.parsing.breadcrumb import read_breadcrumb
from zjolcrawl.parsing.byline_lines import byline_of
from zjolcrawl.parsing.elements import ElementIndex, names_of, text_of
from zjolcrawl.parsing.fields.dates import time_span
from zjolcrawl.parsing.fields.text import DIVIDER, clean, squeeze
from zjolcrawl.parsing.head_lines import is_byline_line, is_info, may_be_heading
from zjolcrawl.parsing.templates import Template
from zjolcrawl.parsing.text_lines import Line, page_lines
from zjolcrawl.parsing.xpath import find, paths
from zjolcrawl.site.current import for_site

_HEADLINES = paths("//h1", "//h2")
_site_suffix = for_site(
    lambda site: re.compile(
        rf"(?:[_|｜]|(?<![-–—])[-–—]++)(?=[^_|｜–—-]*(?:频道|新闻|在线|网|中心|站|栏目|首页|平台|{'|'.join(map(re.escape, site.title_words)) or '(?!)'}))"
    )
)


@dataclass(frozen=True, slots=True)
class Headline:
    """A page's `<title>` text and its headline element (or None), independent of the body container."""

    title_tag: str
    element: HtmlElement | None
    by_place: bool = False


def find_headline(
    elements: ElementIndex, template: Template, stated: str | None = None
) -> Headline:
    """Find the headline in the whole page; `stated` is a title from a comment, used instead of `<title>`."""
    # A <title> that was never closed holds the rest of the page.
    title_tag = stated or first_text(list(islice(elements.root.iter("title"), 1)))[:1000]
    if (element := _title_element(elements, template, title_tag)) is not None:
        return Headline(title_tag, element)
    element = _by_place(elements.root) if is_named_only_by_site(title_tag) else None
    return Headline(title_tag, element, by_place=element is not None)


def _by_place(root: HtmlElement) -> HtmlElement | None:
    """The headline of a page whose `<title>` names only the site, found by its position.

    It is below the breadcrumb and above the info line; or above the text, if the info line is at the
    top or missing. Among several candidates, the most emphasised one wins.
    """
    lines = page_lines(root)
    _, begin = read_breadcrumb(root, lines)
    prose = next((i for i, line in enumerate(lines) if i >= begin and _is_prose(line)), len(lines))
    begin = max(begin, after_tools(lines[:prose]))
    times = [i for i in range(begin, prose) if time_span(lines[i].text) and is_info(lines[i].text)]
    for first, last in [(max(begin, t - 6), t) for t in times[-1:]] + [
        (max(begin, prose - 6), prose)
    ]:
        if begin or times:
            found = most_emphasised(
                [
                    line
                    for line in lines[first:last]
                    if may_be_heading(line)
                    and not is_byline_line(line.text)
                    and not byline_of(line.text)
                ]
            )
            if found:
                return found.element
    return None


def _is_prose(line: Line) -> bool:
    return line.links < 0.3 and (len(line.text) > 60 or line.text.endswith("。"))


def strip_site(title_tag: str) -> str:
    """The headline in a `<title>`, without a site suffix such as `_浙江新闻-浙江在线`."""
    return _site_suffix().split(title_tag)[0].strip() if title_tag else ""


def first_text(elements: list[HtmlElement]) -> str:
    return clean(text_of(elements[0])) if elements else ""


def _title_element(
    elements: ElementIndex, template: Template, title_tag: str
) -> HtmlElement | None:
    for element in find(template.titles, elements):
        if first_text([element]):
            return element
    root = elements.root
    texts = {e: first_text([e]) for path in _HEADLINES for e in path(root)}
    tag = squeeze(title_tag)
    # 讣告: two characters are a headline if the <title> begins with them and a divider.
    begun = _up_to_dividers(title_tag)
    said = {e: squeeze(text) for e, text in texts.items() if 2 <= len(text) <= 120}
    headlines = [e for e in said if len(texts[e]) >= 4 or said[e] in begun]
    free = [e for e in headlines if not _is_link(e)]
    confirmed = [e for e in free if said[e] in tag]
    if first := [e for e in confirmed if tag.startswith(said[e])]:
        return max(first, key=lambda e: len(texts[e]))
    if (beginning := _as_in_title_tag(root, _beginnings(title_tag))) is not None:
        return beginning
    if confirmed:
        return confirmed[0]
    h1 = [e for e in free if e.tag == "h1" and e.find(".//img") is None]
    if len(h1) == 1:
        return h1[0]
    if (ending := _as_in_title_tag(root, _endings(title_tag))) is not None:
        return ending
    return next((e for e in headlines if said[e] in tag), None)


def _is_link(element: HtmlElement) -> bool:
    """Whether all text of an element is a link, such as the site's name that links to the home page."""
    linked = "".join(text_of(anchor) for anchor in element.iter("a"))
    return bool(linked) and squeeze(linked) == squeeze(text_of(element))


def _up_to_dividers(title_tag: str) -> set[str]:
    return {squeeze(title_tag[: sign.start()]) for sign in DIVIDER.finditer(title_tag)}


def _beginnings(title_tag: str) -> set[str]:
    """The text of the `<title>` up to each divider, and up to each space with most of it before."""
    beginnings = _up_to_dividers(title_tag)
    site_less = squeeze(strip_site(title_tag))
    for space in re.finditer(r"\s+", title_tag):
        beginning = squeeze(title_tag[: space.start()])
        if len(beginning) >= max(10, 0.6 * len(site_less)):
            beginnings.add(beginning)
    return {text for text in (*beginnings, squeeze(title_tag)) if len(text) >= 4}


def _endings(title_tag: str) -> set[str]:
    """The text of the `<title>` after each divider, for sites that put their name or column first."""
    endings = (squeeze(title_tag[sign.end() :]) for sign in DIVIDER.finditer(title_tag))
    return {text for text in endings if len(text) >= 10}


def _as_in_title_tag(root: HtmlElement, said: set[str]) -> HtmlElement | None:
    """The element whose text is the longest of `said` (parts of the `<title>`), or None."""
    if not said:
        return None
    most = max(map(len, said))
    found: list[tuple[int, HtmlElement]] = []
    for element in root.iter(
        "div", "p", "span", "td", "font", "strong", "b", "h3", "h4", "dt", "li"
    ):
        if len(element) <= 3 and element.getparent() is not None:
            text = _brief(element, most)
            if text in said and not _is_link(element):
                found.append((len(text), element))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _brief(element: HtmlElement, most: int) -> str:
    """An element's text without spaces; empty if well over `most` characters, to skip wrappers early."""
    if not len(element):
        pieces: Iterable[str] = [element.text or ""]
    elif next(islice(element.iter(), 60, None), None) is not None:
        return ""  # otherwise nested empty boxes would each be read to the end
    else:
        pieces = element.itertext()
    text = ""
    for piece in pieces:
        text += squeeze(piece)
        if len(text) > most + 20:  # the margin allows for zero-width characters
            return ""
    return squeeze(clean(text))


_TOOLS = re.compile(
    r"(?:收藏|打印|推荐|朗读|关闭)\s.{0,20}(?:收藏|打印|推荐|朗读|评论|关闭)|改变文字大小|版\s*[:：]\S"
)
HEADING_TAGS = {f"h{n}": n for n in range(1, 7)}
_HINT = re.compile(
    r"(?:^|[\s_-])(?:\w{0,6}tit(?:le)?|biaoti|bt|headline|subject)(?:$|[\s_-])", re.IGNORECASE
)
_BIG = re.compile(r"font-size\s*:\s*(?:[2-9]\d(?:px|pt)|1[6-9]pt)", re.IGNORECASE)
# A <title> that names only the site or a column, not an article.
_SITE_ONLY = re.compile(
    r"(?:[^\s_—|｜·>-]{0,12}(?:新闻|频道|在线|网|网站|报|数字报纸?|电子版|门户|首页|正文|动态|官网|中心|平台)(?:\s*[-_—|｜·>]+\s*|\s+|$)){1,4}"
)


def is_named_only_by_site(title_tag: str) -> bool:
    """Whether a `<title>` is empty or names only the site or a column, so that it has no headline."""
    return not title_tag or (len(title_tag) <= 40 and bool(_SITE_ONLY.fullmatch(title_tag)))


def after_tools(lines: list[Line]) -> int:
    """The index after the last line of tools or of the page's label, on a digital paper's article page."""
    return max((i + 1 for i, line in enumerate(lines) if _TOOLS.search(line.text)), default=0)


def most_emphasised(lines: list[Line]) -> Line | None:
    """The line with the strongest emphasis in markup (heading tag, class, bold, size); the first of equals."""
    return min(lines, key=_rank, default=None)


def _rank(line: Line) -> int:
    element = line.element
    names = names_of(element)
    if element.tag in HEADING_TAGS:
        return HEADING_TAGS[element.tag]
    inner = [each for each in list(element.iter())[1:6] if isinstance(each.tag, str)]
    ranks = [HEADING_TAGS[each.tag] for each in inner if each.tag in HEADING_TAGS]
    ranks += [7] * bool(_HINT.search(names))
    styles = " ".join(each.get("style") or "" for each in (element, *inner))
    ranks += [8] * any(each.tag in {"b", "strong"} for each in inner)
    ranks += [8] * bool(
        _BIG.search(styles)
        or any((each.get("size") or "")[-1:] in "4567" and each.get("size") for each in inner)
    )
    return min(ranks, default=9)
