"""Reads the head of an article: breadcrumb, kicker (引题), headline, subtitle (副题), info line.

Only the headline and the info line have known selectors. The others are found by label or position:
the kicker is between breadcrumb and headline, the subtitle between headline and info line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice

from lxml.html import HtmlElement

from zjolcrawl.parsing.breadcrumb import (
    SIGNS,
    find_position,
    labelled_breadcrumb,
    may_be_labelled,
    read_breadcrumb,
)
from zjolcrawl.parsing.byline_lines import byline_of, is_byline
from zjolcrawl.parsing.credit_bar import is_value
from zjolcrawl.parsing.elements import ElementIndex, HasAncestor, names_of, text_of
from zjolcrawl.parsing.exact_time import RELATIVE
from zjolcrawl.parsing.fields.bylines import is_credit, leading_names
from zjolcrawl.parsing.fields.dates import time_span, yearless_span
from zjolcrawl.parsing.fields.text import DIVIDER, clean, squeeze
from zjolcrawl.parsing.heading import (
    after_tools,
    is_furniture,
    is_named_only_by_site,
    menu_line,
    most_emphasised,
    names_account,
)
from zjolcrawl.parsing.labelled_lines import ABSTRACT, NOTE, ORIGINAL_TITLE, unquoted
from zjolcrawl.parsing.templates import Template
from zjolcrawl.parsing.text_lines import Line, lines_from, page_lines
from zjolcrawl.parsing.xpath import find, paths
from zjolcrawl.site.current import for_site

_HEADLINES = paths("//h1", "//h2")
_site_suffix = for_site(
    lambda site: re.compile(
        rf"(?:[_|｜]|(?<![-–—])[-–—]++)(?=[^_|｜–—-]*(?:频道|新闻|在线|网|中心|站|栏目|首页|平台|{'|'.join(map(re.escape, site.title_words)) or '(?!)'}))"
    )
)
_INFO = re.compile(
    r"(?:(?<!图片)(?<!视频)(?<!数据)(?<!资料)来\s*源于?|稿源|发布时间|发布日期|发稿时间)\s*[:：]|(?:^|\s)(?:作者|编辑|责任编辑|责编|记者)\s*[:：]"
    r"|^(?:来源|稿源)\s+\S{2,16}$"
)
# （2007年6月29日全国人大常委会第二十八次会议通过）: the date of a law, not of its publication.
_ENACTED = re.compile(r"^[（(].*(?:通过|公布|施行|修订|修正|批准)[)）]$")
# 今天是2026年11月21日 星期六 杭州 21℃: the date of the visit.
_TODAY = re.compile(
    r"^(?:今天是?|今日是?|现在是?|当前|此刻)\s?(?:时间|日期)?\s?[:：]?\s?\d|\d\s?[℃°]|农历|您好"
)
_WORDS_AFTER_DAY = re.compile(r"[起前后至将的在与和是为，、]|[\u4e00-\u9fff]{4}")
# Text after the date in an info line: 2012年3月12日星期一, 2012年3月12日浙江在线新闻网站.
_outlet_row = for_site(
    lambda site: re.compile(
        rf"^[（(]?(?:星期|周)[一二三四五六日天]|[:：\d]|来源|编辑|作者|记者|字体|打印|{re.escape(site.name)}|农历|(?:报|网|网站|在线|社|客户端|台|频道|发布|杂志|周刊|版)$"
    )
)
_BOOK = re.compile("《[^《》]*+》")  # the title of a book or a law; its 》 is not a divider
_LABEL = re.compile(
    r"(?:来\s?源|稿源|作\s?者|记者|(?:发布|发表|发稿)?(?:时间|日期)|编辑|责任编辑)\s?[:：]"
)
_CLOCK = re.compile(r"\d{1,2}[:：]\d\d(?:[:：]\d\d)?")
# www.zjol.com.cn 2003年58月09日 浙江在线新闻网站; a label, a date or a time in a line of its own
_ROW = re.compile(
    rf"^www\.\S{{1,30}}\.(?:cn|com)(?:$|\s)|新闻网站$|^{_LABEL.pattern}$|^{_CLOCK.pattern}$|^\d{{4}}[-年/.]\d{{1,2}}[-月/.]\d{{1,2}}日?$|^字体\s?[:：]|^[—-]\d{{4}}[—-]$|^\d\d/\d\d$"
)
_SUBTITLE_HINT = re.compile(r"sub|fu-?t|fti|futi|副|vice|second", re.IGNORECASE)


@dataclass(slots=True)
class Head:
    """Everything above the body; `lines` are its texts, to be left out of the body."""

    breadcrumb: list[str] = field(default_factory=list)
    title: str | None = None
    title_from_tag: bool = False
    title_by_place: bool = False  # found by position and not confirmed by the `<title>`
    kicker: str | None = None
    subtitle: str | None = None
    info: list[str] = field(default_factory=list)
    note: str | None = None
    abstract: str | None = None
    original_title: str | None = None
    inside: bool = False  # whether the headline is inside the body container
    lines: list[str] = field(default_factory=list)
    below: list[Line] = field(default_factory=list)  # between headline and body

    @property
    def credits(self) -> list[str]:
        """The info lines that are only names, each followed by a role: 朱善军 摄."""
        return [text for text in self.info if is_credit(text)]


@dataclass(frozen=True, slots=True)
class Headline:
    """A page's `<title>` text and its headline element (or None), independent of the body container."""

    title_tag: str
    element: HtmlElement | None
    by_place: bool = False


