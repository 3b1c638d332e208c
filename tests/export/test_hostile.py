"""Texts that could break files, spreadsheets and readers: each is written unchanged or reported."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bson
import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
from bson.raw_bson import RawBSONDocument
from hypothesis import given
from hypothesis import strategies as st
from pymongo.database import Database

from tests.export.made import article
from tests.support.crawling import Crawl
from tests.support.rebuilding import drop
from zjolcrawl.export import csv_rows
from zjolcrawl.export.conform import conform
from zjolcrawl.export.jsonl import dump, load

BODIES = [
    "a\0b", "\0", 'say "hi", \'x\' ""', '"', "一\n二\n\n三", "一\r\n二", "一\r二", "一\u2028二\x85三\x0b\x0c\x1c四",
    "=cmd|'/c calc'!A0", "=HYPERLINK(\"http://x/?\"&A1,\"看\")", "+1", "-1\n", "@SUM(1)", "＝1+1", "－1", "\t=1",
    "\r=1", "\n=1", "'quoted'", "''", "'=1", "\ufeff头", 'a\\"b\\', ",,,", "a|b\\|c", "😀𠮷", "NA", "null", "NaN",
    "", " lead ", "\x1b[31mred", "<script>alert(1)</script>", "1e5", "0012", "TRUE",
]  # fmt: skip
RISKY = "=+-@\t\r\n＝＋－＠"


def of_csv(path: Path) -> list[str]:
    """Rows as Python's csv module reads them."""
    csv.field_size_limit(2**28)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [row["body"].removeprefix("'") for row in csv.DictReader(file)]


def of_duckdb(path: Path) -> list[str]:
    readers = {
        ".jsonl": f"read_json('{path}', format='newline_delimited', sample_size=-1, maximum_object_size=100000000)",
        ".csv": f"read_csv('{path}', header=true, all_varchar=true, delim=',', quote='\"', escape='\"',"
                " max_line_size=100000000)",
        ".parquet": f"read_parquet('{path}')",
    }  # fmt: skip
    found = duckdb.sql(f"SELECT coalesce(body, '') FROM {readers[path.suffix]} ORDER BY _id")
    bodies = [body for (body,) in found.fetchall()]
    return [each.removeprefix("'") for each in bodies] if path.suffix == ".csv" else bodies


READERS: dict[str, list[Callable[[Path], list[str]]]] = {
    "jsonl": [
        lambda path: [json.loads(line)["body"] for line in path.read_bytes().split(b"\n")[:-1]],
        lambda path: pd.read_json(path, lines=True, dtype=False)["body"].tolist(),
        lambda path: pl.read_ndjson(path, infer_schema_length=None)["body"].to_list(),
        of_duckdb,
    ],
    "csv": [
        of_csv,
        lambda path: (
            pd.read_csv(path, dtype=str, keep_default_na=False)["body"].str.removeprefix("'").tolist()
        ),
        lambda path: (
            pl.read_csv(path, infer_schema=False)["body"].fill_null("").str.strip_prefix("'").to_list()
        ),
        of_duckdb,
    ],
    "parquet": [
        lambda path: pq.read_table(path)["body"].to_pylist(),
        lambda path: pd.read_parquet(path)["body"].tolist(),
        lambda path: pl.read_parquet(path)["body"].to_list(),
        of_duckdb,
    ],
}  # fmt: skip


