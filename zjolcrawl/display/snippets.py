"""Snippets of search hits: text around the search terms, with the terms marked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from zjolcrawl.display.formatting import people
from zjolcrawl.search.tokens import folded

_LONG = 20_000  # characters of a text that are searched for terms
_MOST_LINES = 1000

Marked = list[tuple[str, bool]]
"""A text in parts: (text, whether it is a search term)."""


def marked(text: str, terms: Sequence[str]) -> Marked:
    """Split a text at search terms; `terms` must be folded (search.tokens.folded)."""
    parts: Marked = []
    end = 0
    for start, stop in _spans_of(text, terms):
        if start > end:
            parts.append((text[end:start], False))
        parts.append((text[start:stop], True))
        end = stop
    return [*parts, (text[end:], False)] if end < len(text) else parts


def snippets(
    article: Mapping[str, Any], terms: Sequence[str], width: int = 80, most: int = 2
) -> list[Marked]:
    """Up to `most` snippets of about `width` characters with search terms, from the body first.

    A second snippet is added only for a term that title and earlier snippets lack. If no text has a term,
    the result is the start of the body.
    """
    found: list[Marked] = []
    lacking = {term for term in terms if not _spans_of(article["title"], [term])}
    for line in islice(_lines(article, terms), _MOST_LINES):
        if len(found) == most:
            break
        spans = _spans_of(line, terms)
        if spans and (not found or any(_spans_of(line, [term]) for term in lacking)):
            found.append(_cut(line, spans, terms, width))
            lacking = {term for term in lacking if not _spans_of(line, [term])}
    if found:
        return found
    beginning = " ".join(article.get("body", "")[:_LONG].split("\n"))
    return [marked(_shortened(beginning, 0, width), terms)] if beginning else []


def _lines(article: Mapping[str, Any], terms: Sequence[str]) -> Iterator[str]:
    yield from _near(article.get("body", ""), terms).split("\n")
    for name in ("kicker", "subtitle", "editor_note", "abstract", "original_title", "source"):
        if name in article:
            yield article[name][:_LONG]
    yield "；".join(article.get("tags", ())[:_MOST_LINES])[:_LONG]
    people_named = [*article.get("authors", ()), *article.get("editors", ())]
    yield people(people_named[:_MOST_LINES])[:_LONG]
    for each in article.get("images", ()):
        yield from (each[name][:_LONG] for name in ("caption", "alt") if name in each)


def _near(body: str, terms: Sequence[str]) -> str:
    """The body, or if it is long, the part around the first term."""
    if len(body) <= _LONG:
        return body
    first = min((at for term in terms if (at := body.find(term)) >= 0), default=-1)
    if first < 0:  # a term in capitals or full width
        low = folded(body)
        first = min((at for term in terms if (at := low.find(term)) >= 0), default=0)
    start = body.rfind("\n", max(0, first - _LONG // 2), first) + 1 or max(0, first - _LONG // 10)
    return body[start : start + _LONG]


def _cut(line: str, spans: list[tuple[int, int]], terms: Sequence[str], width: int) -> Marked:
    first = spans[0][0]
    return marked(_shortened(line, max(0, first - width // 3), width), terms)


def _shortened(text: str, start: int, width: int) -> str:
    """A piece of a text, with … where text is cut off."""
    start = max(0, min(start, len(text) - width))
    before, after = "…" if start else "", "…" if start + width < len(text) else ""
    return before + text[start : start + width] + after


def _spans_of(text: str, terms: Sequence[str]) -> list[tuple[int, int]]:
    """The (start, end) of each term in order; overlapping terms are joined."""
    low = folded(text)
    spans = sorted(match.span() for term in terms for match in re.finditer(re.escape(term), low))
    joined: list[tuple[int, int]] = []
    for start, stop in spans:
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    return joined
