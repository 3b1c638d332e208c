"""Scores an extractor's fields against the correct ones, by the same rules for all.

- title, subtitle, source: equal, ignoring spaces. authors, editors, tags: the same set of names.
- published_at: the found China time begins with what the page shows. So a page that shows minutes
  needs no seconds, and a day alone is wrong where a minute is shown. `day` needs only the first ten
  characters, for extractors that know no time of day.
- images: the same list of absolute URLs in page order, ignoring http or https.
- body: F1 over the longest common subsequence of characters, without spaces: 2·LCS / (found +
  true). So a missing, foreign or misplaced paragraph costs its length. Where a passage is optional,
  the better score counts.

A field that the page has counts as wrong if nothing or something else was found. If the page has
none, finding nothing is not scored and a value is wrong. A field that the truth leaves out is not
scored, nor is one that an extractor does not offer (None).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bench.truth import Truth, squeeze

FIELDS = (
    "title",
    "published_at",
    "day",
    "source",
    "authors",
    "editors",
    "tags",
    "images",
    "subtitle",
)
_NAMES = {"authors", "editors", "tags"}

# The fields that an extractor found on a page; a name that is not here is not offered.
Found = dict[str, Any]


@dataclass(slots=True)
class Tally:
    """One extractor's scores: (right, scored) of each field, body F1 and time of each page."""

    counts: dict[str, list[int]] = field(default_factory=dict)
    bodies: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    crashes: int = 0
    wrong: dict[str, list[str]] = field(default_factory=dict)

    def rate(self, name: str) -> float | None:
        """Share of right values, 0 to 1; None if nothing was scored."""
        right, scored = self.counts.get(name, (0, 0))
        return right / scored if scored else None

    @property
    def body(self) -> float | None:
        """Mean body F1."""
        return sum(self.bodies) / len(self.bodies) if self.bodies else None

    @property
    def whole(self) -> float | None:
        """Share of bodies with exactly the right characters."""
        return sum(f1 == 1 for f1 in self.bodies) / len(self.bodies) if self.bodies else None

    @property
    def ms(self) -> float:
        """Mean time per page in milliseconds."""
        return sum(self.milliseconds) / len(self.milliseconds)


def add(tally: Tally, truth: Truth, found: Found) -> None:
    """Score one page."""
    for name in FIELDS:
        key = "published_at" if name == "day" else name
        if key not in found or key not in truth.fields:
            continue
        right = judge(name, found[key], truth.fields[key])
        if right is None:
            continue
        count = tally.counts.setdefault(name, [0, 0])
        count[0] += right
        count[1] += 1
        if not right:
            line = f"{name}: {_differing(found[key], truth.fields[key][0])}"
            tally.wrong.setdefault(truth.name, []).append(line)
    if "body" in found and (truth.bodies[0] or found["body"]):
        f1 = max(body_f1(found["body"] or "", body) for body in truth.bodies)
        tally.bodies.append(f1)
        if f1 < 1:
            passages = _passages(found["body"] or "", truth.bodies[0])
            tally.wrong.setdefault(truth.name, []).append(f"body: {f1:.3f}{passages}")


def judge(name: str, found: Any, right: list[Any]) -> bool | None:
    """Whether a field is right; None if there is nothing to score."""
    if not right[0]:
        return None if not found or any(_same(name, found, r) for r in right) else False
    return any(_same(name, found, r) for r in right)


def _same(name: str, found: Any, right: Any) -> bool:
    if not found or not right:
        return not found and not right
    if name in _NAMES:
        return {squeeze(each) for each in found} == {squeeze(each) for each in right}
    if name == "images":
        return [_bare(url) for url in found] == [_bare(url) for url in right]
    if name == "day":
        return str(found)[:10] == str(right)[:10]
    if name == "published_at":
        return str(found).startswith(right)
    return squeeze(found) == squeeze(right)


def _bare(url: str) -> str:
    return url.split("://", 1)[-1].split("#", maxsplit=1)[0]


def _differing(found: Any, right: Any) -> str:
    """The found and the correct value; for long lists only what is surplus and missing."""
    if isinstance(found, list) and isinstance(right, list) and len(found) + len(right) > 4:
        extra = [each for each in found if each not in right]
        missing = [each for each in right if each not in found]
        return f"too much {extra}, missing {missing}"
    return f"{found!r} for {right!r}"


def _passages(found: str, true: str, length: int = 24, most: int = 6) -> str:
    """The beginnings of lines that only one of two bodies has."""
    lines = [f"+ {line[:length]}" for line in _alone(found, true)[:most]]
    lines += [f"- {line[:length]}" for line in _alone(true, found)[:most]]
    return "".join(f"\n        {line}" for line in lines)


def _alone(text: str, other: str) -> list[str]:
    other = squeeze(other)
    return [line for line in map(squeeze, text.split("\n")) if line and line not in other]


def body_f1(found: str, true: str) -> float:
    """F1 of the characters that both texts have in the same order, 0 to 1, ignoring spaces."""
    found, true = squeeze(found), squeeze(true)
    if not found or not true:
        return float(found == true)
    return 2 * common_subsequence(found, true) / (len(found) + len(true))


def common_subsequence(a: str, b: str) -> int:
    """Length of the longest common subsequence, with one bit of a big integer per character of `a`.

    Hyyrö's bit-vector recurrence (Bit-parallel LCS-length computation revisited, 2004).
    """
    places: dict[str, int] = {}
    for i, character in enumerate(a):
        places[character] = places.get(character, 0) | 1 << i
    every = (1 << len(a)) - 1
    row = every
    for character in b:
        matches = row & places.get(character, 0)
        row = ((row + matches) | (row - matches)) & every
    return len(a) - row.bit_count()
