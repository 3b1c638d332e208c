"""Every benchmark starts, and its results can be written. Nothing is timed here."""

from __future__ import annotations

from importlib import import_module

import pytest

from bench.__main__ import LONG, PARTS, RESULTS, written
from bench.turns import in_turns, ratios, spread, table


@pytest.mark.parametrize("name", PARTS | LONG)
def test_part_can_be_imported_and_has_its_place(name: str) -> None:
    assert import_module(f"bench.{name}")
    text = written(RESULTS.read_text("utf-8"), name, "told\n")
    assert f"<!-- bench.{name} -->\ntold\n<!-- end of bench.{name} -->" in text


def test_results_replace_those_of_their_part_alone() -> None:
    text = "a\n<!-- bench.x -->\nold\n<!-- end of bench.x -->\nb\n"
    assert written(text, "x", r"\1 new" + "\n") == text.replace("old", r"\1 new")
    with pytest.raises(ValueError, match=r"no <!-- bench\.y -->"):
        written(text, "y", "new\n")


def test_contenders_take_turns_and_begin_by_turns() -> None:
    called: list[str] = []
    figures = in_turns(
        {name: lambda name=name: called.append(name) or len(called) for name in "abc"}, 3
    )
    assert "".join(called) == "abcbcacab"
    assert figures == {"a": [1, 6, 8], "b": [2, 4, 9], "c": [3, 5, 7]}


def test_ratios_are_of_the_same_round() -> None:
    assert ratios([1, 4, 9], [1, 2, 3]) == [1, 2, 3]
    assert spread([1, 4, 9], [1, 2, 3]) == "2.00 (1.00–3.00)"


def test_table() -> None:
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
