"""Sequence comparison: correct, nearly minimal, and in bounded time."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zjolcrawl.display.article_diff import changes, pairs
from zjolcrawl.display.diff import Effort, spans

CHANCE = random.Random(18)
HAN = [chr(0x4E00 + n) for n in range(3000)]
SECONDS = 6.0  # of CPU time, for what takes 0.4 s


def line(length: int) -> str:
    return "".join(CHANCE.choices(HAN, k=length))


def edited(text: str, count: int) -> str:
    signs = list(text)
    for place in CHANCE.sample(range(len(signs)), count):
        signs[place] = CHANCE.choice(HAN)
    return "".join(signs)


def kept(old: Sequence[Any], new: Sequence[Any]) -> int:
    """Checks the spans and returns the number of equal elements."""
    i = j = same = 0
    before = None
    for span in spans(old, new, Effort()):
        assert (span.i1, span.j1) == (i, j)
        assert span.equal != before
        i, j, before = span.i2, span.j2, span.equal
        if span.equal:
            assert old[span.i1 : i] == new[span.j1 : j]
            same += i - span.i1
    assert (i, j) == (len(old), len(new))
    return same


def longest(old: Sequence[Any], new: Sequence[Any]) -> int:
    """The length of the longest common subsequence, by dynamic programming."""
    row = [0] * (len(new) + 1)
    for each in old:
        last = row
        row = [0]
        for n, other in enumerate(new):
            row.append(last[n] + 1 if each == other else max(last[n + 1], row[n]))
    return row[-1]


@given(st.text("甲乙丙", max_size=30), st.text("甲乙丙", max_size=30))
def test_as_much_is_kept_as_can_be(old: str, new: str) -> None:
    assert kept(old, new) == longest(old, new)
    assert kept(list(old), list(new)) == longest(old, new)


@given(st.lists(st.sampled_from(["一。", "二。", "三。"])), st.lists(st.sampled_from(["一。", "二。", "三。"])))  # fmt: skip
def test_changes_lead_from_the_old_to_the_new(old: list[str], new: list[str]) -> None:
    found = changes({"body": "".join(old)}, {"body": "".join(new)})
    result: list[str] = []
    at = 0
    for change in found:
        result += old[at : at + change.kept]
        at += change.kept
        assert tuple(old[at : at + len(change.removed)]) == change.removed
        at += len(change.removed)
        result += change.added
    assert result + old[at:] == new


BASE = line(40_000)
LONG: dict[str, tuple[Sequence[Any], Sequence[Any], int]] = {
    # name: old, new, least number of equal elements
    "an edit at each end of a line": (f"甲{BASE}乙", f"丙{BASE}丁", 40_000),
    "a line with 300 edits": (BASE, edited(BASE, 300), 39_600),
    "a line with 1,000 edits": (BASE, edited(BASE, 1000), 38_500),
    "a line that was moved": (BASE, line(100) + BASE[:30_000] + BASE[30_500:], 39_400),
    "another line": (BASE, line(40_000), 0),
    "a line backwards": (BASE, BASE[::-1], 0),
    "equal sentences, one more": (["同。"] * 8000, ["同。"] * 4000 + ["另。"] + ["同。"] * 4000, 8000),
    "equal sentences, every other edited": (["同。"] * 8000, ["同。", "另。"] * 4000, 4000),
    "equal sentences, all edited": (["同。"] * 8000, ["另。"] * 8000, 0),
    "two sentences by turns": (["甲。", "乙。"] * 4000, ["乙。", "乙。", "甲。"] * 2600, 3000),
    "a short period": ("ab" * 50_000, "aab" * 33_000, 5000),
    "a period that is one longer": (("一" * 1000 + "二") * 90, ("一" * 999 + "二") * 90, 89_000),
    "two characters at random": (
        "".join(CHANCE.choices("ab", k=60_000)), "".join(CHANCE.choices("ab", k=60_000)), 5000,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LONG)
def test_long_sequences_take_bounded_time(name: str) -> None:
    old, new, least = LONG[name]
    begun = time.process_time()
    assert kept(old, new) >= least
    assert time.process_time() - begun < SECONDS


def test_many_versions_share_one_effort() -> None:
    versions = [{"title": "题", "body": f"{line(3000)}。" * 10} for _ in range(60)]
    effort = Effort()
    begun = time.process_time()
    for old, new in pairwise(versions):
        for change in changes(old, new, effort):
            pairs(change, effort)
    assert time.process_time() - begun < SECONDS


@pytest.mark.parametrize(
    "body",
    ["。" * 3_000_000, "！）" * 1_000_000, "字" * 5_000_000, "一\n" * 2_000_000, "？\n」" * 1_000_000, ";;;\t" * 500_000],
    ids=range(6),
)  # fmt: skip
def test_what_is_too_long_is_compared_at_its_start(body: str) -> None:
    begun = time.process_time()
    old = {"body": body, "content_sha256": "0"}
    found = changes(old, {"body": body + "完。", "content_sha256": "1"})
    assert [(each.removed, each.added, each.cut) for each in found] == [((), (), True)]
    first, *_, last = changes(old, {"body": "新的开头。\n" + body, "content_sha256": "1"})
    assert first.added[0].startswith("新的开头。")
    assert last.cut
    assert changes(old, {**old}) == []
    assert time.process_time() - begun < SECONDS


def test_long_lists_too() -> None:
    old = {"tags": [f"标签{n}" for n in range(300_000)], "content_sha256": "0"}
    found = changes(old, {"tags": old["tags"][::-1], "content_sha256": "1"})
    assert found[-1].cut
    assert all(len(each.added) <= 5000 for each in found)