def find_headline(names: ElementIndex, template: Template, stated: str | None = None) -> Headline:
    """Find the headline in the whole page; `stated` is a title from a comment, used instead of `<title>`."""
    # A <title> that was never closed holds the rest of the page.
    title_tag = stated or _text(list(islice(names.root.iter("title"), 1)))[:1000]
    if (element := _title_element(names, template, title_tag)) is not None:
        return Headline(title_tag, element)
    element = _by_place(names.root) if is_named_only_by_site(title_tag) else None
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
    times = [i for i in range(begin, prose) if time_span(lines[i].text) and _is_info(lines[i].text)]
    for first, last in [(max(begin, t - 6), t) for t in times[-1:]] + [
        (max(begin, prose - 6), prose)
    ]:
        if begin or times:
            found = most_emphasised(
                [
                    line
                    for line in lines[first:last]
                    if _may_be_heading(line)
                    and not _is_byline(line.text)
                    and not byline_of(line.text)
                ]
            )
            if found:
                return found.element
    return None


def _is_prose(line: Line) -> bool:
    return line.links < 0.3 and (len(line.text) > 60 or line.text.endswith("。"))


def read_head(root: HtmlElement, headline: Headline, body: HtmlElement) -> Head:
    """The head of a page, given its headline and its body container."""
    head = Head()
    title_tag, element = headline.title_tag, headline.element
    head.title_by_place = headline.by_place
    inside = element is not None and element is not body and _within(element, body)
    head.inside = inside
    lines, head.breadcrumb, crumb_end = _lines(root, element, None if inside else body)
    start, end = _title_range(lines, element, title_tag)
    if start is None or end is None:
        head.title, head.title_from_tag = _from_tag(title_tag, head.breadcrumb), True
        head.info = [line.text for line in lines[crumb_end:] if _is_info(line.text)][:3]
        return head
    head.title = _join([line.text for line in lines[start:end]])
    if head.breadcrumb and squeeze(head.breadcrumb[-1]) == squeeze(head.title):
        head.breadcrumb.pop()
    head.kicker = _kicker(lines, crumb_end, start, element)
    head.below = _above_prose(lines[end:], inside)
    head.subtitle, head.info = _below(head.below, element)
    head.note, head.abstract = (_note(lines[end:], label) for label in (NOTE, ABSTRACT))
    head.original_title = next(
        (unquoted(m["title"]) for line in lines[end:] if (m := ORIGINAL_TITLE.match(line.text))),
        None,
    )
    if not head.info or (head.title_by_place and not any(map(time_span, head.info))):
        above = lines[max(crumb_end, start - 6) : start]
        head.info = [line.text for line in above if _is_info(line.text)] + head.info
    head.lines = [line.text for line in lines[start:end]] + head.info
    head.lines += [line.text for line in head.below if inside]
    head.lines += [text for text in (head.kicker, head.subtitle) if text]
    return head


def _lines(
    root: HtmlElement, headline: HtmlElement | None, body: HtmlElement | None
) -> tuple[list[Line], list[str], int]:
    """The lines down to the body, the breadcrumb, and the index of the first line after it.

    If the breadcrumb has a label, the head is read only from the lines after it, so the menus above
    are skipped.
    """
    if headline is not None:
        lines = lines_from(root, headline, may_be_labelled, body)
        crumbs, end = labelled_breadcrumb(lines)
        if crumbs and _inside(headline, lines):
            return lines, crumbs, end
    lines = page_lines(root, body)
    return lines, *read_breadcrumb(root, lines)


def strip_site(title_tag: str) -> str:
    """The headline in a `<title>`, without a site suffix such as `_浙江新闻-浙江在线`."""
    return _site_suffix().split(title_tag)[0].strip() if title_tag else ""


