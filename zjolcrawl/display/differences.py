"""What was edited between two versions of an article: fields, and the body by sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from zjolcrawl.display.words import people, published

_SENTENCE = re.compile(r"[^。！？；!?;\n]*(?:[。！？；!?;]+[”’」』）)]*|\n|$)")
FIELDS = {
    "kicker": "引题", "title": "标题", "subtitle": "副题", "published_at": "时间", "source": "来源",
    "authors": "作者", "editors": "编辑", "tags": "标签", "editor_note": "编者按", "abstract": "摘要", "body": "正文",
    "images": "图片",
}  # fmt: skip
"""The fields that are compared, in the order in which a page shows them, and what readers call them."""


@dataclass(frozen=True, slots=True)
class Change:
    """Parts of one field that were taken out and put in; `kept` parts stood before them."""

    field: str
    removed: tuple[str, ...]
    added: tuple[str, ...]
    kept: int = 0


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """The edits from one version to the next, in the order in which a page shows the fields."""
    return [change for name in FIELDS for change in _of_field(name, old, new)]


def pairs(change: Change) -> list[tuple[str, str]] | None:
    """One part that became another, piece by piece: (before, after), the same where nothing changed.

    None where parts came or went, so that there is no other to compare with.
    """
    if not len(change.removed) == len(change.added) == 1:
        return None
    before, after = change.removed[0], change.added[0]
    found = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return [(before[i1:i2], after[j1:j2]) for _, i1, i2, j1, j2 in found]


def sentences(text: str) -> list[str]:
    """A body's sentences, without the breaks between its paragraphs."""
    return [part for found in _SENTENCE.findall(text) if (part := found.strip())]


def _of_field(name: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    before, after = _parts(name, old), _parts(name, new)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    kept = 0
    for what, i1, i2, j1, j2 in matcher.get_opcodes():
        if what == "equal":
            kept = i2 - i1
        else:
            yield Change(name, tuple(before[i1:i2]), tuple(after[j1:j2]), kept)
            kept = 0


def _parts(name: str, version: dict[str, Any]) -> list[str]:
    """A field as the parts that are compared: sentences, people, tags, image references."""
    value = version.get(name)
    if not value:
        return []
    if name == "published_at":
        return [published(version) or ""]
    if name in {"authors", "editors"}:
        return [people([each]) for each in value]
    if name == "images":
        return [each["ref"] for each in value]
    if name in {"body", "editor_note", "abstract"}:
        return sentences(value)
    return list(value) if isinstance(value, list) else [value]
