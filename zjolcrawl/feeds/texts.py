"""Texts and URLs as XML, JSON and URIs can hold them."""

from __future__ import annotations

import re
from urllib.parse import quote

_LONGEST = 500  # characters of a title or a word
# What XML forbids or discourages (XML 1.0, 2.2), and halves of surrogate pairs, which UTF-8 cannot encode.
_NOT_XML = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
_NOT_ENCODED = re.compile("%(?![0-9A-Fa-f]{2})")
_KEPT = ":/?#[]@!$&'()*+,;=%~"  # beside letters, digits and -._ all that a URI may have (RFC 3986)


def sound(text: object) -> str:
    """The text with U+FFFD for what XML or UTF-8 cannot hold."""
    return _NOT_XML.sub("\ufffd", str(text))


def one_line(text: object) -> str:
    """The text on one line, of 500 characters at most."""
    return sound(" ".join(str(text)[: 2 * _LONGEST].split()))[:_LONGEST]


def uri(text: str) -> str:
    """A URL with percent-encoding for what a URI may not have."""
    return _NOT_ENCODED.sub("%25", quote(text, safe=_KEPT, errors="replace"))
