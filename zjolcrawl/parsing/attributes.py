"""Tags with thousands of attributes, which libxml2 reads in the square of their number."""

from __future__ import annotations

import re

# libxml2 (2.14) compares each attribute of a tag with all before it: 20,000 take a second, 80,000 minutes.
_MOST = 1000
# In so many bytes there is room for a second's work at most: most pages are not looked at.
_SMALL = 65_536
# As HTML's tokenizer has them (WHATWG HTML, 13.2.5.32): a name may begin with `=`, a value with a quote.
_ATTRIBUTE = (
    rb"[\s/]*+[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)|[^\s>]*+))?+"
)
_ATTRIBUTES = rb"(?:%b){0,%d}+" % (_ATTRIBUTE, _MOST)
# What is in these is text, whatever it looks like.
_RAW = (b"script", b"style", b"textarea", b"title", b"xmp", b"iframe", b"noembed", b"noframes")
_RAW_TEXT = b"|".join(
    rb"%b%b(?!%b)[\s/]*+>(?:[^<]++|<(?!/%b))*+" % (name, _ATTRIBUTES, _ATTRIBUTE, name)
    for name in _RAW
)
# All up to a tag with more of them, in one go: what is scanned is never begun anew.
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
    """The page without the attributes of a tag after its thousandth. Linear in the page."""
    if len(page) <= _SMALL:
        return page
    pieces, at = [], 0
    while at < len(page):
        end = _ORDINARY.match(page, at).end()  # type: ignore[union-attr]  # it matches nothing too
        pieces.append(page[at:end])
        if crowded := _CROWDED.match(page, end):
            pieces.append(crowded[1])
            end = crowded.end()
        at = max(end, at + 1)
    return b"".join(pieces) if len(pieces) > 1 else page
