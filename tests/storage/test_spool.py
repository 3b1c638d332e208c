"""MongoDB outages during a crawl, and damaged spools: nothing else is lost."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import bson
import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st
from pymongo.database import Database

from tests.support.crawling import Crawl, Running, ended, scrapy, start_scrapy, wait_until
from tests.support.mongod import Mongod
from tests.support.pages import COLUMN, DAY, serve_column
from tests.support.site import SiteProxy
from zjolcrawl.items import ColumnVisit, Outcome, Unchanged
from zjolcrawl.storage.buffer import SPOOLED, ArticleVisit
from zjolcrawl.storage.spool import Damaged, Spool

IDENTS = range(4774001, 4774081)
SETTINGS = ("-s", "MONGODB_BATCH_SECONDS=0.2", "-s", "MONGODB_BATCH_SIZE=10")


@pytest.fixture
def mongod(tmp_path: Path) -> Iterator[Mongod]:
    with Mongod(tmp_path / "mongod") as server:
        yield server


@pytest.fixture
def column(site: SiteProxy) -> SiteProxy:
    """80 articles on two pages, slow enough to act in between.

    The first page is so long that an article is always in progress when MongoDB stops: with nothing to write, a
    run that waits for its next links creates no file in the spool.
    """
    links = [(DAY, ident) for ident in IDENTS]
    serve_column(site, [links[:60], links[60:]])
    site.delay = 0.1
    return site


def begin(site: SiteProxy, data: Path, mongod: Mongod, *more: str) -> Running:
    return start_scrapy(
        "crawl", "column", "-a", f"url={COLUMN}", *SETTINGS, *more,
        site=site, data=data, uri=mongod.hasty_uri, database="zjol",
    )  # fmt: skip


def stored(mongod: Mongod) -> int:
    with mongod.client() as client:
        return client.zjol.articles.count_documents({})


def wait_for_articles(mongod: Mongod, running: Running) -> None:
    """Waits until a quarter of the articles are stored."""
    with mongod.client() as client:
        wait_until(lambda: client.zjol.articles.count_documents({}) >= 20, running)


def files_of(data: Path, running: Running) -> list[Path]:
    """The spool files of a run that has noticed the outage."""
    wait_until(lambda: list((data / "spool").glob("*.bson")), running)
    return list((data / "spool").glob("*.bson"))


def assert_whole(mongod: Mongod) -> None:
    with mongod.client() as client:
        db: Any = client.zjol
        assert db.articles.count_documents({}) == len(IDENTS)
        assert {row["state"] for row in db.frontier.find()} == {"stored"}
        assert {d["revision"] for d in db.articles.find()} == {1}


def test_away_for_a_while_and_back(column: SiteProxy, mongod: Mongod, tmp_path: Path) -> None:
    running = begin(column, tmp_path / "data", mongod)
    wait_for_articles(mongod, running)
    mongod.stop()
    (spool,) = files_of(tmp_path / "data", running)
    mongod.start()
    _, err = ended(running)
    assert running.returncode == 0, err
    assert not spool.exists()
    assert_whole(mongod)


def test_away_to_the_end_and_taken_in_by_the_next_run(
    column: SiteProxy, mongod: Mongod, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    running = begin(column, data, mongod, "-s", "MONGODB_PATIENCE=3")
    wait_for_articles(mongod, running)
    mongod.stop()
    _, err = ended(running)
    assert running.returncode == 1
    assert "must wait for MongoDB in" in err
    mongod.start()
    before = stored(mongod)
    column.delay = 0
    done = scrapy("crawl", "column", "-a", f"url={COLUMN}", site=column, data=data, uri=mongod.uri)
    assert done.returncode == 0, done.stderr
    assert not list((data / "spool").glob("*.bson"))
    assert_whole(mongod)
    with mongod.client() as client:
        ends = [run.get("exit_status") for run in client.zjol.runs.find().sort("$natural", 1)]
        assert ends == [1, 0]  # the end of the first run was in the spool
        taken = client.zjol.runs.find().sort("$natural", -1)[0]["counts"]["taken_in"]
    assert taken > 0
    assert before < len(IDENTS)


def test_away_while_links_that_are_due_are_taken_up(
    column: SiteProxy, mongod: Mongod, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    _, err = ended(begin(column, data, mongod, "-a", "until=2000-01-01"))
    assert "80 links found (80 new); stored 0 new" in err
    running = begin(column, data, mongod)
    wait_for_articles(mongod, running)
    mongod.stop()
    files_of(data, running)
    mongod.start()
    _, err = ended(running)
    assert running.returncode == 0, err
    assert_whole(mongod)


def test_spool_is_read_back_without_its_torn_end(tmp_path: Path) -> None:
    spool = Spool(tmp_path, str(ObjectId()), {"Outcome": Outcome, "Unchanged": Unchanged})
    items = [Outcome("http://a/", "failed", "HTTP 500"), Unchanged("http://b/")]
    assert spool.add(items) == 2
    assert spool.add([Unchanged("http://c/")]) == 1
    (path,) = spool.files()
    assert list(spool.read(path)) == [*items, Unchanged("http://c/")]
    path.write_bytes(path.read_bytes()[:-5])
    assert list(spool.read(path)) == items


# --- damage ---------------------------------------------------------------------------------

SEEN = datetime(2026, 1, 10, tzinfo=timezone.utc)
ITEMS = [
    Outcome(f"http://zjnews.zjol.com.cn/{n}", "gone", "HTTP 404", seen_at=SEEN) for n in range(20)
]


def spooled(folder: Path) -> Path:
    spool = Spool(folder, str(ObjectId()), SPOOLED)
    spool.add(ITEMS[:7])
    spool.add(ITEMS[7:])
    (path,) = spool.files()
    return path


def read(path: Path) -> tuple[list[Any], list[Damaged]]:
    found = list(Spool(path.parent, "x", SPOOLED).read(path))
    whole = [each for each in found if not isinstance(each, Damaged)]
    return whole, [each for each in found if isinstance(each, Damaged)]


@given(data=st.data())
def test_each_byte_costs_one_item_at_the_most(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = spooled(Path(folder))
        raw = bytearray(path.read_bytes())
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] ^= data.draw(st.integers(1, 255))
        path.write_bytes(raw)
        whole, damaged = read(path)
        lost = [item for item in ITEMS if item not in whole]
        assert len(lost) == 1
        assert [item for item in ITEMS if item in whole] == whole  # in order, and nothing else
        assert len(damaged) == 1 or (not damaged and lost == ITEMS[-1:])


@given(data=st.data())
def test_stretch_costs_the_items_that_it_touches(data: st.DataObject) -> None:
    """Zeros, noise, and bytes that are removed or inserted."""
    with tempfile.TemporaryDirectory() as folder:
        path = spooled(Path(folder))
        raw = path.read_bytes()
        size = len(raw) // len(ITEMS)  # all have the same length, give or take a digit
        first = data.draw(st.integers(0, len(raw) - 1))
        last = min(first + data.draw(st.integers(1, 3 * size)), len(raw))
        instead = data.draw(st.one_of(st.binary(max_size=400), st.just(bytes(last - first))))
        path.write_bytes(raw[:first] + instead + raw[last:])
        whole, _ = read(path)
        touched = (last - first) // size + 2
        assert len(whole) >= len(ITEMS) - touched
        assert [item for item in ITEMS if item in whole] == whole


def old(*documents: dict[str, Any]) -> bytes:
    return b"".join(bson.encode(each) for each in documents)


def test_spool_of_a_version_before_is_taken_in(tmp_path: Path) -> None:
    path = tmp_path / "20260101000000-0.bson"
    path.write_bytes(old(*({"kind": "Outcome", "value": dataclasses.asdict(i)} for i in ITEMS)))
    assert read(path) == (ITEMS, [])


UNKNOWN: dict[str, dict[str, Any]] = {
    "kind": {"kind": "Comment", "value": {"url": "http://x/"}},
    "field": {"kind": "Unchanged", "value": {"url": "http://x/", "etag": "1"}},
    "no field": {"kind": "Outcome", "value": {"url": "http://x/"}},
    "no value": {"kind": "Outcome"},
    "value that is none": {"kind": "Outcome", "value": 7},
    "kind that is none": {"kind": "\0", "value": {}},
    "document without a time": {
        "kind": "Sight", "value": {"document": {"_id": "http://x/"}, "row": "http://x/", "validators": {}},
    },
    "document without an address": {
        "kind": "Sight", "value": {"document": {"last_seen_at": SEEN}, "row": "http://x/", "validators": {}},
    },
    "bytes without a checksum": {"kind": "Outcome", "value": b"x"},
}  # fmt: skip


@pytest.mark.parametrize("name", UNKNOWN)
def test_item_of_another_version_is_set_aside(name: str, tmp_path: Path) -> None:
    path = tmp_path / "20260101000000-0.bson"
    values = [{"kind": "Outcome", "value": dataclasses.asdict(item)} for item in ITEMS[:2]]
    path.write_bytes(old(values[0], UNKNOWN[name], values[1]))
    whole, (damaged,) = read(path)
    assert whole == ITEMS[:2]
    assert damaged.reason
    assert damaged.data == old(UNKNOWN[name])


def zeros(path: Path) -> None:
    raw = path.read_bytes()
    middle = len(raw) // 2
    path.write_bytes(raw[:middle] + bytes(100) + raw[middle + 100 :])


def unknown(path: Path) -> None:
    path.write_bytes(old(UNKNOWN["kind"]) + path.read_bytes() + old(UNKNOWN["field"]))


def other_types(path: Path) -> None:
    """Items that can be created, but not stored."""
    visit = dataclasses.asdict(ColumnVisit("zjxw", "http://x/", 0, 3))
    path.write_bytes(
        path.read_bytes()
        + old({"kind": "ColumnVisit", "value": {**visit, "entry": "none", "seen_at": "gestern"}})
        + old({"kind": "RunEnd", "value": {"run_id": 7, "values": []}})
    )


def no_item_at_all(path: Path) -> None:
    path.write_bytes(b"\x89PNG\r\n" * 100 + path.read_bytes())


def empty(path: Path) -> None:
    path.with_name("20250101000000-0.bson").touch()


@pytest.mark.parametrize(
    ("damage", "lost"),
    [(zeros, 2), (unknown, 0), (other_types, 0), (no_item_at_all, 0), (empty, 0)],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_run_takes_in_what_is_whole_and_names_the_rest_once(
    damage: Callable[[Path], None], lost: int, site: SiteProxy, db: Database[Any], crawl: Crawl,
    tmp_path: Path,
) -> None:  # fmt: skip
    serve_column(site, [[(DAY, 4774001)]])
    damage(spooled(tmp_path / "spool"))
    first, second = [crawl("column", url=COLUMN) for _ in range(2)]
    for done in (first, second):
        assert "Traceback" not in done.stderr
        assert "MONGODB_URI" not in done.stderr
    assert db.frontier.count_documents({"state": "gone"}) >= len(ITEMS) - lost
    assert db.articles.count_documents({}) == 1
    assert not list((tmp_path / "spool").glob("*.bson"))
    aside = list((tmp_path / "spool" / "quarantine").glob("*.bson"))
    assert bool(aside) == (damage is not empty)
    assert first.returncode == (0 if damage is empty else 1), first.stderr
    assert second.returncode == 0, second.stderr
    assert all(str(path) in first.stderr for path in aside)


def test_sight_needs_what_a_write_needs() -> None:
    with pytest.raises(TypeError, match="last_seen_at"):
        ArticleVisit({"_id": "http://x/"}, "http://x/", {})
