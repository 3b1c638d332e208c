"""Parses what a user types into a query of the index.

西湖 荷花           both, anywhere in the headline, text, captions, tags or people
"iPhone 8"          as one, spaces included
杭州 OR 宁波        one of them; OR binds tighter than the space between terms
-广告               not this
title:西湖          in the headline
by:江帆             of this reporter or editor
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from tantivy import FieldType, Occur, Query

from zjolcrawl.parsing.fields.dates import china_midnight
from zjolcrawl.search.index import SCHEMA, day_number, milliseconds
from zjolcrawl.search.tokens import facet, folded, pairs
from zjolcrawl.storage.queries.selection import Selection

MOST_TERMS, MOST_CHARACTERS = 20, 200
_TERM = re.compile(r'(-?)(?:(title|by)[:：])?(?:["“”]([^"“”]+)["“”]|(\S+))')
# Operators of Tantivy's regular expressions, the only characters that may be escaped by a backslash.
_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$#&~-])")
_LAST = 2**63 - 1  # milliseconds
Scope = Literal["text", "title", "by"]
Field = Literal["text", "headline"]


class QueryError(ValueError):
    """A query that cannot be searched for; the message is one line."""


@dataclass(frozen=True, slots=True)
class Term:
    """A search term: `text` as typed, and where to look for it."""

    text: str
    scope: Scope = "text"

    def query(self, place: Field) -> Query:
        """The query for articles with this term, in the headline only or in all text."""
        if self.scope == "by":
            (token,) = facet("people", [self.text])
            return Query.term_query(SCHEMA, "facet", token)
        name = "headline" if self.scope == "title" else place
        tokens = pairs(folded(self.text))
        if not tokens:  # a single character: match any pair that begins with it
            (sign,) = (each[0] for each in pairs(f"{folded(self.text)}\n"))
            return Query.regex_query(SCHEMA, name, _SPECIAL.sub(r"\\\1", sign) + "(.|\n)")
        if len(tokens) == 1:
            return Query.term_query(SCHEMA, name, tokens[0])
        return Query.phrase_query(SCHEMA, name, list(tokens))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A parsed query: one term of each group of `alternatives`, and none of `excluded`."""

    alternatives: list[list[Term]] = field(default_factory=list)
    excluded: list[Term] = field(default_factory=list)

    @property
    def terms(self) -> list[str]:
        """The folded terms to highlight in a hit's texts."""
        found = (each for group in self.alternatives for each in group if each.scope != "by")
        return list(dict.fromkeys(folded(each.text) for each in found))

    def query(self, place: Field, selection: Selection) -> Query:
        """The query for matching articles, by their headlines only or by all text."""
        parts = [(Occur.Must, _one_of([t.query(place) for t in g])) for g in self.alternatives]
        parts += [(Occur.MustNot, each.query("text")) for each in self.excluded]
        parts += [(Occur.Must, Query.const_score_query(each, 0)) for each in _filters(selection)]
        return Query.boolean_query(parts)


def parse(text: str, selection: Selection | None = None) -> Wanted:
    """The query that `text` stands for; it may be empty if the selection has a filter. Raises QueryError."""
    if selection and not text.strip() and selection.query():
        return Wanted()
    if len(text) > 2 * MOST_TERMS * MOST_CHARACTERS:
        raise QueryError("the query is too long")
    wanted = Wanted()
    is_alternative = False
    for excluded, scope, quoted, plain in _TERM.findall(text):
        if plain == "OR" and not scope and not excluded:
            is_alternative = bool(wanted.alternatives)
            continue
        if plain in {"AND", "NOT"} and not scope and not excluded:
            raise QueryError(
                f'{plain} is no operator: a space means and, -WORD means not; "{plain}" is the word'
            )
        term = Term((quoted or plain).strip(' \u3000"“”'), scope or "text")
        if not term.text:
            continue
        if excluded:
            wanted.excluded.append(term)
        elif is_alternative:
            wanted.alternatives[-1].append(term)
        else:
            wanted.alternatives.append([term])
        is_alternative = False
    terms = [*wanted.excluded, *(each for group in wanted.alternatives for each in group)]
    if not wanted.alternatives:
        raise QueryError(
            "nothing to search for" if not terms else "give a word that is not excluded"
        )
    if len(terms) > MOST_TERMS or max(len(each.text) for each in terms) > MOST_CHARACTERS:
        raise QueryError(
            f"a query may have {MOST_TERMS} terms of {MOST_CHARACTERS} characters at most"
        )
    return wanted


def _one_of(queries: list[Query]) -> Query:
    if len(queries) == 1:
        return queries[0]
    return Query.boolean_query([(Occur.Should, each) for each in queries])


def _filters(selection: Selection) -> list[Query]:
    """The filters of a Selection, one query each."""
    kinds = ("columns", "people", "tags", "sites")
    chosen = [values for kind in kinds if (values := facet(kind, getattr(selection, kind)))]
    found = [
        _one_of([Query.term_query(SCHEMA, "facet", each) for each in values]) for values in chosen
    ]
    flags = [name for name in ("edited", "gone", "images") if getattr(selection, name)]
    found += [Query.term_query(SCHEMA, "facet", each) for each in facet("flag", flags)]
    if selection.since or selection.until:
        first, last = selection.since or date.min, selection.until or date.max
        days = (day_number(first), day_number(last))
        found.append(Query.range_query(SCHEMA, "day", FieldType.Unsigned, *days))
    changes = {"edited": selection.changed_since, "gone": selection.gone_since}
    if selection.by_change:
        found.append(_one_of([_since(name, day) for name, day in changes.items() if day]))
    return found


def _since(name: str, day: date) -> Query:
    """The query for articles with this change on a day in China or later."""
    first = milliseconds(china_midnight(day))
    return Query.range_query(SCHEMA, name, FieldType.Unsigned, first, _LAST)
