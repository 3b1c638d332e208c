"""Tells whether one article matches a parsed query, without the index; same results as a search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zjolcrawl.search.query import Term, Wanted
from zjolcrawl.search.tokens import facet, facets, folded, full_text, headline
from zjolcrawl.storage.queries.selection import Selection

_KINDS = ("columns", "people", "tags", "sites")


class Text:
    """What a query looks at in one version of an article."""

    def __init__(self, article: Mapping[str, Any]) -> None:
        self.facets = set(facets(article))
        self._of = {
            "title": f"{folded(headline(article))}\n",
            "text": f"{folded(full_text(article))}\n",
        }

    def count(self, term: Term) -> tuple[int, int]:
        """How often the version has a term: in its headline, and in all its text."""
        if term.scope == "by":
            is_by = facet("people", [term.text])[0] in self.facets
            return int(is_by), int(is_by)
        text = folded(term.text)
        in_headline = self._of["title"].count(text)
        return in_headline, in_headline if term.scope == "title" else self._of["text"].count(text)


def is_selected(selection: Selection, text: Text) -> bool:
    """Whether a version has one of the selection's columns, people, tags and hosts each."""
    chosen = (facet(kind, getattr(selection, kind)) for kind in _KINDS)
    return all(not text.facets.isdisjoint(each) for each in chosen if each)


def matches(wanted: Wanted, text: Text) -> bool:
    """Whether a version has a term of each group, and no excluded term."""
    return not _is_excluded(wanted, text) and all(
        any(text.count(term)[1] for term in group) for group in wanted.alternatives
    )


def matches_added(wanted: Wanted, before: Text, after: Text) -> bool:
    """Whether an edit added a term of each group, and the version after it has no excluded term.

    An edit adds a term if the headline or the whole text has it more often than before. So a term that
    only moved, or stands in a sentence that was reworded around it, is not added.
    """

    def is_added(term: Term) -> bool:
        pairs = zip(before.count(term), after.count(term), strict=True)
        return any(now > then for then, now in pairs)

    return not _is_excluded(wanted, after) and all(
        any(map(is_added, group)) for group in wanted.alternatives
    )


def _is_excluded(wanted: Wanted, text: Text) -> bool:
    return any(text.count(term)[1] for term in wanted.excluded)