def _from_tag(title_tag: str, breadcrumb: list[str]) -> str | None:
    title = strip_site(title_tag)
    while (parts := DIVIDER.split(title))[-1] in breadcrumb and len(parts) > 1:
        title = title[: title.rindex(parts[-1])].rstrip("-–—_|｜ ")
    return clean(title) or None


def _text(elements: list[HtmlElement]) -> str:
    return clean(text_of(elements[0])) if elements else ""


def _within(element: HtmlElement, container: HtmlElement) -> bool:
    return any(ancestor is container for ancestor in element.iterancestors())


def _title_element(names: ElementIndex, template: Template, title_tag: str) -> HtmlElement | None:
    for element in find(template.titles, names):
        if _text([element]):
            return element
    root = names.root
    texts = {e: _text([e]) for path in _HEADLINES for e in path(root)}
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
        return ""  # otherwise nested empty boxes would each be walked to the end
    else:
        pieces = element.itertext()
    text = ""
    for piece in pieces:
        text += squeeze(piece)
        if len(text) > most + 20:  # the margin allows for zero-width characters
            return ""
    return squeeze(clean(text))


def _title_range(
    lines: list[Line], element: HtmlElement | None, title_tag: str
) -> tuple[int | None, int | None]:
    """The range (start, end) of the headline's lines: those in its element that the `<title>` confirms."""
    if element is None:
        return None, None
    inside = _inside(element, lines)
    if not inside:  # an inline element: the line that holds its text
        text = squeeze(_text([element]))
        inside = [i for i, line in enumerate(lines) if text and text in squeeze(line.text)][:1]
        inside = inside or _around(lines, element)
    if not inside:
        return None, None
    tag = squeeze(title_tag)
    first, last = inside[0], inside[-1] + 1
    # A headline has a few lines. A box with more is a wrapper, and the number of runs is quadratic.
    last = min(last, first + 12)
    said = [squeeze(line.text) for line in lines[first:last]]
    runs = [(i, j) for i in range(first, last) for j in range(last, i, -1)]
    for i, j in sorted(runs, key=lambda run: run[0] - run[1]):
        text = "".join(said[i - first : j - first])
        if len(text) >= 4 and tag.startswith(text):
            return i, j
    in_h1 = HasAncestor(lambda ancestor: ancestor.tag == "h1")
    for i in inside:
        if lines[i].element.tag == "h1" or in_h1(lines[i].element):
            return i, i + 1
    if len(inside) > 1:
        clear = [
            i
            for i in inside
            if not _is_info(lines[i].text) and not menu_line().search(lines[i].text)
        ]
        main = max(clear or inside, key=lambda i: len(lines[i].text))
        return main, main + 1
    return first, last


def _inside(element: HtmlElement, lines: list[Line]) -> list[int]:
    """The indexes of the lines inside an element."""
    own = set(element.iter())
    return [i for i, line in enumerate(lines) if line.element in own]


def _around(lines: list[Line], element: HtmlElement) -> list[int]:
    """The indexes of the lines in the block around an inline element: `<br>` may divide its text."""
    for box in element.iterancestors():
        if found := [i for i, line in enumerate(lines) if line.element is box]:
            return found
    return []


def _join(texts: list[str]) -> str:
    return clean(" ".join(texts))


def _is_info(text: str) -> bool:
    return len(text) <= 160 and _says_info(text)


@lru_cache(maxsize=64)  # called up to four times for each line of a head
def _says_info(text: str) -> bool:
    span = time_span(text) or (yearless_span(text) if ":" in text else None)
    is_dated = span and span[1] - span[0] >= 0.2 * len(text) and not re.search("[。！？]", text)
    if is_dated and span and _is_dated_headline(text[slice(*span)], text[span[1] :]):
        return False
    is_said = is_dated or (_INFO.search(text) and "。" not in text) or RELATIVE.fullmatch(text)
    is_today = _TODAY.search(text) and not _INFO.search(text)
    return bool(is_said) and not _ENACTED.search(text) and not is_today


def _is_dated_headline(day: str, rest: str) -> bool:
    """Whether a line with a date, followed by `rest`, is a headline: 2015年8月1日起公交调价."""
    is_words = ":" not in day and len(rest) >= 4 and _WORDS_AFTER_DAY.match(rest)
    return bool(is_words) and not _outlet_row().search(rest)


def _may_be_heading(line: Line) -> bool:
    text = line.text
    return (
        4 <= len(text) <= 90
        and line.links < 0.5
        and not _is_info(text)
        and not is_furniture(text)
        and not NOTE.match(text)
        and not ABSTRACT.match(text)
        and not ORIGINAL_TITLE.match(text)
        and not find_position(text)
        and not SIGNS.search(_BOOK.sub("", text))
    )


