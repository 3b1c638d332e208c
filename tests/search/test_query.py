"""What a query means, and the days that a user types."""

from __future__ import annotations

import pytest

from zjolcrawl.days import parse_day
from zjolcrawl.search.query import QueryError, Term, parse


@pytest.mark.parametrize("text", ["督察 AND 环境", "AND", "督察 NOT 环境", "NOT 环境", "督察 AND title:环境"])  # fmt: skip
def test_operators_of_other_searches_are_refused(text: str) -> None:
    with pytest.raises(QueryError, match="is no operator: a space means and, -WORD means not"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ('"AND"', [[Term("AND")]]), ("title:AND", [[Term("AND", "title")]]), ("and not", [[Term("and")], [Term("not")]]),
        ("R&AND", [[Term("R&AND")]]), ("杭州 OR 宁波 西湖", [[Term("杭州"), Term("宁波")], [Term("西湖")]]),
    ],
)  # fmt: skip
def test_words_that_are_no_operators(text: str, terms: list[list[Term]]) -> None:
    assert parse(text).alternatives == terms


@pytest.mark.parametrize("text", ["2017-08-32", "2017-13-01", "2017-02-29", "2017-00-10", "2018-11-31"])  # fmt: skip
def test_a_day_that_no_calendar_has(text: str) -> None:
    with pytest.raises(ValueError, match="is not a day of the calendar"):
        parse_day(text)


@pytest.mark.parametrize("text", ["2017-8-1", "2017-08", "12.8.2017", "20170812", "", "7d", "2017-08-12T00", "２０１７-08-12"])  # fmt: skip
def test_a_day_in_another_form(text: str) -> None:
    with pytest.raises(ValueError, match="is not a date of the form 2017-08-12"):
        parse_day(text)
