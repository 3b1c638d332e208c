"""Precompiled XPaths for elements and for attribute values."""

from __future__ import annotations

import re
from typing import cast

from lxml.etree import XPath
from lxml.html import HtmlElement

from zjolcrawl.parsing.elements import ElementIndex, HasAncestor

# Most entries of a table are an id or the output of `has_class`. `ElementIndex` looks these up directly.
_OF_ID = re.compile(r"//\*\[@id='([^']+)'\]")
_OF_CLASS = re.compile(r"//([\w*]+)\[contains\(@class, '([^']+)'\)\]\[contains\(concat\([^\[\]]*\]")
# `#id`, `.class` or `tag.class`
_SHORT = re.compile(r"^(?:#(?P<id>[\w-]+)|(?P<tag>\w+)?\.(?P<class>[A-Za-z_][\w-]*))(?=/|\Z)")
# `//a//b`: the second step is searched inside each element of the first.
_IN_ANOTHER = re.compile(r"(//[^\[/]+(?:\[[^\[\]]*\])*(?:/[^\[/]+(?:\[[^\[\]]*\])*)*)(//.+)")


def _compiled(expression: str) -> XPath:
    """Compile the XPath with `//x` rewritten to `/descendant::x`.

    The result is the same unless a position such as `[1]` follows. libxml2 evaluates `//x` as the
    children of every element and compares each result with all others, which is quadratic on a page
    with thousands of links.
    """
    return XPath(re.sub(r"//(?=[\w*])", "/descendant::", expression))


class Path:
    """A precompiled XPath; a call returns a list of elements.

    Call it with a page's `ElementIndex` instead of its root to find an id or a class without a search of the page.
    """

    def __init__(self, expression: str) -> None:
        steps = _IN_ANOTHER.fullmatch(expression)
        self._xpath = _compiled(steps[1] if steps else expression)
        self._inside = _compiled(f".{steps[2]}") if steps else None
        self._id = match[1] if (match := _OF_ID.fullmatch(expression)) else None
        self._class = match.groups() if (match := _OF_CLASS.fullmatch(expression)) else None

    def __call__(self, where: HtmlElement | ElementIndex) -> list[HtmlElement]:
        if isinstance(where, ElementIndex):
            if self._id:
                return where.of_id(self._id)
            if self._class:
                tag, name = self._class
                return where.of_class(name, tag)
            where = where.root
        found = cast("list[HtmlElement]", self._xpath(where))
        return found if self._inside is None else self._in_outermost(found, self._inside)

    def _in_outermost(self, found: list[HtmlElement], inside: XPath) -> list[HtmlElement]:
        """The results of `inside` within the elements, each once.

        libxml2 would compare the results in one element with those in all others, which is quadratic
        on a page with thousands of nested boxes.
        """
        boxes = set(found)
        is_inner = HasAncestor(boxes.__contains__)
        outermost = (box for box in found if not is_inner(box))
        return [element for box in outermost for element in cast("list[HtmlElement]", inside(box))]


class Values:
    """A precompiled XPath; a call returns a list of attribute values."""

    def __init__(self, expression: str) -> None:
        self._xpath = _compiled(expression)

    def __call__(self, root: HtmlElement) -> list[str]:
        return [str(value) for value in cast("list[object]", self._xpath(root))]


def has_class(name: str, tag: str = "*") -> str:
    """XPath for the elements that have a class, among others or alone."""
    # The first test is cheap and rejects most elements before the second.
    exact = f"contains(concat(' ', normalize-space(@class), ' '), ' {name} ')"
    return f"//{tag}[contains(@class, '{name}')][{exact}]"


def _written_out(expression: str) -> str:
    """The XPath that begins with a CSS selector, written out; any other is returned unchanged."""
    if not (short := _SHORT.match(expression)):
        return expression
    begin = (
        f"//*[@id='{short['id']}']"
        if short["id"]
        else has_class(short["class"], short["tag"] or "*")
    )
    return begin + expression[short.end() :]


def paths(*expressions: str) -> tuple[Path, ...]:
    """Precompile XPaths, in the order in which they are tried.

    They may begin with `#id`, `.class` or `tag.class`, as in CSS: `.list//li`.
    """
    return tuple(Path(_written_out(expression)) for expression in expressions)


def find(candidates: tuple[Path, ...], where: HtmlElement | ElementIndex) -> list[HtmlElement]:
    """The elements found by the first XPath that finds any."""
    for candidate in candidates:
        if found := candidate(where):
            return found
    return []
