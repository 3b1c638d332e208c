"""What was edited between two versions of an article: fields, and the body by sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from zjolcrawl import fields
from zjolcrawl.display.sequences import Effort, spans
from zjolcrawl.display.words import people, published

_SENTENCE = re.compile(r"[^。！？；!?;\n]*(?:[。！？；!?;]+[”’」』）)]*|\n|$)")
MOST_TEXT = 100_000
"""Characters of a field that are compared; an article has some thousand."""
_MOST_PARTS = 5000
# The kicker stands above the title.
_SHOWN = sorted(
    (each for each in fields.FIELDS if each.editorial), key=lambda each: each.name != "kicker"
)
FIELDS = {field.name: field.term for field in _SHOWN}
"""The fields that are compared, in the order in which a page shows them, and what readers call them."""


@dataclass(frozen=True, slots=True)
class Change:
    """Parts of one field that were taken out and put in; `kept` parts stood before them.

    `cut`: the field is too long, and what follows in it was not compared.
    """

    field: str
    removed: tuple[str, ...]
    added: tuple[str, ...]
    kept: int = 0
    cut: bool = False


def changes(old: dict[str, Any], new: dict[str, Any], effort: Effort | None = None) -> list[Change]:
    """The edits from one version to the next, in the order in which a page shows the fields.

    `effort`: what the comparisons of one request may take together.
    """
    effort = effort or Effort()
    return [change for name in FIELDS for change in _of_field(name, old, new, effort)]


def pairs(change: Change, effort: Effort | None = None) -> list[tuple[str, str]] | None:
    """One part that became another, piece by piece: (before, after), the same where nothing changed.

    None where parts came or went, so that there is no other to compare with.
    """
    if not len(change.removed) == len(change.added) == 1:
        return None
    before, after = change.removed[0], change.added[0]
    found = spans(before, after, effort or Effort())
    return [(before[each.i1 : each.i2], after[each.j1 : each.j2]) for each in found]


def sentences(text: str) -> list[str]:
    """A body's sentences, without the breaks between its paragraphs."""
    return [part for found in _SENTENCE.findall(text) if (part := found.strip())]


def _of_field(
    name: str, old: dict[str, Any], new: dict[str, Any], effort: Effort
) -> Iterator[Change]:
    before, cut_before = _parts(name, old)
    after, cut_after = _parts(name, new)
    # The database may have cut a text that is too long: the hash knows more of it than is here.
    cut = (cut_before or cut_after) and old.get("content_sha256") != new.get("content_sha256")
    kept = 0
    for span in spans(before, after, effort):
        if span.equal:
            kept = span.i2 - span.i1
        else:
            removed, added = before[span.i1 : span.i2], after[span.j1 : span.j2]
            yield Change(name, tuple(removed), tuple(added), kept)
            kept = 0
    if cut:
        yield Change(name, (), (), kept, cut=True)


def _parts(name: str, version: dict[str, Any]) -> tuple[list[str], bool]:
    """A field as the parts that are compared, and whether it has more than these."""
    value = version.get(name)
    if not value:
        return [], False
    if name == "published_at":
        return [published(version) or ""], False
    if isinstance(value, str):
        text = value[:MOST_TEXT]
        parts = sentences(text) if name in {"body", "editor_note", "abstract"} else [text]
    else:
        parts = [_part(name, each)[:MOST_TEXT] for each in value[:_MOST_PARTS]]
    return parts, len(value) > (MOST_TEXT if isinstance(value, str) else _MOST_PARTS)


def _part(name: str, value: Any) -> str:
    """An entry of a list: a person, an image by its reference, a tag."""
    if name in {"authors", "editors"}:
        return people([value])
    return str(value["ref"] if name == "images" else value)