@pytest.mark.parametrize("form", list(READERS))
def test_every_reader_gets_every_body(
    form: str, db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    db.articles.insert_many([article(n, body=body) for n, body in enumerate(BODIES)])
    path = tmp_path / f"a.{form}"
    done = command("export", str(path))
    assert done.returncode == 0, done.stderr
    for read in READERS[form]:
        assert read(path) == BODIES


def test_bodies_come_back(db: Database[Any], command: Crawl, tmp_path: Path) -> None:
    made = [article(n, body=body, title=body or "x") for n, body in enumerate(BODIES)]
    db.articles.insert_many(made)
    command("export", str(tmp_path / "a.jsonl"))
    drop(db)
    done = command("import", str(tmp_path / "a.jsonl"))
    assert done.returncode == 0, done.stderr
    assert list(db.articles.find().sort("_id", 1)) == made


def test_no_cell_is_a_formula(db: Database[Any], command: Crawl, tmp_path: Path) -> None:
    for number, body in enumerate(BODIES):
        text = body or "x"
        people = [{"name": text, "role": text}]
        db.articles.insert_one(
            article(number, title=text, tags=[text], authors=people, source=text)
        )
    assert command("export", str(tmp_path / "a.csv")).returncode == 0
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert len(cells) > len(BODIES) * 50
    assert [cell for cell in cells if cell.startswith(tuple(RISKY))] == []


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_got_back_from_its_cell(text: str) -> None:
    (row, wrong) = conform(article(0, body=text))
    assert wrong == []
    cells = dict(zip(csv_rows.header(), csv_rows.cells(row), strict=True))
    assert cells["body"].removeprefix("'") == text
    assert not cells["body"].startswith(tuple(RISKY))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_any_list_is_got_back_from_its_cell(texts: list[str]) -> None:
    (row, _) = conform(article(0, tags=texts))
    cell = dict(zip(csv_rows.header(), csv_rows.cells(row), strict=True))["tags"]
    found, at = [""], iter(cell.removeprefix("'"))
    for sign in at:
        if sign == "|":
            found.append("")
        else:
            found[-1] += next(at) if sign == "\\" else sign
    assert found == texts


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
        | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner) | st.dictionaries(st.from_regex(r"[a-z]\w{0,5}", fullmatch=True), inner),
        max_leaves=20,
    )
)  # fmt: skip
def test_any_field_is_got_back_from_its_line(value: Any) -> None:
    document = article(0, other=value) if value is not None else {**article(0), "other": None}
    assert load(dump(document)) == document


def test_huge_bodies(db: Database[Any], command: Crawl, tmp_path: Path) -> None:
    huge = ["长" * 3_400_000, "=\n" * 5_000_000]
    made = [article(n, body=body, body_html="<p>x</p>") for n, body in enumerate([*huge, "短"])]
    db.articles.insert_many(made)
    for form, readers in READERS.items():
        path = tmp_path / f"a.{form}"
        assert command("export", str(path)).returncode == 0
        for read in readers:
            assert read(path) == [*huge, "短"]
    drop(db)
    assert command("import", str(tmp_path / "a.jsonl")).returncode == 0
    assert list(db.articles.find().sort("_id", 1)) == made


@pytest.mark.parametrize("form", list(READERS))
def test_what_another_client_stored_is_told(
    form: str, db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    """MongoDB stores lone surrogates, dates after the year 9999, and any type in any field."""
    mark = "x" * 6
    half = bson.encode(article(0, body=mark)).replace(mark.encode(), b"a\xed\xa0\x80bc")
    late = bson.encode({**article(1), "gone_at": bson.DatetimeMS(2**50)})
    odd = article(2)
    odd["images"][0]["width"] = "600"
    db.command(
        {
            "insert": "articles",
            "documents": [RawBSONDocument(half), RawBSONDocument(late), odd, article(3)],
        }
    )
    done = command("export", str(tmp_path / f"a.{form}"))
    assert done.returncode == 1
    told = [line.removeprefix("zjolcrawl: ") for line in done.stderr.splitlines()[:-1]]
    texts = f"{article(0)['_id']}: invalid UTF-8 in a text was replaced with U+FFFD"
    others = [
        f"{article(1)['_id']}: gone_at left out: of another type",
        f"{article(2)['_id']}: images.width left out: of another type",
    ]
    assert told == ([texts] if form == "jsonl" else [texts, *others])
    for read in READERS[form]:
        assert read(tmp_path / f"a.{form}") == [
            "a\ufffd\ufffd\ufffdbc",
            *(article(n)["body"] for n in (1, 2, 3)),
        ]
    if form == "jsonl":
        late_line, odd_line = (tmp_path / "a.jsonl").read_bytes().splitlines()[1:3]
        assert json.loads(late_line)["gone_at"] == {"$date": {"$numberLong": str(2**50)}}
        assert json.loads(odd_line)["images"][0]["width"] == "600"


def test_names_and_keys_with_odd_signs(db: Database[Any], command: Crawl, tmp_path: Path) -> None:
    made = {**article(0), "a.b": 1, "引题": {"$x": 1, "y": {"z$": "…"}}, "": 2}
    db.articles.insert_one(made)
    stored = db.articles.find_one()
    command("export", str(tmp_path / "a.jsonl"))
    drop(db)
    done = command("import", str(tmp_path / "a.jsonl"))
    assert done.returncode == 0, done.stderr
    assert db.articles.find_one() == stored
