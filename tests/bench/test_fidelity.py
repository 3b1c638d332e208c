"""Scores of fields, on examples counted by hand; a mark that matches nothing is an error."""

from pathlib import Path

import pytest

from bench.fidelity import read_ours, tally
from bench.peers import iso
from bench.scoring import Tally, add, body_f1, common_subsequence, judge
from bench.truth import Truth, goldens, marked, squeeze
from tests.support.goldens import FIXTURES

PAGE = """<html><body><div id="text"><p>　　甲乙丙丁<b>戊</b></p><img src="a.jpg">
<p>图说</p>责任编辑：庚<p>（记者 己）</p></div></body></html>"""
MARKS = """
[[page]]
file = "page.html"
kind = "news"
url = "http://example.invalid/x/page.html"
title = "题"
published = "2020-10-04T20:30"
authors = ["己"]
tags = []
accept.authors = [["己", "辛"]]
body = "//div[@id='text']"
not_body = [".//p[.='图说']", "./text()[contains(.,'责任编辑')]"]
optional = ["./p[last()]"]
images = ".//img/@src"
chars = 10
"""


@pytest.fixture
def truth(tmp_path: Path) -> Truth:
    (tmp_path / "page.html").write_text(PAGE, encoding="utf-8")
    (tmp_path / "truth.toml").write_text(MARKS, encoding="utf-8")
    return marked(tmp_path / "truth.toml", tmp_path)[0]


@pytest.mark.parametrize(
    "a, b, length",
    [
        ("甲乙丙丁", "甲乙丙丁", 4),
        ("甲乙丙丁", "甲丙乙丁", 3),
        ("甲甲乙", "乙甲甲", 2),
        ("甲乙" * 100, "乙" * 300, 100),
        ("甲", "乙", 0),
        ("", "甲", 0),
    ],
)
def test_longest_common_subsequence(a: str, b: str, length: int) -> None:
    assert common_subsequence(a, b) == common_subsequence(b, a) == length


@pytest.mark.parametrize(
    "found, true, f1",
    [
        ("甲 乙\n丙", "甲乙　丙", 1.0),  # spaces do not count
        ("甲乙", "甲乙丙丁", 2 * 2 / 6),  # a part is missing
        ("甲乙丙丁戊己", "甲乙丙", 2 * 3 / 9),  # an extra part
        ("丙丁甲乙", "甲乙丙丁", 2 * 2 / 8),  # in the wrong order
        ("", "甲", 0.0),
    ],
)
def test_body_f1(found: str, true: str, f1: float) -> None:
    assert body_f1(found, true) == pytest.approx(f1)


@pytest.mark.parametrize(
    "name, found, right, verdict",
    [
        ("title", "甲 乙", ["甲乙"], True),
        ("title", "甲乙_某网", ["甲乙"], False),
        ("title", None, ["甲乙"], False),
        ("published_at", "2020-10-04T20:30:15", ["2020-10-04T20:30"], True),
        ("published_at", "2020-10-04", ["2020-10-04T20:30"], False),
        ("day", "2020-10-04", ["2020-10-04T20:30"], True),
        ("authors", ["乙", "甲"], [["甲", "乙"]], True),
        ("authors", ["甲"], [["甲", "乙"], ["甲"]], True),
        ("authors", [], [["甲"]], False),
        ("images", ["http://a/1", "http://a/2"], [["https://a/1", "https://a/2"]], True),
        ("images", ["http://a/2", "http://a/1"], [["https://a/1", "https://a/2"]], False),
        # The page has none: no value is not scored, a value is wrong, an accepted value is ignored.
        ("source", "", [""], None),
        ("source", "某网", [""], False),
        ("source", "某网", ["", "某网"], None),
        ("tags", [], [[]], None),
    ],
)
def test_judge(name: str, found: object, right: list[object], verdict: bool | None) -> None:
    assert judge(name, found, right) is verdict


@pytest.mark.parametrize(
    "value, there",
    [
        ("2020年10月4日 20:30", "2020-10-04T20:30"),
        ("2020-10-04 20:30:15", "2020-10-04T20:30:15"),
        ("2020-10-04T12:30:15Z", "2020-10-04T20:30:15"),
        ("2020/10/4", "2020-10-04"),
        (None, ""),
    ],
)
def test_times_of_others_in_china(value: str | None, there: str) -> None:
    assert iso(value) == there


def test_marks_give_the_body_from_the_pages_bytes(truth: Truth) -> None:
    assert truth.bodies == ["甲乙丙丁戊\n（记者 己）", "甲乙丙丁戊"]
    assert truth.fields["images"] == [["http://example.invalid/x/a.jpg"]]
    assert truth.fields["authors"] == [["己"], ["己", "辛"]]
    assert "source" not in truth.fields


@pytest.mark.parametrize(
    "was, now",
    [("chars = 10", "chars = 11"), (".='图说'", ".='图释'"), ("@id='text'", "@id='txt'")],
)
def test_mark_that_slips_is_an_error(tmp_path: Path, was: str, now: str) -> None:
    (tmp_path / "page.html").write_text(PAGE, encoding="utf-8")
    (tmp_path / "truth.toml").write_text(MARKS.replace(was, now), encoding="utf-8")
    with pytest.raises(ValueError, match=r"page\.html"):
        marked(tmp_path / "truth.toml", tmp_path)


def test_fields_not_offered_are_not_scored(truth: Truth) -> None:
    result = Tally()
    add(result, truth, {"title": "题", "authors": [], "tags": [], "body": "甲乙丙丁戊"})
    assert result.counts == {"title": [1, 1], "authors": [0, 1]}
    assert result.bodies == [1.0]
    assert result.rate("images") is None
    assert result.wrong == {"page.html": ["authors: [] for ['己']"]}


def test_every_fixture_is_right() -> None:
    truths = goldens(FIXTURES)
    ours = tally(truths, list(read_ours(truths)))
    assert ours.wrong == {}
    assert ours.body == 1


def test_characters_of_no_width_are_left_out() -> None:
    assert squeeze("甲\u200b乙\u3000\ufeff丙\n") == "甲乙丙"
