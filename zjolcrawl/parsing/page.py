"""From the bytes of a page to one lxml tree: charset first, then HTML."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from urllib.parse import urljoin

from lxml import etree
from lxml.html import HtmlElement

from zjolcrawl.parsing.attributes import without_surplus
from zjolcrawl.parsing.elements import Names

# A page whose non-ASCII bytes are UTF-8 but for this share of broken ones is UTF-8 that was cut or
# patched; text in another encoding breaks at almost every character.
_TOLERATED_BROKEN = 0.02
_ASCII = bytes(range(128))
# One class for all elements: lxml.html's own choice by tag asks Python for each.
_CLASSES = etree.ElementDefaultClassLookup(element=HtmlElement)


@dataclass(slots=True)
class Page:
    """A fetched page: its URL (absolute), its tree and the encoding that read it."""

    url: str
    root: HtmlElement
    encoding: str
    text: str
    warnings: list[str]
    names: Names

    @property
    def base(self) -> str:
        """The absolute URL that its references start from."""
        base = self.root.find(".//base[@href]")
        return urljoin(self.url, base.get("href")) if base is not None else self.url


def read_page(body: bytes, url: str) -> Page:
    """Decode and parse a page. Never raises on bad input: an empty page has an empty tree."""
    text, encoding, broken = decode(body)
    warnings = [f"encoding: {broken} undecodable bytes"] if broken else []
    # Always UTF-8 so that libxml2 neither guesses nor believes a declaration in the page; what is
    # that already is not encoded anew (140 us a page). huge_tree lifts the depth limit: a deep page
    # must not lose its end. Nobody asks for ids by XPath's id().
    if encoding == "utf-8" and not broken and b"\x00" not in body:
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
    return Page(url, root, encoding, text, warnings, Names(root))


def _join_rest(root: HtmlElement) -> None:
    """Bring what stands after a stray `</html>` into the body: libxml2 gives it a root of its own."""
    for rest in root.itersiblings("html"):
        body = root.find("body")
        (body if body is not None else root).extend(list(rest))


def decode(body: bytes) -> tuple[str, str, int]:
    """Text, encoding (`utf-8`, `gb18030` or `utf-16`) and the count of undecodable places.

    Declarations are not asked: legacy pages say gb2312 and mean GB18030, others say nothing or the
    wrong thing, while the bytes themselves tell the two apart. gb18030 contains GBK and GB2312.
    """
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = body.decode("utf-16", "replace")
        return text, "utf-16", text.count("\ufffd")
    body = body.removeprefix(codecs.BOM_UTF8)
    try:
        return body.decode("utf-8"), "utf-8", 0
    except UnicodeDecodeError:
        pass
    utf8 = body.decode("utf-8", "replace")
    broken = utf8.count("\ufffd") - body.count(b"\xef\xbf\xbd")
    if broken <= max(1, _TOLERATED_BROKEN * len(body.translate(None, _ASCII))) and len(utf8) < len(
        body
    ):
        return utf8, "utf-8", broken
    text = body.decode("gb18030", "replace")
    return text, "gb18030", text.count("\ufffd")