def _kicker(
    lines: list[Line], crumb_end: int, start: int, element: HtmlElement | None
) -> str | None:
    """The kicker: up to two lines directly above the headline and below the breadcrumb.

    Without a breadcrumb they must share the headline's box, or anything above would count.
    """
    found: list[str] = []
    for index in range(start - 1, max(crumb_end, start - 4) - 1, -1):
        line = lines[index]
        if not _may_be_heading(line):
            if not found and _is_info(line.text):
                continue
            break
        if crumb_end == 0 and not _near(line.element, element):
            break
        found.insert(0, line.text)
        if len(found) == 2:
            break
    return _join(found) or None


def _near(one: HtmlElement, other: HtmlElement | None) -> bool:
    if other is None:
        return False
    near = [other, *islice(other.iterancestors(), 2)]
    if one.tag in {"body", "html"}:
        return False
    near = [e for e in near if e.tag not in {"body", "html"}]
    return any(e is one for e in near) or any(e is one.getparent() for e in near)


def _above_prose(lines: list[Line], inside: bool) -> list[Line]:
    """The lines below the headline that may belong to the head, at most 14.

    If the container holds both head and body, only those down to the end of the info line: after it
    nothing separates the head from the first paragraph.
    """
    if not inside:
        return lines[:14]
    end = 0
    for index, line in enumerate(lines[:10]):
        if _is_info(line.text) or (end == index and _goes_on(lines[:index], line)):
            end = index + 1
        elif end or "。" in line.text:
            break
    return lines[:end]


def _goes_on(above: list[Line], following: Line) -> bool:
    """Whether a line below the info line or directly below the headline belongs to the info line too.

    It does if it is the site's address or name, a date or time, a label, the value of the label
    above, or a byline in the same box.
    """
    text = following.text
    if _ROW.search(text):
        return True
    if not above:
        return False
    info = above[-1]
    if is_value(info.text, text):
        return True
    if not _is_byline(text):
        return False
    same_box = info.element.getparent() is following.element.getparent()
    # A byline in a `<p>` belongs to the text, unless the info line's pieces are paragraphs too.
    in_pieces = any(_LABEL.fullmatch(line.text) for line in above)
    return same_box and (following.element.tag != "p" or in_pieces)


def _below(lines: list[Line], element: HtmlElement | None) -> tuple[str | None, list[str]]:
    """The subtitle (副题) and the info line, from the lines between headline and body."""
    subtitle: list[str] = []
    info: list[str] = []
    for line in lines:
        text = line.text
        if (
            len(text) > 2
            and text[0] in "（("
            and text[-1] in ")）"
            and _SUBTITLE_HINT.search(names_of(line.element))
        ):
            subtitle.append(text)  # （2018年2月5日） under the title of a speech
        elif line.links == 0 and not _is_info(text) and (named := byline_of(text, not info)):
            info.append(named)
        elif (
            _is_info(text)
            or _is_byline(text)
            or (
                len(info) > 0
                and len(subtitle) == 0
                and _names_only(text)
                and _near(line.element, element)
            )
        ):
            info.append(text)
        elif info and (is_value(info[-1], text) or _is_clock_of(info[-1], text)):
            info.append(text)  # 来源: in one block and its value in the next
        elif len(text) <= 40 and names_account(line):
            names = leading_names(text)[0]  # 王文 某大学教授
            info += [f"作者：{names}"] * bool(names)
        elif _may_be_heading(line) and len(subtitle) < 2 and "。" not in text:
            hinted = text.startswith("—") or _SUBTITLE_HINT.search(names_of(line.element))
            if not info or hinted:
                subtitle.append(text)
        elif len(text) > 90:
            break
    if not info and subtitle and not all(t.startswith("—") for t in subtitle):
        near = [line.text for line in lines[:3] if _near(line.element, element)]
        subtitle = [text for text in subtitle if text in near]
    return _join(subtitle) or None, info


def _is_clock_of(day: str, text: str) -> bool:
    """Whether a line is the time for the date in the line above: 2021-03-18 / 16:29:50."""
    return bool(_CLOCK.fullmatch(text)) and bool(time_span(day)) and not _CLOCK.search(day)


def _note(lines: list[Line], label: re.Pattern[str]) -> str | None:
    """The text of a labelled note in a box of its own between headline and body, or None."""
    for index, line in enumerate(lines):
        if mark := label.match(line.text):
            note = line.text[mark.end() :] or "".join(
                other.text for other in lines[index + 1 : index + 2]
            )
            return note if len(note) >= 4 else None
    return None


def _is_byline(text: str) -> bool:
    return len(text) < 60 and (is_byline(text) or is_credit(text))


def _names_only(text: str) -> bool:
    return len(text) <= 20 and not re.search(r"[。！？，；]", text) and not menu_line().search(text)
