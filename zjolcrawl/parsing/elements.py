"""What is asked of the elements of a page: their text, and which of them have a class or an id."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, cast

from lxml.etree import XPath
from lxml.html import HtmlElement

# By way of the attribute, for libxml2 takes three times as long to ask each element whether it has one
# (54 us against 172 of a page of 590 elements). Not `/..`, which compares each element with all others.
_CLASSED = XPath("/descendant::*/@class")
_NUMBERED = XPath("/descendant::*/@id")
_SPACES = re.compile(r"[ \t\r\n]+")  # what divides the names of an attribute in XPath


def text_of(element: HtmlElement) -> str:
    """All text in an element; of one without others in it libxml2 need not gather it."""
    return str(element.text_content()) if len(element) else element.text or ""


def _named(path: XPath, root: HtmlElement) -> list[tuple[str, HtmlElement]]:
    """Each value of an attribute that an XPath finds, and its element."""
    values = cast("list[Any]", path(root))
    return [(str(value), value.getparent()) for value in values]


class Names:
    """What of a page has a class or an id, in page order; `root` is the page's.

    Looked for once, for all the tables that name elements.
    """

    def __init__(self, root: HtmlElement) -> None:
        self.root = root

    @cached_property
    def classed(self) -> list[tuple[str, HtmlElement]]:
        """Every class attribute, as written, and its element."""
        return _named(_CLASSED, self.root)

    @cached_property
    def numbered(self) -> list[tuple[str, HtmlElement]]:
        """Every id and its element."""
        return _named(_NUMBERED, self.root)

    def of_class(self, name: str, tag: str) -> list[HtmlElement]:
        """The elements of a class, which may have others beside it; `tag` may be `*`."""
        return [
            element
            for names, element in self.classed
            if name in names
            and (names == name or name in _SPACES.split(names))
            and tag in ("*", element.tag)
        ]

    def of_id(self, name: str) -> list[HtmlElement]:
        """The elements of an id: more than one where a page has it twice."""
        return [element for each, element in self.numbered if each == name]
