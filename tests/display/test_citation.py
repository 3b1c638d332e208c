"""References are read back by programs that are not ours: pybtex, rispy and a JSON parser."""

from __future__ import annotations

import json
import unicodedata
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import rispy
from hypothesis import given
from hypothesis import strategies as st
from pybtex.database import parse_string

from zjolcrawl.display.citation import FORMATS, citation

URL = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml"
PAPER = "http://zjrb.zjol.com.cn/html/2017-08/12/content_3073421.htm"
SHA = "ab" * 32
NASTY = [
    "百分之50%与a_b、#1 & $5 ~ ^ \\ {左}", "}", "{", "{{{", "\\", "%", '引号" 与 "引号', "A and B", "@misc{x,", "x}\n@misc{y",
    "一行\nTY  - BOOK\r\nER  - ", "\0\x07\x1b[31m红", "\ud800", "\ufffe末", "甲\u2028乙\x85丙", "]]></x><script>", "=1+1",
    "长" * 5000, "\u202e倒", "~" * 30, "\\textbackslash{}", "https://x/%7B?a_b=1#c",
]  # fmt: skip


def version(**changes: Any) -> dict[str, Any]:
    made = {
        "_id": URL, "site": "zjnews.zjol.com.cn", "doc_id": "4774532", "site_name": "浙江新闻", "title": "全力保障督察",
        "authors": [{"name": "江帆", "role": "记者"}, {"name": "金晨", "role": "通讯员"}], "source": "浙江在线",
        "published_at": datetime(2017, 8, 11, 17, tzinfo=timezone.utc),
        "changed_at": datetime(2017, 8, 12, 16, 45, 12, 500_000, tzinfo=timezone.utc), "content_sha256": SHA,
    }  # fmt: skip
    return {name: value for name, value in {**made, **changes}.items() if value is not None}


def written(form: str, **changes: Any) -> str:
    return FORMATS[form].write(citation(version(**changes)))


def cleaned(text: str) -> str:
    """What is left of a text in a reference: one line, without characters that no file may have."""
    kept = "".join(
        " " if unicodedata.category(c) in {"Cc", "Cs"} or c in "\ufffe\uffff" else c for c in text
    )
    return " ".join(kept.split())[:500]


def test_gbt_of_a_web_page() -> None:
    note = f"存档版本 2017-08-13 00:45:12（北京时间）, SHA-256: {SHA}.\n"
    assert written("gbt7714-2015") == (
        f"江帆, 金晨. 全力保障督察[EB/OL]. 浙江在线, 2017(2017-08-12)[2017-08-13]. {URL}. {note}"
    )
    assert written("gbt7714-2025") == (
        f"江帆，金晨. 全力保障督察[EB/OL]. 浙江在线（2017-08-12）[2017-08-13]. {URL}. {note}"
    )


def test_gbt_of_a_newspaper() -> None:
    changes = {"_id": PAPER, "source": "浙江日报", "page_number": "01", "page_name": "要闻"}
    assert written("gbt7714-2015", **changes).startswith(
        f"江帆, 金晨. 全力保障督察[N/OL]. 浙江日报, 2017-08-12(01)[2017-08-13]. {PAPER}. 存档版本"
    )
    assert written("gbt7714-2025", **changes).startswith(
        f"江帆，金晨. 全力保障督察[N/OL]. 浙江日报，2017-08-12（01）. {PAPER}. 存档版本"
    )


def test_gbt_without_author_source_or_date_and_with_many_authors() -> None:
    many = [{"name": name, "role": "记者"} for name in ("甲", "乙", "丙", "丁", "甲")]
    assert written("gbt7714-2015", authors=many).startswith("甲, 乙, 丙, 等. 全力")
    assert written("gbt7714-2015", authors=many[:3]).startswith("甲, 乙, 丙. 全力")
    bare = written(
        "gbt7714-2015", authors=None, source=None, site_name=None, site="", published_at=None
    )
    assert bare.startswith(f"全力保障督察[EB/OL]. [2017-08-13]. {URL}.")
    bare = written("gbt7714-2015", source=None, published_at=None)
    assert bare.startswith("江帆, 金晨. 全力保障督察[EB/OL]. 浙江新闻[2017-08-13].")


