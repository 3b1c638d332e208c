"""Decodes the bytes of a page and parses them into one lxml tree."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree
from lxml.html import HtmlElement

from zjolcrawl.parsing.deadline import LimitExceeded
from zjolcrawl.parsing.elements import ElementIndex
from zjolcrawl.parsing.surplus_attributes import without_surplus
from zjolcrawl.parsing.urls import absolute

# nginx inserts its whole error page where an include is missing, sometimes under the site's own
# server name (ZJOL/1.22.95). 18 of 83 real pages have one [TEXT].
_ERROR_PAGE = re.compile(
    rb"<center>\s*+<h1>\s*+[345]\d\d [A-Za-z][A-Za-z '-]{2,60}+</h1></center>\s*+"
    rb"<hr\s*+/?>\s*+<center>[^<]{0,80}+</center>\s*+(?:<!--[^>]{0,200}+-->\s*+)*+"
    rb"(?:</body>\s*+)?(?:</html>)?"
)
_ERROR_HEAD = re.compile(  # the markup before the error page's first line
    rb"(?:<!DOCTYPE[^>]{0,100}+>\s*+)?(?:<html[^>]{0,100}+>\s*+)?(?:<head[^>]{0,100}+>\s*+)?"
    rb"(?:<title>[^<]{2,60}+</title>\s*+)(?:</head>\s*+)?(?:<body[^>]{0,100}+>\s*+)?\Z",
    re.IGNORECASE,
)
# The largest of our real pages has 500,000 bytes and 6,500 tags. Parsing takes up to 30 bytes of memory for a
# byte of text, and 250 for a tag.
_MOST_BYTES, _MOST_TAGS = 5_000_000, 200_000
# Characters of three bytes or more in UTF-8. GBK text decoded as UTF-8 almost never contains one.
_WIDE = re.compile("[\u0800-\ufffc\U00010000-\U0010ffff]")
_NOT_ASCII = re.compile(rb"[\x80-\xff]+")
_GBK_RUN = re.compile(rb"(?:[\x81-\xfe][\x40-\x7e\x80-\xfe])++")  # Han characters in GBK
# Four Han characters in a row in UTF-8. GBK text never has this byte pattern.
_UTF8_RUN = re.compile(rb"(?<![\x80-\xff])(?:[\xe2-\xef][\x80-\xbf]{2}){4}")
# ASCII and other byte runs that are entirely valid UTF-8 (Unicode 15, table 3-7).
_SOUND = re.compile(
    rb"(?:[\x00-\x7f]++|(?:[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    rb"|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}"
    rb"|\xf4[\x80-\x8f][\x80-\xbf]{2})++(?![\x80-\xff]))*+"
)
# Unicode line and paragraph separators and C1 NEL. They end a line like <br>.
_LINE_ENDS = re.compile("[\u2028\u2029\x85]")
# lxml refuses these in any text that is set.
_REFUSED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# One class for all elements: lxml.html's lookup by tag calls Python for each element.
_CLASSES = etree.ElementDefaultClassLookup(element=HtmlElement)


@dataclass(slots=True)
class Page:
    """A parsed page: its absolute URL, its tree, its text and the encoding it was decoded with."""

    url: str
    root: HtmlElement
    encoding: str
    text: str
    warnings: list[str]
    elements: ElementIndex
    base: str
    """The absolute URL against which relative references resolve (`<base href>` or the page's URL)."""


def read_page(body: bytes, url: str) -> Page:
    """Decode and parse a page. An empty page gives an empty tree. Raises LimitExceeded for one that is too large."""
    for count, most, unit in (
        (len(body), _MOST_BYTES, "bytes"),
        (body.count(b"<"), _MOST_TAGS, "tags"),
    ):
        if count > most:
            raise LimitExceeded(
                f"is too large: {count:,} {unit}, at most {most:,} are parsed. Its bytes are in the archive"
            )
    body = _without_failed_includes(body)
    text, encoding, broken, is_utf8 = _decode(body)
    warnings = [f"encoding: {broken} undecodable bytes"] if broken else []
    # Always pass UTF-8, so that libxml2 neither guesses nor trusts a declaration in the page. Valid
    # UTF-8 is passed as it is to save the encoding. huge_tree lifts the depth limit, so that a deep
    # page keeps its end. collect_ids is off because no XPath uses id().
    if is_utf8 and b"\x00" not in body:
        data = body.removeprefix(codecs.BOM_UTF8)
    else:
        text = text.replace("\x00", "")
        data = text.encode("utf-8", "replace")
    data = without_surplus(data)
    parser = etree.HTMLParser(
        encoding="utf-8",
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    parser.set_element_class_lookup(_CLASSES)
    try:
        root = etree.fromstring(data or b"<html/>", parser)
    except etree.XMLSyntaxError:
        root = None
    if root is None:
        root = etree.fromstring(b"<html><body></body></html>", parser)
    _join_rest(root)
    if "\u2028" in text or "\u2029" in text or "\x85" in text:
        _break_lines(root)
    base = root.find(".//base[@href]")
    start = absolute(url, base.get("href", "")) if base is not None else None
    return Page(url, root, encoding, text, warnings, ElementIndex(root), start or url)


def _without_failed_includes(body: bytes) -> bytes:
    """The page without embedded error pages; a page that is only an error page stays as it is.

    An embedded error page puts a `</html>` and a second headline in the middle of the article.
    """
    if b"</h1></center>" not in body:
        return body
    kept, end = [], 0
    for error in _ERROR_PAGE.finditer(body):
        begin = error.start()
        head = _ERROR_HEAD.search(body, max(end, begin - 600), begin)
        kept.append(body[end : head.start() if head else begin])
        end = error.end()
    rest = b"\n".join([*kept, body[end:]]) if kept else body
    return rest if rest.strip() else body


def _join_rest(root: HtmlElement) -> None:
    """Move what follows a stray `</html>` into the body: libxml2 parses it as a second root."""
    for rest in root.itersiblings("html"):
        body = root.find("body")
        (body if body is not None else root).extend(list(rest))


def _break_lines(root: HtmlElement) -> None:
    """Replace each Unicode line separator with a `<br>`: HTML does not treat it as a line break."""
    for element in list(root.iter()):
        if element.tag in {"script", "style", "title", "textarea"}:
            continue
        if element.tail and _LINE_ENDS.search(element.tail):
            element.tail, *lines = _lines(element.tail)
            for line in reversed(lines):
                element.addnext(_break(line))
        if element.text and _LINE_ENDS.search(element.text):
            element.text, *lines = _lines(element.text)
            for place, line in enumerate(lines):
                element.insert(place, _break(line))


def _lines(text: str) -> list[str]:
    return _LINE_ENDS.split(_REFUSED.sub("", text))


def _break(tail: str) -> HtmlElement:
    end = etree.Element("br")
    end.tail = tail
    return end


def decode(body: bytes) -> tuple[str, str, int]:
    """The text, the encoding (`utf-8`, `gb18030` or `utf-16`) and the number of undecodable places.

    Charset declarations are ignored: legacy pages declare gb2312 but use GB18030, and others declare
    nothing or the wrong charset. The bytes themselves tell UTF-8 from GB18030 (a superset of GBK and
    GB2312).
    """
    return _decode(body)[:3]


def _decode(body: bytes) -> tuple[str, str, int, bool]:
    """The result of `decode`, and whether the bytes are valid UTF-8 throughout."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = body.decode("utf-16", "replace")
        return text, "utf-16", text.count("\ufffd"), False
    body = body.removeprefix(codecs.BOM_UTF8)
    try:
        return body.decode("utf-8"), "utf-8", 0, True
    except UnicodeDecodeError:
        pass
    loose = body.decode("utf-8", "replace")
    broken = loose.count("\ufffd") - body.count(b"\xef\xbf\xbd")
    is_gbk = len(_WIDE.findall(loose)) < 2 * broken - 2 or len(loose) >= len(body)
    if is_gbk and not _UTF8_RUN.search(body):
        text = body.decode("gb18030", "replace")
        return text, "gb18030", text.count("\ufffd"), False
    text = "".join(_runs(body, is_gbk))
    broken = text.count("\ufffd") - body.count(b"\xef\xbf\xbd")
    return text, "gb18030" if is_gbk else "utf-8", broken, False


def _runs(body: bytes, is_gbk: bool) -> Iterator[str]:
    """Decode a page with two encodings run by run; a run that is not UTF-8 is GBK or a broken character.

    `is_gbk` says that most of the page is GBK: it decides runs of two or four bytes, which can be
    valid in both encodings.
    """
    at = 0
    while at < len(body):
        if not is_gbk and (sound := _SOUND.match(body, at)):  # most of the page in one match
            yield sound[0].decode()
            at = sound.end()
        if not (found := _NOT_ASCII.search(body, at)):
            break
        yield body[at : found.start()].decode("ascii")
        at = found.end()
        text = found[0].decode("utf-8", "replace")
        wide = len(_WIDE.findall(text))
        is_other = 6 * wide < len(found[0]) if "\ufffd" in text else is_gbk and not wide
        if is_other and (whole := _GBK_RUN.match(body, found.start())):
            at = max(at, whole.end())
            text = whole[0].decode("gb18030", "replace")
            text += body[whole.end() : at].decode("utf-8", "replace")
        yield text
    yield body[at:].decode("ascii")
