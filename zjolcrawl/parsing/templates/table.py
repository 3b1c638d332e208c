"""The form of a template table."""

from __future__ import annotations

from dataclasses import dataclass

from lxml.etree import XPath
from lxml.html import HtmlElement


def has_class(name: str, tag: str = "*") -> str:
    """XPath of the elements of a class, which may have others beside it."""
    return f"//{tag}[contains(concat(' ', normalize-space(@class), ' '), ' {name} ')]"


@dataclass(frozen=True, slots=True)
class Template:
    """One family: where its pages keep what, each a precompiled XPath tried in order.

    `bodies` decides whether a page is of the family. A field that has no entry, or whose entries
    find nothing, is read by the shared rules (labels and places in the title block and the foot).
    """

    name: str
    bodies: tuple[XPath, ...]
    titles: tuple[XPath, ...] = ()
    times: tuple[XPath, ...] = ()
    sources: tuple[XPath, ...] = ()
    authors: tuple[XPath, ...] = ()
    editors: tuple[XPath, ...] = ()


def paths(*expressions: str) -> tuple[XPath, ...]:
    """Precompiled XPaths, in the order they are to be tried."""
    return tuple(XPath(expression) for expression in expressions)


def find(candidates: tuple[XPath, ...], root: HtmlElement) -> list[HtmlElement]:
    """The elements of the first XPath that finds any."""
    for candidate in candidates:
        if found := candidate(root):
            return list(found)
    return []
