"""Fast look-ups on a page's elements: their text, their class and id, and the boxes around them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Any, cast

from lxml.etree import XPath
from lxml.html import HtmlElement

# Select the attributes and go to their parents: libxml2 is much slower at testing each element for the
# attribute. Not `/..`: it compares each element with all others.
_CLASSED = XPath("/descendant::*/@class")
_NUMBERED = XPath("/descendant::*/@id")
_SPACES = re.compile(r"[ \t\r\n]+")  # the separators between class names, as in XPath


def text_of(element: HtmlElement) -> str:
    """All text in an element. The shortcut for an element without children avoids a libxml2 call."""
    return str(element.text_content()) if len(element) else element.text or ""


def names_of(element: HtmlElement) -> str:
    """The element's class and id, with a space between them."""
    return f"{element.get('class') or ''} {element.get('id') or ''}"


def _named(path: XPath, root: HtmlElement) -> list[tuple[str, HtmlElement]]:
    """Each attribute value that the XPath finds, with its element."""
    values = cast("list[Any]", path(root))
    return [(str(value), value.getparent()) for value in values]


class ElementIndex:
    """Index of a page's elements by class and id, in page order; `root` is the page's root element.

    Built once and shared by all template tables.
    """

    def __init__(self, root: HtmlElement) -> None:
        self.root = root

    @cached_property
    def classed(self) -> list[tuple[str, HtmlElement]]:
        """Every class attribute as written, with its element."""
        return _named(_CLASSED, self.root)

    @cached_property
    def numbered(self) -> list[tuple[str, HtmlElement]]:
        """Every id with its element."""
        return _named(_NUMBERED, self.root)

    def of_class(self, name: str, tag: str) -> list[HtmlElement]:
        """The elements that have this class, among others or alone; `tag` may be `*`."""
        return [
            element
            for names, element in self.classed
            if name in names
            and (names == name or name in _SPACES.split(names))
            and tag in ("*", element.tag)
        ]

    def of_id(self, name: str) -> list[HtmlElement]:
        """The elements with this id; more than one if the page repeats it."""
        return [element for each, element in self.numbered if each == name]


class HasAncestor:
    """Tells whether an element has an ancestor that passes `test`.

    Each ancestor is tested once: linear on deep pages, where a plain test is quadratic.
    """

    def __init__(self, test: Callable[[HtmlElement], bool]) -> None:
        self._test = test
        # lxml creates proxies on demand: as dict keys they stay alive, so an ancestor is found again.
        self._known: dict[HtmlElement, bool] = {}

    def __call__(self, element: HtmlElement) -> bool:
        path: list[HtmlElement] = []
        here = element.getparent()
        while here is not None and here not in self._known:
            path.append(here)
            here = here.getparent()
        answer = here is not None and self._known[here]
        for ancestor in reversed(path):
            answer = answer or self._test(ancestor)
            self._known[ancestor] = answer
        return answer
