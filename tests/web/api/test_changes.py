"""Changes between versions: operations turn the text before into the text after, for any texts."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.display.test_diff import line
from tests.web.api.test_answers import applied
from zjolcrawl.display.diff import Effort
from zjolcrawl.fields import FIELDS
from zjolcrawl.web.api.changes import changes, operations

TEXT = st.text(st.sampled_from("甲乙丙丁。\n，😀é\u0301\u202e\x00<"), max_size=60)


@given(TEXT, TEXT)
def test_operations_turn_one_text_into_the_other(before: str, after: str) -> None:
    found = operations(before, after, Effort())
    assert applied(before, found) == after
    assert bool(found) == (before != after)
    ends = [each["at"] + len(each["remove"]) for each in found]
    assert all(end < each["at"] for end, each in zip(ends, found[1:], strict=False))
    assert all(each["remove"] or each["insert"] for each in found)


def test_with_no_effort_left_one_operation_replaces_the_rest() -> None:
    before, after = line(40_000), line(40_000)
    effort = Effort(1000)
    found = operations(before, after, effort)
    assert applied(before, found) == after
    assert len(found) == 1


def test_positions_count_characters() -> None:
    assert operations("😀😀甲", "😀😀乙", Effort()) == [{"at": 2, "remove": "甲", "insert": "乙"}]


def test_only_editorial_fields_count_and_images_by_their_address() -> None:
    image = {"ref": "a.jpg", "position": 1, "status": "referenced"}
    old: dict[str, Any] = {
        "title": "甲",
        "images": [image],
        "last_seen_at": 1,
        "kicker": "引题",
        "tags": ["一"],
    }
    new: dict[str, Any] = {
        "title": "甲", "images": [{**image, "status": "stored"}], "last_seen_at": 2, "source": "浙江在线", "tags": ["一", "二"],
    }  # fmt: skip
    assert changes(old, new, Effort()) == [
        {"field": "kicker", "before": "引题", "operations": [{"at": 0, "remove": "引题", "insert": ""}]},
        {"field": "source", "after": "浙江在线", "operations": [{"at": 0, "remove": "", "insert": "浙江在线"}]},
        {"field": "tags", "before": ["一"], "after": ["一", "二"]},
    ]  # fmt: skip
    (changed,) = changes(old, {**old, "images": [{**image, "ref": "b.jpg"}]}, Effort())
    assert (changed["field"], changed["before"][0]["ref"]) == ("images", "a.jpg")


def test_each_editorial_field_is_compared() -> None:
    for field in FIELDS:
        if field.editorial:
            value: Any = [{"ref": "x"}] if field.name == "images" else "甲"
            assert [each["field"] for each in changes({}, {field.name: value}, Effort())] == [
                field.name
            ]


def test_values_of_other_types_have_no_operations() -> None:
    assert changes({"title": 7}, {"title": "甲"}, Effort()) == [
        {"field": "title", "before": 7, "after": "甲"}
    ]
    assert changes({"images": "x"}, {"images": [7]}, Effort())[0]["after"] == [7]
