"""Finds the edits between two versions of an article: by field, in the body by sentence."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from zjolcrawl import fields
from zjolcrawl.display.diff import Effort, spans
from zjolcrawl.display.formatting import people, published

_SENTENCE = re.compile(r"[^。！？；!?;\n]*(?:[。！？；!?;]+[”’」』）)]*|\n|$)")
MOST_TEXT = 100_000
"""Characters of a field that are compared; an article usually has a few thousand."""
_MOST_PARTS = 5000
# The kicker stands above the title.
_SHOWN = sorted(
    (each for each in fields.FIELDS if each.editorial), key=lambda each: each.name != "kicker"
)
FIELDS = {field.name: field.term for field in _SHOWN}
"""The fields that are compared, in page order, with their Chinese names."""


@dataclass(frozen=True, slots=True)
class Change:
    """Parts of one field that were removed and added, after `kept` unchanged parts.

    `cut`: the field is too long; the rest of it was not compared. `before` and `after` are the unchanged parts next
    to the edit, empty if there is none.
    """

    field: str
    removed: tuple[str, ...]
    added: tuple[str, ...]
    kept: int = 0
    cut: bool = False
    before: str = dataclasses.field(default="", compare=False)
    after: str = dataclasses.field(default="", compare=False)


def changes(old: dict[str, Any], new: dict[str, Any], effort: Effort | None = None) -> list[Change]:
    """The edits from one version to the next, in page order of the fields.

    `effort` is the budget that all comparisons of one request share.
    """
    effort = effort or Effort()
    return [change for name in FIELDS for change in _of_field(name, old, new, effort)]


def pairs(change: Change, effort: Effort | None = None) -> list[tuple[str, str]] | None:
    """A part that was replaced by another, as pieces (before, after); equal where nothing changed.

    None unless exactly one part was removed and one added.
    """
    if not len(change.removed) == len(change.added) == 1:
        return None
    before, after = change.removed[0], change.added[0]
    found = spans(before, after, effort or Effort())
    return [(before[each.i1 : each.i2], after[each.j1 : each.j2]) for each in found]


def sentences(text: str) -> list[str]:
    """The sentences of a body, without line breaks."""
    return [part for found in _SENTENCE.findall(text) if (part := found.strip())]


def _of_field(
    name: str, old: dict[str, Any], new: dict[str, Any], effort: Effort
) -> Iterator[Change]:
    before, cut_before = _parts(name, old)
    after, cut_after = _parts(name, new)
    # The query may have cut a long text: only the hash shows whether the rest differs.
    cut = (cut_before or cut_after) and old.get("content_sha256") != new.get("content_sha256")
    kept = 0
    for span in spans(before, after, effort):
        if span.equal:
            kept = span.i2 - span.i1
        else:
            removed, added = before[span.i1 : span.i2], after[span.j1 : span.j2]
            around = before[max(0, span.i1 - 1) : span.i1], before[span.i2 : span.i2 + 1]
            yield Change(
                name, tuple(removed), tuple(added), kept,
                before="".join(around[0]), after="".join(around[1]),
            )  # fmt: skip
            kept = 0
    if cut:
        yield Change(name, (), (), kept, cut=True)


def _parts(name: str, version: dict[str, Any]) -> tuple[list[str], bool]:
    """The parts of a field that are compared, and whether it has more."""
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
    """The text of a list entry: a person, an image (its `ref`) or a tag."""
    if name in {"authors", "editors"}:
        return people([value])
    return str(value["ref"] if name == "images" else value)
