"""Text as the search sees it: folded characters, a query's terms, an article's tokens.

Chinese has no spaces, so each text is indexed twice: as the words that a segmenter finds, by which a
hit is ranked, and as all pairs of neighbouring characters, by which any string of two or more is found
wherever a segmenter would cut.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from operator import add
from types import ModuleType
from typing import Any

HEADLINE = ("title", "kicker", "subtitle", "original_title")
"""The fields in which a term ranks a hit above all others."""
_TEXTS = (*HEADLINE, "body", "editor_note", "abstract", "source", "dateline")
FIELDS = (*_TEXTS, "tags", "authors", "editors", "images", "attachments", "videos", "columns", "site",
          "status", "revision", "published_at", "first_seen_at")  # fmt: skip
"""The fields of an article that its tokens are made of."""

# What a token is begins with one letter, so that 金晨 in a headline, as a word, as a person and as
# any two characters are four tokens.
PAIR, HEADLINE_PAIR, WORD = "", "^", "w"
_PARTS = re.compile(r'["“”]([^"“”]+)["“”]|(\S+)')


class _Fold(dict[int, str]):
    """One character for one, so that a position in the folded text is that in the text."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
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
    """The text in lower case and half width, character for character; any space is U+0020."""
    return text.translate(_FOLD)


def terms(query: str) -> list[str]:
    """A query's terms, folded: parts between spaces, and what stands in quotation marks as one."""
    parts = (quoted or plain for quoted, plain in _PARTS.findall(folded(query)))
    return list(dict.fromkeys(part for each in parts if (part := each.strip(' "“”'))))


def headline(article: Mapping[str, Any]) -> str:
    """The headline's text, a field a line."""
    return "\n".join(article[name] for name in HEADLINE if name in article)


def full_text(article: Mapping[str, Any]) -> str:
    """All that is searched of an article: fields and paragraphs a line each."""
    return "\n".join(_lines(article))


def has_all(text: str, wanted: Sequence[str]) -> bool:
    """Whether a text has all of the folded terms. Most stand in it as they are, which is quickly seen."""
    missing = [term for term in wanted if term not in text]
    if not missing:
        return True
    low = folded(text)
    return all(term in low for term in missing)


def _lines(article: Mapping[str, Any]) -> Iterator[str]:
    for name in _TEXTS:
        if name in article:
            yield article[name]
    yield from article.get("tags", ())
    for name in ("authors", "editors"):
        for each in article.get(name, ()):
            yield f"{each.get('outlet', '')}{each['role']}{each['name']}"
    for each in article.get("images", ()):
        for name in ("caption", "alt"):
            if name in each:
                yield each[name]
    for name in ("videos", "attachments"):
        yield from (each["name"] for each in article.get(name, ()) if "name" in each)


def words(text: str) -> set[str]:
    """The words of two characters or more in folded text, long ones and those within them."""
    return {word for word in _segmenter().cut_for_search(text) if len(word) > 1}


def words_of(term: str) -> list[str]:
    """A term as words, one after the other, single characters left out; if no other, the term."""
    return [word for word in _segmenter().cut(term) if len(word) > 1] or [term]


def pairs(text: str) -> set[str]:
    """All pairs of neighbouring characters of a line."""
    found: set[str] = set()
    for line in text.split("\n"):
        found.update(map(add, line, line[1:]))
    return found


def facets(article: Mapping[str, Any]) -> Iterator[str]:
    """Tokens of what a Selection may ask for, but for its days."""
    people = (each["name"] for name in ("authors", "editors") for each in article.get(name, ()))
    yield from facet("columns", article.get("columns", ()))
    yield from facet("people", people)
    yield from facet("tags", article.get("tags", ()))
    yield from facet("sites", [article["site"]])
    flags = {
        "edited": article["revision"] > 1, "gone": article["status"] == "gone",
        "images": bool(article.get("images")),
    }  # fmt: skip
    yield from facet("flag", (name for name, is_set in flags.items() if is_set))


def facet(kind: str, values: Iterable[str]) -> list[str]:
    """The tokens of a field's values; `kind` is the name in Selection, or flag."""
    return [f"={kind[0]}{value}" for value in values]


def tokens(article: Mapping[str, Any]) -> set[str]:
    """All that an article is found by."""
    text = folded(full_text(article))
    found = pairs(text)
    found.update([HEADLINE_PAIR + pair for pair in pairs(folded(headline(article)))])
    found.update([WORD + word for word in words(text)])
    found.update(facets(article))
    return found


@cache
def _segmenter() -> ModuleType:
    """Jieba's dictionary and Zhejiang's names.

    Imported with the first text, as that alone makes the dictionary: 33 MB and 0.13 s, which no command
    without full text has to bear. Its own is the one that gets our words; another would be 24 MB more.
    """
    import rjieba

    for line in files("zjolcrawl").joinpath("words.txt").read_text("utf-8").splitlines():
        if (word := line.strip()) and not word.startswith("#"):
            rjieba.add_word(word, None, None)
    return rjieba
