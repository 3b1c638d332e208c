"""The form of a template table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import cast

from lxml.etree import XPath
from lxml.html import HtmlElement

from zjolcrawl.parsing.ancestry import Under
from zjolcrawl.parsing.elements import Names

# What most of a table is: an id, or what `has_class` makes. A page has these by name.
_OF_ID = re.compile(r"//\*\[@id='([^']+)'\]")
_OF_CLASS = re.compile(r"//([\w*]+)\[contains\(@class, '([^']+)'\)\]\[contains\(concat\([^\[\]]*\]")


# `//a//b`, whose second step has elements of its own inside each of the first.
_IN_ANOTHER = re.compile(r"(//[^\[/]+(?:\[[^\[\]]*\])*(?:/[^\[/]+(?:\[[^\[\]]*\])*)*)(//.+)")


def _compiled(expression: str) -> XPath:
    """The XPath with `//x` as `/descendant::x`: the same elements, unless a place such as `[1]` follows.

    libxml2 reads `//x` as the children of every element and compares each result with all others,
    which on a page of 20,000 links takes 45 times as long.
    """
    return XPath(re.sub(r"//(?=[\w*])", "/descendant::", expression))


class Path:
    """A precompiled XPath whose result is a list of elements.

    Asked of a page's names instead of its root, an id or a class costs no walk through the page.
    """

    def __init__(self, expression: str) -> None:
        steps = _IN_ANOTHER.fullmatch(expression)
        self._xpath = _compiled(steps[1] if steps else expression)
        self._inside = _compiled(f".{steps[2]}") if steps else None
        self._id = match[1] if (match := _OF_ID.fullmatch(expression)) else None
        self._class = match.groups() if (match := _OF_CLASS.fullmatch(expression)) else None

    def __call__(self, where: HtmlElement | Names) -> list[HtmlElement]:
        if isinstance(where, Names):
            if self._id:
                return where.of_id(self._id)
            if self._class:
                tag, name = self._class
                return where.of_class(name, tag)
            where = where.root
        found = cast("list[HtmlElement]", self._xpath(where))
        return found if self._inside is None else self._in_outermost(found, self._inside)

    def _in_outermost(self, found: list[HtmlElement], inside: XPath) -> list[HtmlElement]:
        """What is inside the elements, each once: libxml2 would compare what it finds in one with all
        that it found in the others, which on a page of 20,000 boxes in boxes takes minutes.
        """
        boxes = set(found)
        is_inner = Under(boxes.__contains__)
        outermost = (box for box in found if not is_inner(box))
        return [element for box in outermost for element in cast("list[HtmlElement]", inside(box))]


class Values:
    """A precompiled XPath whose result is a list of attribute values."""

    def __init__(self, expression: str) -> None:
        self._xpath = _compiled(expression)

    def __call__(self, root: HtmlElement) -> list[str]:
        return [str(value) for value in cast("list[object]", self._xpath(root))]


def has_class(name: str, tag: str = "*") -> str:
    """XPath of the elements of a class, which may have others beside it."""
    # The first test is the cheap one: it spares most elements the second.
    exact = f"contains(concat(' ', normalize-space(@class), ' '), ' {name} ')"
    return f"//{tag}[contains(@class, '{name}')][{exact}]"


@dataclass(frozen=True, slots=True)
class Template:
    """One family: where its pages keep what, each a precompiled XPath tried in order.

    `bodies` decides whether a page is of the family. A field that has no entry, or whose entries
    find nothing, is read by the shared rules (labels and places in the title block and the foot).
    """

    name: str
    bodies: tuple[Path, ...]
    titles: tuple[Path, ...] = ()
    times: tuple[Path, ...] = ()
    sources: tuple[Path, ...] = ()
    authors: tuple[Path, ...] = ()
    editors: tuple[Path, ...] = ()


def paths(*expressions: str) -> tuple[Path, ...]:
    """Precompiled XPaths, in the order they are to be tried."""
    return tuple(Path(expression) for expression in expressions)


def find(candidates: tuple[Path, ...], where: HtmlElement | Names) -> list[HtmlElement]:
    """The elements of the first XPath that finds any."""
    for candidate in candidates:
        if found := candidate(where):
            return found
    return []
