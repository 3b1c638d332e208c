"""Each regular expression of the package takes linear time on inputs that repeat its own pieces."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.support import timing
from tests.support.patterns import patterns, pumps

# Characters. A quadratic pattern takes 14 ms and more for the first number, most linear ones 1 ms; if one took
# longer, four times as many characters may take eight times as long, not sixteen. Some CPU clocks
# tick every 4 ms.
SHORT, LONG = 16_000, 64_000
SUSPECT, GROWTH, CERTAIN = 0.010, 8, 12
HOPELESS = 0.25  # most take 1 ms, and no linear one takes 50
# First a quick measurement by a finer clock: quadratic patterns take 0.9 ms and more.
FEW, MANY, HARMLESS = 1_000, 4_000, 0.0005
MOST_SECONDS = 2  # CPU seconds: what takes longer hangs

KNOWN = {pattern: where for where, pattern in patterns()}


def seconds(use: Callable[[Any], object], text: Any) -> float:
    return timing.seconds(use, text, most=MOST_SECONDS)


def is_linear(use: Callable[[Any], object], make: Callable[[int], Any]) -> bool:
    if looks_linear(use, make):
        return True
    short = make(SHORT)
    if (taken := timing.seconds(use, short, most=HOPELESS)) < SUSPECT:
        return True
    if taken > HOPELESS:
        return False
    growths: list[float] = []  # a page fault or a collection may fall into one measurement
    while taken < MOST_SECONDS and len(growths) < 6 and sorted(growths)[1:2] < [CERTAIN]:
        taken, more = min(taken, seconds(use, short)), seconds(use, make(LONG))
        growths.append(more / taken)
        if growths[-1] < GROWTH:
            return True
    return False


def looks_linear(use: Callable[[Any], object], make: Callable[[int], Any]) -> bool:
    many = make(MANY)
    if (taken := timing.glance(use, many, most=MOST_SECONDS)) < HARMLESS:
        return True
    if taken > MOST_SECONDS:
        return False
    few = make(FEW)
    less = min(timing.glance(use, few, most=MOST_SECONDS) for _ in range(3))
    return min(taken, timing.glance(use, many, most=MOST_SECONDS)) < GROWTH * less


def hardest(pattern: re.Pattern[Any], where: str = "") -> tuple[str, str, str, str] | None:
    """A use of the pattern and an input for which it takes too long, or None."""
    uses: dict[str, Callable[[Any], object]] = {"match": pattern.match}
    if not where.startswith(
        "zjolcrawl.parsing.surplus_attributes"
    ):  # where the matched text is skipped
        uses = {
            "fullmatch": pattern.fullmatch,
            "findall": pattern.findall,
        }
    for before, piece, after in pumps(pattern):

        def make(size: int, parts: tuple[str, str, str] = (before, piece, after)) -> Any:
            text = parts[0] + parts[1] * max(1, size // len(parts[1])) + parts[2]
            return text.encode() if isinstance(pattern.pattern, bytes) else text

        for name, use in uses.items():
            if not is_linear(use, make):
                return name, before, piece, after
    return None


@pytest.mark.parametrize("pattern", KNOWN, ids=KNOWN.get)
def test_pattern_is_linear(pattern: re.Pattern[Any]) -> None:
    assert hardest(pattern, KNOWN[pattern]) is None


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?:a+)+b",
        r"(?:见习|驻[\u4e00-\u9fff]{1,4}?)*记者",
        r"\s*(?:>|»)\s*",
        r"<a [^>]*>",
        r"^记者\s*[:：]?\s*[\u4e00-\u9fff]",
        r"\d+人",
        r"<!--(.*?)/x-->",
        r"(\w+\s?)*$",
    ],
)
def test_one_that_is_not_is_found(pattern: str) -> None:
    assert hardest(re.compile(pattern, re.DOTALL)) is not None
