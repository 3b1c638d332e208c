"""Malformed lines, files and documents: each is reported, and the rest is imported or exported."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bson
import pytest
from bson import Binary, Code, DatetimeMS, Decimal128, MinKey, ObjectId, Regex
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database

from bench.fuzz_exchange import again
from tests.export.made import article
from tests.export.test_import import broken, everything, put, taken
from tests.support.crawling import Crawl

# Its documents need not fit the validators.
pytestmark = pytest.mark.new_database


def within(inner: str, value: str = '"x"') -> str:
    """A valid line except for one value."""
    return broken(mine="x").replace(value, inner)


ODD: list[tuple[str, str]] = [
    (broken(revision=2**31 - 1), "revision 2147483647 is more than 100000"),
    (broken(revision=100_001), "revision 100001 is more than 100000"),
    (broken(revision=2**63), "revision 9223372036854775808 is more than 100000"),
    (broken(revision=-1), "revision is less than 1"),
    (broken(_id={"url": "http://x/", "revision": 2**31 - 1}), "revision 2147483647 is more than"),
    (broken(revision={"$numberDecimal": "1"}), "revision: not of the type int"),
    (broken(published_at="9999-12-31T23:59:59.000Z"), "published_at is not in the years 1990 to 2100"),
    (broken(last_seen_at="9999-12-31T23:59:59.999Z"), "last_seen_at is not in the years"),
    (broken(first_seen_at="0001-01-01T00:00:00.000Z"), "first_seen_at is not in the years"),
    (broken(changed_at="1989-12-31T23:59:59.999Z"), "changed_at is not in the years"),
    (broken(gone_at="2101-01-01T00:00:00.000Z"), "gone_at is not in the years"),
    (broken(published_at={"$date": {"$numberLong": str(2**60)}}), "published_at: not of the type timestamp"),
    (broken(mine={"$numberDecimal": "abc"}), "a value that cannot be read: "),
    (broken(mine={"$numberDecimal": 5}), "a value that cannot be read: "),
    (broken(mine={"$binary": 5}), "a value that cannot be read: "),
    (broken(mine={"$binary": {"base64": "?", "subType": "zz"}}), "a value that cannot be read: "),
    (broken(mine={"$regularExpression": 3}), "a value that cannot be read: "),
    (broken(mine={"$timestamp": {"t": -1, "i": "x"}}), "a value that cannot be read: "),
    (broken(mine={"$code": "x", "$scope": 5}), "a value that cannot be read: "),
    (broken(mine={"$date": "9999-99-99"}), "a value that cannot be read: "),
    (broken(mine={"$dbPointer": {}}), "a value that cannot be read: "),
    (broken(mine={"$numberInt": "1e5"}), "a value that cannot be read: "),
    (broken(mine={"$numberLong": "9" * 5000}), "a value that cannot be read: "),
    (within("9" * 5000), "a value that cannot be read: "),
    (within("-" + "9" * 30), "a document that cannot be stored: "),
    (within("1e400"), "1e400 is not a JSON number"),
    (within("-Infinity"), "-Infinity is not a JSON number"),
    (broken(columns=[f"c{n}" for n in range(300_000)]), "columns has 300000 entries: a list may have 10000"),
    (broken(tags=["x"] * 10_001), "tags has 10001 entries"),
    (broken(images=[{"url": "u", "ref": "r", "position": 1, "status": "stored"}] * 20_000), "images has 20000"),
    (broken(mine=[1] * 1_000_000), "mine has 1000000 entries"),
    (broken()[:-1] + ', "title": "b"}', "title occurs twice in one object"),
    (within('{"a": 1, "b": 2, "a": 3}'), "a occurs twice in one object"),
    (within('{"$ref": "a", "$id": ' * 400 + "1" + "}" * 400), "nested too deeply"),
    (within('{"$code": "a", "$scope": {"x": ' * 150 + "1" + "}}" * 150), "nested too deeply"),
    (within('{"a": ' * 150 + "1" + "}" * 150), "nested too deeply: more than 100 levels"),
    (broken(**{"a\0b": 1}), "a document that cannot be stored: "),
    (broken(**{"\ud800": 1}), "half of a surrogate pair"),
    (broken(tags=["\udfff"]), "half of a surrogate pair"),
    (broken(_id=5), "_id is neither a URL nor"),
    (broken(_id=["http://x/"]), "_id is neither a URL nor"),
    (broken(_id={"$oid": "0" * 24}), "_id is neither a URL nor"),
    (broken(_id={"$code": "http://x/"}), "_id is neither a URL nor"),
    (broken(_id={"url": "http://x/", "revision": 1.0}), "_id is neither a URL nor"),
    (broken(_id="abc"), "_id is not an http address"),
    (broken(_id="javascript:alert(1)"), "_id is not an http address"),
    (broken(_id="http://["), "_id is not an http address"),
    (broken(_id="http://evil.example.com/t20170812_1.shtml"), "_id is not an address of zjol.com.cn"),
    (broken(_id="http://zjol.com.cn.example.com/"), "_id is not an address of zjol.com.cn"),
    (broken(_id="http://zjnews.zjol.com.cn:8080/t.shtml"), "_id is not an address of zjol.com.cn"),
    (broken(_id="http://a/\n\x1b[31m"), "_id is not an http address"),
    (broken(_id="http://zjnews.zjol.com.cn/" + "a" * 9000), "_id has more than 8000 characters"),
    (broken(title={"$code": "x"}), "title: not of the type string"),
    (broken(warc={"file": "x", "offset": -5, "length": 1, "record_id": "x"}), "a WARC record's offset or length"),
    (broken(parser={"template": "T1", "version": 2**31}), "parser.version is no int"),
    ("\x00\x01\x02\x03", "not JSON"),
    ("null", "not a JSON object"),
    ('"' * 1000, "not JSON"),
    ("{" * 100_000, "not JSON"),
    ("[" * 100_000, "nested too deeply"),
    ("x" * 17_000_000, "not JSON"),
]  # fmt: skip


@pytest.mark.parametrize("known", [False, True])
def test_odd_lines_are_named_and_the_rest_is_taken(
    known: bool, db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    if known:  # then the archive's rules apply, in other parts of the code
        assert command("import", put(tmp_path / "k.jsonl", article(9))).returncode == 0
    before = everything(db)
    path = Path(put(tmp_path / "a.jsonl", article(0), article(1)))
    first, second = path.read_bytes().splitlines()
    bad = [each.encode("utf-8", "surrogatepass") for each, _ in ODD]
    path.write_bytes(b"\n".join([first, *bad, second, b""]))
    done = command("import", str(path))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    run = list(db.runs.find().sort("started_at", 1))[-1]
    found = re.findall(r"jsonl:(\d+): (.*)", "\n".join(run["warnings"]))
    told = {int(number): why for number, why in found}
    assert len(told) == len(found)
    for number, (_, why) in enumerate(ODD, 2):
        assert told.pop(number, "").startswith(why), (number, why)
    assert told == {}
    after = everything(db)
    assert after["articles"] == [article(0), article(1), *before["articles"]]
    assert after["revisions"] == []
    assert run["counts"]["unreadable"] + run["counts"]["refused"] == len(ODD)


def test_what_the_server_will_not_have_is_alone_refused(
    db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    """A value that an index of another program refuses, among valid articles: known ones, then new ones."""
    known = [article(n) for n in range(7)]
    assert command("import", put(tmp_path / "a.jsonl", *known)).returncode == 0
    db.articles.create_index([("place", "2dsphere")])
    again_seen = [article(n, columns=["new"]) for n in range(7)]
    again_seen[4]["place"] = {"type": "Point", "coordinates": [1000, "x"]}
    new = [article(n) for n in range(10, 15)]
    new[2]["place"] = again_seen[4]["place"]
    done = command("import", put(tmp_path / "b.jsonl", *again_seen, *new))
    assert done.returncode == 1
    assert sorted(re.findall(r"b.jsonl:(\d+): ", done.stderr)) == ["10", "5"]
    assert "MongoDB is unavailable" not in done.stderr
    # Articles written before the batch was split exist already when a half is written.
    counts = [
        int(number)
        for number in re.findall(r"(\d+) (?:articles?|corrected|unchanged)", taken(done))
    ]
    assert sum(counts) == 10
    assert "2 refused" in taken(done)
    assert db.articles.count_documents({"columns": "new"}) in {6, 7}
    assert db.articles.count_documents({}) == 11


# Files that `scrapy export` did not write: their bytes, made from those of a good file, and the first message.
BOMBS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "zeros.gz": (lambda _: gzip.compress(b"\0" * 210_000_000, 1), "a line of more than"),
    "breaks.gz": (lambda _: gzip.compress(b"\n" * 20_000_000, 1), "not a file of articles"),
    "cut.gz": (lambda good: packed(good)[: len(packed(good)) // 2], "the file breaks off"),
    "damaged.gz": (lambda good: damaged(packed(good)), "the file breaks off"),
    "trailing.gz": (lambda good: packed(good) + b"garbage", "the file breaks off"),
    "a.parquet": (lambda _: b"PAR1" + bytes(range(256)) * 9, "a Parquet file"),
    "a.csv": (lambda _: "\ufeff_id,doc_id,title\r\n".encode() + b"http://x/,1,t\r\n", "not JSON"),
    "utf16.jsonl": (lambda good: good.decode().encode("utf-16"), "not UTF-8 at byte 1"),
    "gbk.jsonl": (
        lambda _: '{"_id": "http://x/", "title": "浙江"}\n'.encode("gbk"),
        "not UTF-8 at byte",
    ),
    "cut.jsonl": (lambda good: good + good[:-40], "not JSON"),
    "binary.jsonl": (lambda _: bytes(range(256)) * 50, "not "),
    "long.jsonl": (lambda _: b'{"_id": "' + b"x" * 101_000_000 + b'"}\n', "a line of more than"),
}


def packed(good: bytes) -> bytes:
    return gzip.compress(good * 50)


def damaged(data: bytes) -> bytes:
    return data[:300] + b"\xff\0\xff" * 9 + data[327:]


@pytest.mark.parametrize("name", BOMBS)
def test_odd_files(name: str, db: Database[Any], command: Crawl, tmp_path: Path) -> None:
    good = Path(put(tmp_path / "good.jsonl", article(0)))
    make, told = BOMBS[name]
    (tmp_path / name).write_bytes(make(good.read_bytes()))
    done = command("import", str(tmp_path / name), put(tmp_path / "b.jsonl", article(1)))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert re.search(rf"{name}:\d+: {told}", done.stderr)
    assert db.articles.find_one({"_id": article(1)["_id"]}) == article(1)


def raw(document: dict[str, Any], mark: bytes, put_in: bytes) -> RawBSONDocument:
    """A document that no driver would write."""
    return RawBSONDocument(bson.encode(document).replace(mark, put_in))


STORED: dict[str, tuple[Any, list[str]]] = {
    # name: document, formats that report a fault
    "a key that is no UTF-8": (raw(article(1, xxxxxx=1), b"xxxxxx", b"a\xed\xa0\x80bc"), ["jsonl"]),
    "a pattern that is no UTF-8": (raw(article(1, m=Regex("xxxxxx")), b"xxxxxx", b"\xff\xffxxxx"), ["jsonl"]),
    "an _id that is no UTF-8": (
        raw(article(1, _id="http://xxxxxx/"), b"xxxxxx", b"\xff\xfe\xfd\xfc\xfb\xfa"), ["jsonl", "csv", "parquet"],
    ),
    "an _id that is a document": (article(1, _id={"a": 1}), ["csv", "parquet"]),
    "an _id that is an ObjectId": (article(1, _id=ObjectId()), ["csv", "parquet"]),
    "a number that is signalling": (article(1, m=Decimal128("sNaN")), ["jsonl"]),
    "what looks like a date": (article(1, m={"$date": "x"}), ["jsonl"]),
    "what looks like a pattern": (article(1, m={"$regex": "a", "$options": "b"}), ["jsonl"]),
    "what looks like nothing": (article(1, m={"$undefined": True}), ["jsonl"]),
    "code for a title": (article(1, title=Code("x", {"y": 1})), ["csv", "parquet"]),
    "images of other types": (article(1, images=[5, None, {"url": 3}]), ["csv", "parquet"]),
    "a revision that is no int": (article(1, revision=1.5), ["csv", "parquet"]),
    "a revision of 62 bits": (article(1, revision=bson.Int64(2**62)), []),
    "a late time": (article(1, published_at=DatetimeMS(2**62)), ["csv", "parquet"]),
    "an early time": (article(1, mine=[DatetimeMS(-(2**62))]), []),
    "odd types": (article(1, m=[MinKey(), Binary(b"\xff", 128), Code("x"), float("nan"), Binary(b"1", 4)]), []),
}  # fmt: skip


@pytest.mark.parametrize("name", STORED)
def test_odd_documents_do_not_break_an_export(
    name: str, db: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    document, told = STORED[name]
    db.command({"insert": "articles", "documents": [article(0), document, article(2)]})
    for form in ("jsonl", "csv", "parquet"):
        done = command("export", "--revisions", str(tmp_path / f"a.{form}"))
        assert "Traceback" not in done.stderr
        assert done.returncode == (1 if form in told else 0), (form, done.stderr)
        assert len(done.stderr.splitlines()) > 1 or form not in told
    found = [json.loads(each)["_id"] for each in (tmp_path / "a.jsonl").read_bytes().splitlines()]
    assert len(found) == 3
    assert {article(0)["_id"], article(2)["_id"]} <= {str(each) for each in found}


def test_made_documents_go_through_everything() -> None:
    """Runs a hundred documents of bench.fuzz_exchange."""
    became = [again(seed) for seed in range(10_000, 10_120)]
    assert {"taken", "refused", "refused by the validator"} <= set(became)
