"""Normalises text for storage: NFC, no zero-width characters, no indents."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

# U+200B-200F and U+2060-2064 have no width or only set direction; U+FEFF is a stray byte order mark,
# U+00AD an invisible hyphen; C0 controls come from broken encodings; C1 controls mostly stand for
# Windows-1252 characters (&#147; is “, as in the HTML standard).
_INVISIBLE = re.compile(
    "[\u200b-\u200f\u202a-\u202e\u2060-\u206f\u180e\ufeff\u00ad\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]+"
)
_WINDOWS = {n: c for n in range(0x80, 0xA0) if (c := bytes([n]).decode("cp1252", "ignore"))}
# East Asian wide characters: a line break in the source between two of them is not a space
# (CSS Text 3, segment break transformation).
_WIDE = "\u2e80-\u303f\u3040-\u9fff\uf900-\ufaff\uff00-\uffef“”‘’…—·\U00020000-\U0003ffff"
# The pattern starts with white space and looks behind, so that the search can skip over the text.
_BREAK_IN_CJK = re.compile(
    f"[ \t\r\n](?<=[{_WIDE}].)(?:(?<=[\r\n])|[ \t]*+[\r\n])[ \t\r\n]*+(?=[{_WIDE}])", re.DOTALL
)
_OTHER_SPACE = "\t\r\n\f\v\x85\u00a0\u2000-\u200a\u2028\u2029\u202f"
_OTHER_SPACES = re.compile(f"[{_OTHER_SPACE}][ {_OTHER_SPACE}]*")
_SPACES = re.compile("  +")
DIVIDER = re.compile(r"(?:(?<!\s)\s+)?[-_|｜–—]+\s*")
"""A divider between the parts of a `<title>`, with the spaces around it."""
_EDGES = " \t\r\n\u3000\u00a0"
# Unicode normalisation sorts the combining characters after a letter in quadratic time. This finds
# 100 possible combining characters in a row (more than any language has), to split before them.
_COMBINED = re.compile(
    "[^ -\u02ff\u2010-\u2027\u3000-\u3029\u3030-\u3098\u309b-\u9fff\uff00-\uffef]{100}"
)
_PIECE = 100  # characters; text with too many combining characters is normalised in such pieces


def clean(text: str) -> str:
    """The line as stored: NFC, without invisible characters or indent, white space folded.

    U+3000 inside the line is the author's and stays.
    """
    text = text.strip(_EDGES)  # first, so that an indent alone does not cost the steps below
    if not text.isprintable():  # printable text has none of the characters replaced below
        text = _INVISIBLE.sub(_visible, text)
        if "\n" in text or "\r" in text:
            text = _BREAK_IN_CJK.sub("", text)
        text = _OTHER_SPACES.sub(" ", text).strip(_EDGES)
    if "  " in text:
        text = _SPACES.sub(" ", text)
    if len(text) >= _PIECE:
        return _normal("NFC", text)
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _visible(found: re.Match[str]) -> str:
    return "".join(_WINDOWS.get(ord(character), "") for character in found[0])


def fold_width(text: str) -> str:
    """The text with full-width digits, letters and signs as ASCII (NFKC): for matching, not storage."""
    return _normal("NFKC", text) if not text.isascii() else text


def is_narrow(text: str) -> bool:
    """Whether `fold_width` leaves the text unchanged."""
    return (
        unicodedata.is_normalized("NFKC", text) if len(text) < _PIECE else fold_width(text) == text
    )


def _normal(form: Literal["NFC", "NFKC"], text: str) -> str:
    if len(text) < _PIECE or not _COMBINED.search(text):
        return unicodedata.normalize(form, text)
    pieces = (text[at : at + _PIECE] for at in range(0, len(text), _PIECE))
    return "".join([unicodedata.normalize(form, piece) for piece in pieces])


def squeeze(text: str) -> str:
    """The text without any white space, for comparisons."""
    return "".join(text.split())
