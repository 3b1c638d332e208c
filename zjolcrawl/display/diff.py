"""Sequence comparison (diff) in bounded time, by Myers' algorithm.

E. W. Myers, "An O(ND) Difference Algorithm and Its Variations", Algorithmica 1, 1986. difflib's
SequenceMatcher takes quadratic time for a long line and cubic time for equal sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

_ROUND = 6  # cost of one diagonal of a round, in comparisons
_LINEAR = 6  # cost of preparing one element, in comparisons
_WINDOW = 256  # edits
_ALIKE = 0.35  # share of the longer text


@dataclass(slots=True)
class Effort:
    """The remaining budget of one request, in element comparisons; `spans` reduces it.

    The default is used up in less than a second.
    """

    comparisons: int = 10_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """old[i1:i2] corresponds to new[j1:j2]; `equal`: they are the same, otherwise one replaced the other."""

    equal: bool
    i1: int
    i2: int
    j1: int
    j2: int


def are_marks_readable(kept: int, before: str, after: str) -> bool:
    """Whether a person can read marks on characters: `kept` of them, enough of the longer text, are unchanged."""
    return kept >= _ALIKE * max(len(before), len(after))


def spans(old: Sequence[Any], new: Sequence[Any], effort: Effort) -> list[Span]:
    """The spans of both sequences from start to end, alternately equal and changed.

    The result is minimal up to 256 edits, nearly minimal beyond. If the comparison takes more than half of
    the remaining `effort`, the rest up to the common end is one changed span.
    """
    head = _common(old, new)
    shorter = min(len(old), len(new)) - head
    tail = min(shorter, _common(old[head:][::-1], new[head:][::-1]))
    i, j = len(old) - tail, len(new) - tail
    matches = [(0, 0, head)]
    matches += [(head + x, head + y, n) for x, y, n in _matches(old[head:i], new[head:j], effort)]
    return _spans([*matches, (i, j, tail), (len(old), len(new), 0)])


def _common(old: Sequence[Any], new: Sequence[Any]) -> int:
    """Length of the common start. Bisects with slices, which compare faster than elements."""
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _spans(matches: list[tuple[int, int, int]]) -> list[Span]:
    """The spans from matches (start in old, start in new, length) and the gaps between them."""
    found: list[Span] = []
    for (i, j, size), (next_i, next_j, _) in pairwise(matches):
        end_i, end_j = i + size, j + size
        if size and found and found[-1].equal:
            found[-1] = Span(True, found[-1].i1, end_i, found[-1].j1, end_j)
        elif size:
            found.append(Span(True, i, end_i, j, end_j))
        if next_i > end_i or next_j > end_j:
            found.append(Span(False, end_i, next_i, end_j, next_j))
    return found


def _matches(old: Sequence[Any], new: Sequence[Any], effort: Effort) -> list[tuple[int, int, int]]:
    """Equal elements in order, as (index in old, index in new, 1); empty if the effort is too small."""
    effort.comparisons -= _LINEAR * (len(old) + len(new))
    if effort.comparisons < 0:
        return []
    # Elements that the other side lacks are changed in any case: leave them out.
    here, there = set(old), set(new)
    places = [n for n, each in enumerate(old) if each in there]
    others = [n for n, each in enumerate(new) if each in here]
    path = _path([old[n] for n in places], [new[n] for n in others], effort)
    return [(places[x], others[y], 1) for x, y in path]


def _path(old: list[Any], new: list[Any], effort: Effort) -> list[tuple[int, int]]:
    """Equal pairs on an edit path from the start of both to their ends, or until the effort runs out.

    The path is shortest up to _WINDOW edits. A longer path continues from the farthest point that _WINDOW
    edits reach, so the time is linear in the lengths.
    """
    share = Effort(effort.comparisons // 2)
    effort.comparisons -= share.comparisons
    pairs: list[tuple[int, int]] = []
    i = j = 0
    while i < len(old) and j < len(new) and share.comparisons > 0:
        x, y, found = _window(old, new, i, j, share)
        pairs += [(i + a, j + b) for a, b in found]
        i, j = i + x, j + y
    effort.comparisons += share.comparisons
    return pairs


def _window(
    old: list[Any], new: list[Any], i: int, j: int, effort: Effort
) -> tuple[int, int, list[tuple[int, int]]]:
    """How far _WINDOW edits reach from (i, j), and the equal pairs on that path."""
    width, height = len(old) - i, len(new) - j
    reach = [0] * (2 * _WINDOW + 5)  # by diagonal x - y: the largest x
    rounds: list[list[int]] = []
    edits = 0
    while edits <= _WINDOW and effort.comparisons > 0:
        rounds.append(reach[-edits - 1 :] + reach[: edits + 2])
        effort.comparisons -= _ROUND * (edits + 1)
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
            x = start = reach[k + 1] if down else reach[k - 1] + 1
            while x < width and x - k < height and old[i + x] == new[j + x - k]:
                x += 1
            effort.comparisons -= x - start
            reach[k] = x
            if x >= width and x - k >= height:
                return x, x - k, _traced(rounds, x, x - k)
        edits += 1
    last = edits - 1
    ends = [(reach[k], reach[k] - k) for k in range(-last, last + 1, 2)]
    x, y = max((end for end in ends if end[0] <= width and end[1] <= height), key=sum)
    return x, y, _traced(rounds, x, y)


def _traced(rounds: list[list[int]], x: int, y: int) -> list[tuple[int, int]]:
    """The equal pairs on the path that ends at (x, y), traced back to the start."""
    pairs: list[tuple[int, int]] = []
    for edits in reversed(range(len(rounds))):
        reach, middle, k = rounds[edits], edits + 1, x - y
        down = k == -edits or (k != edits and reach[middle + k - 1] < reach[middle + k + 1])
        k += 1 if down else -1
        before, before_y = (reach[middle + k], reach[middle + k] - k) if edits else (0, 0)
        while x > before and y > before_y:
            x, y = x - 1, y - 1
            pairs.append((x, y))
        x, y = before, before_y
    return pairs[::-1]
