"""Tells which elements are hidden from a reader by their style, class or attributes."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice

from lxml.html import HtmlElement

from zjolcrawl.parsing.image_refs import IMAGE_TAGS

_HIDDEN = re.compile(
    r"display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}hidden|mso-hide\s{0,9}:\s{0,9}all|"
    r"(?<![a-z-])(?:left|top|right|text-indent|margin-left)\s{0,9}:\s{0,9}-\d{4,6}(?![\d.])|"
    r"scale\(\s?0\s?[),]|clip\s{0,9}:\s{0,9}rect\(\s?0(?:px)?[,\s]{1,3}0(?:px)?[,\s]{1,3}0(?:px)?[,\s]{1,3}0(?:px)?\s?\)",
    re.IGNORECASE,
)
# A box of zero size that clips its content. One with padding reserves the space of a picture.
_NO_SIZE = re.compile(
    r"(?<![a-z-])(?:max-)?(?:height|width)\s{0,9}:\s{0,9}0(?:\.0{1,9})?(?:px|pt|r?em|%)?(?=[\s;!]|$)",
    re.IGNORECASE,
)
_CUTS_OFF = re.compile(r"overflow(?:-[xy])?\s{0,9}:\s{0,9}(?:hidden|clip)", re.IGNORECASE)
# Whole class names only: hidden-xs is visible on most screens, and a class such as md:block beside
# `hidden` makes it visible on some.
_HIDING_CLASS = re.compile(
    r"(?:^|\s)(?:hide|hidden|is-hidden|visually-?hidden|sr-only|screen-reader-text)(?:$|\s)",
    re.IGNORECASE,
)
_SHOWING_CLASS = re.compile(r":(?:block|flex|inline|grid|table)|(?:^|\s)(?:show|active|on)(?:$|\s)")
_MOST_UNSEEN = 200  # characters; more aria-hidden text is a page behind a dialog
# Text of zero size or without colour. Pictures inside stay visible.
_UNSEEN = re.compile(
    r"(?:font-size|opacity)\s{0,9}:\s{0,9}0(?:\.0{1,9})?(?:px|pt|r?em|%)?(?=[\s;!]|$)"
    r"|(?<![a-z-])color\s{0,9}:\s{0,9}(?:transparent|rgba\([\d\s.,]{5,30},\s{0,9}0(?:\.0{1,9})?\s{0,9}\))",
    re.IGNORECASE,
)
_LONGEST_KNOWN = 200  # characters of a style; results for longer styles are not cached


def is_hidden(element: HtmlElement) -> bool:
    """Whether an element's own attributes (style, class, hidden, aria-hidden) hide its text."""
    style = element.get("style")
    if style:
        hides = _known_hides(style) if len(style) <= _LONGEST_KNOWN else _hides(style)
        if hides == "all" or (hides == "words" and _is_unseen(element)):
            return True
    if element.get("hidden") is not None:
        return True
    name = element.get("class")
    if name and ("hid" in name or "-reader" in name or "sr-" in name) and len(name) <= 400:
        return bool(_HIDING_CLASS.search(name)) and not _SHOWING_CLASS.search(name)
    return element.get("aria-hidden") == "true" and _is_few(element)


def _hides(style: str) -> str:
    if _HIDDEN.search(style):
        return "all"
    cut = _CUTS_OFF.search(style) and _NO_SIZE.search(style) and "padding" not in style
    return "all" if cut else "words" if _UNSEEN.search(style) else ""


def _is_few(element: HtmlElement) -> bool:
    """Whether an element has little text and no picture."""
    size = 0
    for text in islice(element.itertext(), 50):
        size += len(text)
    return size <= _MOST_UNSEEN and _is_unseen(element)


_known_hides = lru_cache(maxsize=1024)(_hides)


def _is_unseen(element: HtmlElement) -> bool:
    """Whether nothing in an element of zero size or colour is visible: no image, no own font size.

    Sites set a zero font size to close the gaps between pictures; such an element is visible.
    """
    return not any(
        each.tag in IMAGE_TAGS or (each is not element and "font-size" in (each.get("style") or ""))
        for each in islice(element.iter(), 200)
    )
