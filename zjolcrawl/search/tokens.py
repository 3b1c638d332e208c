"""Turns an article's text and a query's terms into the tokens of the index.

Text is folded to lower case and half width and cut into pairs of neighbouring characters. Any string of
two or more characters is then a phrase of pairs, wherever a word segmenter would cut the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from operator import add
from typing import Any

from zjolcrawl import fields

HEADLINE = ("title", "kicker", "subtitle", "original_title")
"""The fields in which a term ranks a hit above all others."""
_SEARCHED = [field for field in fields.FIELDS if field.searched]
_TEXTS = [field.name for field in _SEARCHED if field.type == "string" and not field.many]
FIELDS = (
    *(field.name for field in _SEARCHED),
    "columns",
    "site",
    "status",
    "revision",
    "published_at",
    "first_seen_at",
    "changed_at",
    "gone_at",
    "returned_at",
)
"""The fields of an article that are indexed."""

# The tokenizer splits at white space, so pairs write space and line break as Unicode noncharacters. Those
# in a text, and halves of surrogate pairs, become U+FFFD.
_SIGNS = str.maketrans({" ": "\ufdd0", "\n": "\ufdd1"})
_NONE = re.compile("[\ufdd0\ufdd1\ud800-\udfff]")


class _Fold(dict[int, str]):
    """Maps each character to one character, so that positions in the folded text equal those in the text."""

    def __missing__(self, code: int) -> str:
        character = _NONE.sub("\ufffd", chr(code))
        for form in (unicodedata.normalize("NFKC", character), character.lower()):
            if len(form) == 1:
                character = form.lower() if len(form.lower()) == 1 else form
                break
        if character.isspace() and character != "\n":
            character = " "
        self[code] = character
        return character


_FOLD = _Fold()


def folded(text: str) -> str:
    """The text in lower case and half width, character by character; any space becomes U+0020."""
    return text.translate(_FOLD)


def pairs(text: str) -> list[str]:
    """The pairs of neighbouring characters of a folded text, in order."""
    signs = text.translate(_SIGNS)
    return list(map(add, signs, signs[1:]))


def headline(article: Mapping[str, Any]) -> str:
    """The headline fields, one per line."""
    return "\n".join(_texts(article, *HEADLINE))


def full_text(article: Mapping[str, Any]) -> str:
    """All searchable text of an article, one field or paragraph per line."""
    return "\n".join(_lines(article))


def _lines(article: Mapping[str, Any]) -> Iterator[str]:
    yield from _texts(article, *_TEXTS)
    yield from _strings(article.get("tags"))
    for each in _entries(article, "authors", "editors"):
        yield "".join(_texts(each, "outlet", "role", "name"))
    for each in _entries(article, "images"):
        yield from _texts(each, "caption", "alt")
    for each in _entries(article, "videos", "attachments"):
        yield from _texts(each, "name")


def facets(article: Mapping[str, Any]) -> Iterator[str]:
    """Tokens for all filters of a Selection except its days."""
    people = (
        name for each in _entries(article, "authors", "editors") for name in _texts(each, "name")
    )
    yield from facet("columns", _strings(article.get("columns")))
    yield from facet("people", people)
    yield from facet("tags", _strings(article.get("tags")))
    yield from facet("sites", _texts(article, "site"))
    revision = article.get("revision")
    flags = {
        "edited": isinstance(revision, int) and revision > 1, "gone": article.get("status") == "gone",
        "images": bool(article.get("images")),
    }  # fmt: skip
    yield from facet("flag", (name for name, is_set in flags.items() if is_set))


# Another program may have stored values of other types; they are not searched.


def _texts(document: Mapping[str, Any], *names: str) -> Iterator[str]:
    return (value for name in names if isinstance(value := document.get(name), str))


def _strings(value: Any) -> Iterator[str]:
    return (
        (each for each in value if isinstance(each, str)) if isinstance(value, list) else iter(())
    )


def _entries(article: Mapping[str, Any], *names: str) -> Iterator[Mapping[str, Any]]:
    for name in names:
        if isinstance(entries := article.get(name), list):
            yield from (each for each in entries if isinstance(each, dict))


def facet(kind: str, values: Iterable[str]) -> list[str]:
    """The tokens of a field's values; `kind` is the field's name in Selection, or "flag"."""
    return [f"{kind[0]}{value}".encode("utf-8", "replace").decode() for value in values]