def test_bibtex_is_read_by_pybtex() -> None:
    text = written("bibtex")
    entry = parse_string(text, "bibtex").entries["zjnews-zjol-com-cn-4774532-20170812164512"]
    assert entry.type == "misc"
    assert [str(each) for each in entry.persons["author"]] == ["{江帆}", "{金晨}"]
    assert entry.fields["title"] == "{全力保障督察}"
    assert {name: entry.fields[name] for name in ("howpublished", "date", "year", "url", "urldate")} == {
        "howpublished": "浙江在线", "date": "2017-08-12", "year": "2017", "url": URL, "urldate": "2017-08-13",
    }  # fmt: skip
    assert SHA in entry.fields["note"]
    (entry,) = parse_string(
        written("bibtex", _id=PAPER, page_number="01"), "bibtex"
    ).entries.values()
    assert (entry.type, entry.fields["journal"], entry.fields["pages"]) == (
        "article",
        "浙江在线",
        "01",
    )


def test_ris_is_read_by_rispy() -> None:
    (row,) = rispy.loads(written("ris"))
    assert {name: row[name] for name in ("type_of_reference", "title", "authors", "secondary_title", "date", "urls")} == {
        "type_of_reference": "ELEC", "title": "全力保障督察", "authors": ["江帆", "金晨"],
        "secondary_title": "浙江在线", "date": "2017/08/12", "urls": [URL],
    }  # fmt: skip
    assert (row["year"], row["access_date"]) == ("2017", "2017/08/13")
    assert SHA in row["notes"][0]
    (row,) = rispy.loads(written("ris", _id=PAPER, page_number="01"))
    assert (row["type_of_reference"], row["start_page"]) == ("NEWS", "01")


def test_csl() -> None:
    (item,) = json.loads(written("csl"))
    assert item["author"] == [{"literal": "江帆"}, {"literal": "金晨"}]
    assert (item["type"], item["URL"]) == ("webpage", URL)
    assert (item["issued"], item["accessed"]) == (
        {"date-parts": [[2017, 8, 12]]},
        {"date-parts": [[2017, 8, 13]]},
    )


@pytest.mark.parametrize("nasty", NASTY, ids=range(len(NASTY)))
def test_nasty_text_is_read_back(nasty: str) -> None:
    read_back(nasty)


@given(st.text())
def test_any_text_is_read_back(nasty: str) -> None:
    read_back(nasty)


def read_back(nasty: str) -> None:
    """A text in all fields comes back as it was, and as nothing else."""
    plain = cleaned(f"甲{nasty}乙")
    changes = {
        "title": f"甲{nasty}乙",
        "source": f"甲{nasty}乙",
        "authors": [{"name": f"甲{nasty}乙", "role": "记者"}],
    }
    (entry,) = parse_string(written("bibtex", **changes), "bibtex").entries.values()
    (author,) = entry.persons["author"]
    for field in (entry.fields["title"], str(author), "{" + entry.fields["howpublished"] + "}"):
        assert field.startswith("{")
        assert untex(field[1:-1]) == plain
    (row,) = rispy.loads(written("ris", **changes))
    assert (row["title"], row["authors"], row["secondary_title"]) == (plain, [plain], plain)
    (item,) = json.loads(written("csl", **changes))
    assert (item["title"], item["author"], item["container-title"]) == (
        plain,
        [{"literal": plain}],
        plain,
    )
    for form in ("gbt7714-2015", "gbt7714-2025"):
        assert written(form, **changes).count("\n") == 1


def untex(text: str) -> str:
    """LaTeX as the characters that it prints: commands with empty arguments, and escaped characters."""
    for command, char in (
        (r"\textasciitilde{}", "~"), (r"\textasciicircum{}", "^"), (r"\textbraceleft{}", "{"),
        (r"\textbraceright{}", "}"), *((f"\\{each}", each) for each in "%_&#$"), (r"\textbackslash{}", "\\"),
    ):  # fmt: skip
        text = text.replace(command, f"\0{ord(char)}\1")
    assert not set(text) & set("\\{}%_&#$~^")
    for each in range(128):
        text = text.replace(f"\0{each}\1", chr(each))
    return text


@pytest.mark.parametrize(
    "url", ["http://a.cn/{x}?a=%d6&b_c=1%", "http://a.cn/中文 空格}", "http://a.cn/\\x<>\"", "javascript:x", "http://a.cn/\ud800"]
)  # fmt: skip
def test_address_is_whole_and_harmless(url: str) -> None:
    (entry,) = parse_string(written("bibtex", _id=url), "bibtex").entries.values()
    found = entry.fields["url"]
    assert not set(found) & set('{}\\<>" ')
    assert found.isascii()
    assert rispy.loads(written("ris", _id=url))[0]["urls"] == [found]


def test_odd_dates_are_cited() -> None:
    last = datetime(9999, 12, 31, 23, tzinfo=timezone.utc)
    first = datetime(1, 1, 1, tzinfo=timezone.utc) + timedelta(days=1)
    for odd in (last, first):
        for form in FORMATS:
            assert written(form, published_at=odd, changed_at=odd)
