"""Drops surplus attributes from tags with thousands of them: libxml2 needs quadratic time for these."""

from __future__ import annotations

import re

# libxml2 (2.14) compares each attribute of a tag with all before it.
_MOST = 1000
# A page this small costs a second at most, so it is not scanned. Most pages are smaller.
_SMALL = 65_536
# As in the HTML tokenizer (WHATWG HTML, 13.2.5.32): a name may begin with `=`, a value with a quote.
_ATTRIBUTE = (
    rb"[\s/]*+[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)|[^\s>]*+))?+"
)
_ATTRIBUTES = rb"(?:%b){0,%d}+" % (_ATTRIBUTE, _MOST)
# The content of these elements is text, whatever it looks like.
_RAW = (b"script", b"style", b"textarea", b"title", b"xmp", b"iframe", b"noembed", b"noframes")
_RAW_TEXT = b"|".join(
    rb"%b%b(?!%b)[\s/]*+>(?:[^<]++|<(?!/%b))*+" % (name, _ATTRIBUTES, _ATTRIBUTE, name)
    for name in _RAW
)
# Everything up to the next tag with too many attributes, in one match without backtracking.
_ORDINARY = re.compile(
    rb"(?:[^<]++"
    rb"|<!--(?!-?>)(?:[^-]++|-(?!-!?>))*+"
    rb"|<(?=(?:%b)[\s/>])(?:%b)"
    rb"|<[a-z][^\s/>]*+%b(?!%b)"
    rb"|<(?![a-z]))*+" % (b"|".join(_RAW), _RAW_TEXT, _ATTRIBUTES, _ATTRIBUTE),
    re.IGNORECASE,
)
_CROWDED = re.compile(rb"(<[a-z][^\s/>]*+%b)(?:%b)*+" % (_ATTRIBUTES, _ATTRIBUTE), re.IGNORECASE)


def without_surplus(page: bytes) -> bytes:
    """The page with at most 1,000 attributes a tag; the rest are dropped. Linear in the page's size."""
    if len(page) <= _SMALL:
        return page
    pieces, at = [], 0
    while at < len(page):
        end = _ORDINARY.match(page, at).end()  # type: ignore[union-attr]  # also matches nothing
        pieces.append(page[at:end])
        if crowded := _CROWDED.match(page, end):
            pieces.append(crowded[1])
            end = crowded.end()
        at = max(end, at + 1)
    return b"".join(pieces) if len(pieces) > 1 else page
