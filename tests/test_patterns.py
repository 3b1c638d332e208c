"""Each regular expression of the package takes linear time: by construction, if a match can go only few ways from
a position; otherwise on inputs that repeat its own pieces.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.support import timing
from tests.support.patterns import is_bounded, patterns, pumps

# Characters. A quadratic pattern takes 14 ms and more for the first number, most linear ones 1 ms.
SHORT, TIMES = 16_000, 4
SUSPECT, HOPELESS = 0.010, 0.25  # CPU seconds for SHORT
# A text of TIMES the length against TIMES the short text: 1 if linear, 4 if quadratic. So both measurements
# are long enough for CPU clocks that tick every 4 ms.
GROWTH, CERTAIN, ATTEMPTS = 2, 3, 6
# First quick measurements by a finer clock. Quadratic patterns take 0.055 ms and more for MANY.
MANY, HARMLESS = 1_000, 0.00005
# A text of EIGHT times the length against the short one: 8 if linear, 64 if quadratic. A repeat up to a limit
# looks quadratic until the text is long enough.
GLANCES, EIGHT, SURE = (125, 500), 8, 14
MOST_SECONDS = 2  # CPU seconds: what takes longer hangs

KNOWN = {pattern: where for where, pattern in patterns()}


def is_linear(use: Callable[[Any], object], make: Callable[[int], Any]) -> bool:
    if looks_linear(use, make):
        return True
    short, long = make(SHORT), make(TIMES * SHORT)
    if (taken := timing.seconds(use, short, most=HOPELESS)) < SUSPECT:
        return True
    if taken > HOPELESS and timing.seconds(use, short, most=HOPELESS) > HOPELESS:
        return False

    def repeat(text: Any) -> None:
        for _ in range(TIMES):
            use(text)

    less = more = math.inf
    for attempt in range(ATTEMPTS):  # a page fault or a collection may fall into one measurement
        less = min(less, timing.seconds(repeat, short, most=MOST_SECONDS))
        more = min(more, timing.seconds(use, long, most=MOST_SECONDS))
        if more > MOST_SECONDS and less < MOST_SECONDS:
            return False
        if more < GROWTH * less:
            return True
        if attempt and more > CERTAIN * less:
            return False
    return False


def looks_linear(use: Callable[[Any], object], make: Callable[[int], Any]) -> bool:
    if (taken := timing.glance(use, make(MANY), most=HOPELESS)) < HARMLESS:
        return True
    return taken <= HOPELESS and any(grows_little(use, make, few) for few in GLANCES)


def grows_little(use: Callable[[Any], object], make: Callable[[int], Any], few: int) -> bool:
    """Whether a longer text takes little longer. Another process may run during a measurement, so each is repeated."""
    short, long = make(few), make(EIGHT * few)
    less = min(timing.glance(use, short, most=HOPELESS) for _ in range(3))
    return any(timing.glance(use, long, most=HOPELESS) < SURE * less for _ in range(3))


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
    assert is_bounded(pattern) or hardest(pattern, KNOWN[pattern]) is None


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
    compiled = re.compile(pattern, re.DOTALL)
    assert not is_bounded(compiled)
    assert hardest(compiled) is not None


@pytest.mark.parametrize(
    ("pattern", "bounded"),
    [
        (r"", True), (r"记者", True), (r"记者\s?[:：]?", True), (r"\d{1,4}年\d{1,2}月", True), (r"(?:见习|驻){0,3}记者", True),
        (r"(?=\d{4})(?:a|b|c)", True), (r"\d{8}", True), (r"\s*", False), (r"(?:a+)?", False), (r"(?:x|a*)b", False),
        (r"(?=a*b)", False), (r"(?:a?b?){1,40}", False), (r"(?:a{0,9}){0,9}", False), (r"[^>]{0,2000}>", False),
        (r"(a)?(?(1)b*|c)", False), (r"(?>a*)b", False), (r"a++", False),
    ],
)  # fmt: skip
def test_what_is_linear_by_construction(pattern: str, bounded: bool) -> None:
    assert is_bounded(re.compile(pattern)) is bounded
