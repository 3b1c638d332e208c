"""`scrapy health`: findings and exit status."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from pymongo.database import Database

from tests.support.crawling import Crawl, scrapy
from zjolcrawl.display.drift import of_templates
from zjolcrawl.display.findings import Finding, line
from zjolcrawl.display.formatting import moment
from zjolcrawl.display.health import USUAL, HealthFacts, Limits, judge
from zjolcrawl.site.catalogue import load_catalogue
from zjolcrawl.storage.queries.health import DataFolder, data_folder
from zjolcrawl.storage.queries.links import LinkCounts

# Its documents need not fit the validators.
pytestmark = pytest.mark.new_database
CATALOGUE = load_catalogue()
ENABLED = [column.id for column in CATALOGUE.values() if column.enabled]
OFF = next(column.id for column in CATALOGUE.values() if not column.enabled)
NOW = datetime.now(timezone.utc).replace(microsecond=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LIMITS = Limits(48 * HOUR, 60 * DAY, 1e9)
TEMPLATES = {"T1": {"articles": 30, "missing": {"source": 3}}, "generic": {"articles": 10}}


def run(number: int, **more: Any) -> dict[str, Any]:
    """A good run; higher numbers are newer."""
    return {
        "_id": ObjectId(f"{number:024x}"), "arguments": {"spider": "column"},
        "started_at": NOW - 3 * HOUR + number * timedelta(minutes=1), "ended_at": NOW - 2 * HOUR, "seconds": 3600.0,
        "exit_status": 0, "finish_reason": "finished", "counts": {"new": 37, "same": 3},
        "templates": TEMPLATES, **more,
    }  # fmt: skip


def rows() -> list[dict[str, Any]]:
    fresh = {"last_crawled_at": NOW - HOUR, "newest_listed_at": NOW - DAY, "swept_at": NOW - DAY}
    return [{"_id": column, **fresh} for column in ENABLED]


def link(number: int, state: str, **more: Any) -> dict[str, Any]:
    return {"_id": f"http://x/{number}", "state": state, **more}


def judged(section: str, **seen: Any) -> list[tuple[bool, str]]:
    """The findings of a section, from the given facts and defaults."""
    little: dict[str, Any] = {
        "now": NOW, "columns": CATALOGUE.values(), "links": LinkCounts(),
        "folder": DataFolder(5 * 10**9), **seen,
    }  # fmt: skip
    return [(f.bad, f.text) for f in judge(HealthFacts(**little), LIMITS) if f.section == section]


def of_columns(changed: dict[str, dict[str, Any]]) -> list[tuple[bool, str]]:
    known = {row["_id"]: row for row in rows()}
    return judged("columns", rows={**known, **changed})


@pytest.fixture
def well(db: Database[Any]) -> Database[Any]:
    """A healthy archive."""
    db.runs.insert_many([run(1), run(2)])
    db.columns.insert_many(rows())
    db.frontier.insert_many([link(1, "stored"), link(2, "pending", next_visit_at=NOW - HOUR)])
    return db


def test_file_of_another_program_is_named_with_the_next_step(
    well: Database[Any], command: Crawl, tmp_path: Path
) -> None:
    (tmp_path / "warc").mkdir()
    file = tmp_path / "warc" / "a.warc"
    file.write_bytes(b"WARC/1.0\r\n")
    done = command("health")
    assert done.returncode == 0
    (line,) = [each for each in done.stdout.splitlines() if each.startswith("archive ")]
    assert str(file) in line
    assert "zjolcrawl archive import PATH" in line


def test_well(well: Database[Any], command: Crawl, tmp_path: Path) -> None:
    (tmp_path / "warc").mkdir()
    own = f"zjol-20170812000000000-{'0' * 24}-00001.warc.gz"
    (tmp_path / "warc" / own).write_bytes(bytes(2_500_000))
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "written.bson").touch()
    done = command("health")
    assert (done.returncode, done.stderr) == (0, "")
    shown = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "WHEN", done.stdout)
    shown = re.sub(r"\d+\.\d GB", "ROOM", re.sub(r"(?<=2 h )\d+ min ago", "AGO", shown))
    # A line on the server depends on its age.
    assert [line for line in shown.splitlines() if not line.startswith("server ")] == [
        "run        last: WHEN, column, exit 0, finished",
        "run        last good one: WHEN, column (2 h AGO)",
        f"columns    {len(ENABLED)} of {len(ENABLED)} are well",
        "links      1 pending, 1 stored; 1 due now, 0 given up",
        "visits     0 of 80 failed in the last 2 runs (0.0%)",
        "templates  T1 75% (75% before), generic 25% (25% before), of 40 articles",
        "templates  T1 lacks source 10% (10% before)",
        "disk       ROOM free; DATA_DIR holds 2.5 MB: warc 2.5 MB",
        "spool      empty",
        "alarm      none in the last run",
        "well",
    ]
    look_around = {"arguments": {"spider": "discover"}, "templates": {}, "alarms": ["x"]}
    well.runs.insert_one(run(3, **look_around))  # says nothing about the crawls
    told = json.loads(command("health", "--json").stdout)
    assert told["well"] is True
    assert len([each for each in told["findings"] if each["section"] != "server"]) == 10
    by_section = {each["section"]: each for each in told["findings"]}
    assert by_section["links"] == {
        "section": "links", "bad": False, "text": "1 pending, 1 stored; 1 due now, 0 given up",
        "values": {"states": {"pending": 1, "stored": 1}, "due": 1, "gave_up": 0},
    }  # fmt: skip


def test_not_well(well: Database[Any], command: Crawl, tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "20170812-1.bson").write_bytes(bytes(1200))
    well.columns.delete_one({"_id": ENABLED[0]})
    error = {"last_error": "HTTP 500\n again"}
    well.columns.update_one({"_id": ENABLED[1]}, {"$set": error})
    alarms = ["template T1: authors", "column zjxw lists nothing"]
    well.runs.insert_one(run(3, exit_status=1, counts={"new": 10, "failed": 30}, alarms=alarms))
    done = command("health", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    told = json.loads(done.stdout)
    assert told["well"] is False
    assert [(f["section"], f["text"]) for f in told["findings"] if f["bad"]] == [
        ("columns", f"never crawled: {ENABLED[0]}"),
        ("columns", f"{ENABLED[1]}: HTTP 500\n again"),
        ("visits", "30 of 120 failed in the last 3 runs (25.0%)"),
        ("spool", "1.2 kB waiting for the database: 20170812-1.bson"),
        ("alarm", "template T1: authors"),
        ("alarm", "column zjxw lists nothing"),
    ]
    shown = command("health").stdout.splitlines()
    assert f"columns    BAD {ENABLED[1]}: HTTP 500 again" in shown
    assert sum(" BAD " in line for line in shown) == 6
    assert shown[-1] == "not well: 6 findings"


def test_options_set_the_limits(well: Database[Any], command: Crawl) -> None:
    done = command("health", "--max-age", "0.5", "--min-free-gb", "999999", "--silent-days", "0.5")
    assert done.returncode == 1
    bad = [text for text in done.stdout.splitlines() if " BAD " in text]
    for text, start in zip(
        bad,
        ("run        BAD last good one: ", "columns    BAD no success in 30 min 0 s: ", "disk "),
        strict=True,
    ):
        assert text.startswith(start)
    assert f"columns    list nothing new: {ENABLED[0]} (" in done.stdout


def test_empty_database_is_not_well_on_one_screen(command: Crawl, tmp_path: Path) -> None:
    done = command("health")
    assert (done.returncode, done.stderr) == (1, "")
    shown = done.stdout.splitlines()
    assert len(shown) < 24
    names = ", ".join(ENABLED[:8])
    assert shown[:3] == [
        "run        BAD no crawl of columns has ended with exit status 0 yet",
        f"columns    0 of {len(ENABLED)} are well",
        f"columns    BAD never crawled: {names} and {len(ENABLED) - 8} more",
    ]
    assert shown[-1] == "not well: 2 findings"
    assert list(tmp_path.iterdir()) == []  # health creates nothing


def test_unusable(command: Crawl, tmp_path: Path) -> None:
    for arguments in (("--max-age", "soon"), ("--min-free-gb", "nan"), ("x",)):
        done = command("health", *arguments)
        assert (done.returncode, done.stdout) == (2, ""), arguments
    done = scrapy("health", data=tmp_path, uri="mongodb://")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def test_query_that_is_refused_is_one_line(
    well: Database[Any], command: Crawl, mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    """The server answers, but not this query: exit status 1 would mean "not well"."""
    well.drop_collection("runs")
    well.command(
        "create", "runs", viewOn="columns", pipeline=[{"$match": {"$expr": {"$divide": [1, 0]}}}]
    )
    done = command("health")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("zjolcrawl: MongoDB did not answer a query: ")
    assert len(done.stderr.splitlines()) == 1


def test_reading_the_archive_again_is_no_crawl(well: Database[Any], command: Crawl) -> None:
    again = {"arguments": {"spider": "reparse"}, "exit_status": 1, "alarms": ["x"]}
    counts = {"failed": 500}
    well.runs.insert_one(run(3, counts=counts, templates={"T9": {"articles": 50}}, **again))
    single = {"arguments": {"spider": "article", "url": "http://x"}, "ended_at": NOW}
    well.runs.insert_one(run(4, templates={}, **single))
    shown = command("health").stdout
    assert shown.endswith("well\n")
    assert "article url=http://x" in shown
    assert "last good one" in shown
    assert re.search(r"last good one: [\d: -]+, column \(", shown)
    assert "T9" not in shown
    assert "0 of 120 failed in the last 3 runs" in shown


def test_run_without_an_end() -> None:
    open_run = run(2)
    del open_run["ended_at"]
    open_run["alarms"] = ["of the run before"]
    seen = {"runs": [open_run, run(1, alarms=["old"])], "good": run(1)}
    (bad, text), _ = judged("run", **seen)
    assert (bad, text.endswith("column, cut off")) == (True, True)
    (bad, text), _ = judged("run", **seen, live=[open_run["_id"]])
    assert (bad, text.endswith("column, running")) == (False, True)
    assert judged("alarm", **seen) == [(True, "old")]


def test_columns_in_trouble() -> None:
    late = {"_id": ENABLED[0], "last_crawled_at": datetime(2017, 8, 12, 22, tzinfo=timezone.utc)}
    later = {"_id": ENABLED[1], "last_crawled_at": datetime(2017, 8, 11, 9, tzinfo=timezone.utc)}
    assert of_columns({ENABLED[0]: late, ENABLED[1]: later}) == [
        (False, f"{len(ENABLED) - 2} of {len(ENABLED)} are well"),
        (True, f"no success in 2 days: {ENABLED[1]} (since 2017-08-11), "
               f"{ENABLED[0]} (since 2017-08-13)"),
    ]  # fmt: skip
    quiet = {"last_crawled_at": NOW, "newest_listed_at": datetime(2017, 8, 12, tzinfo=timezone.utc)}
    assert of_columns({ENABLED[0]: quiet})[1:] == []  # its list was never read to the end
    assert of_columns({ENABLED[0]: {**quiet, "swept_at": NOW}}) == [
        (False, f"{len(ENABLED) - 1} of {len(ENABLED)} are well"),
        (False, f"list nothing new: {ENABLED[0]} (since 2017-08-12)"),
    ]
    assert of_columns({ENABLED[0]: {"last_crawled_at": NOW, "swept_at": NOW}})[1:] == []


def test_columns_that_no_schedule_crawls() -> None:
    long_ago = {"last_crawled_at": NOW - 90 * DAY}
    assert of_columns({OFF: long_ago, "zj.zjol.com.cn/x/": long_ago})[1:] == []
    failed = {**long_ago, "last_error": "HTTP 404"}
    assert of_columns({OFF: failed, "zj.zjol.com.cn/x/": failed})[1:] == [
        (False, f"not enabled, and failed on their last visit: {OFF}, zj.zjol.com.cn/x/")
    ]


def test_many_errors_keep_to_the_screen() -> None:
    bad = {key: {"last_crawled_at": NOW, "last_error": f"HTTP {key}"} for key in ENABLED}
    shown = of_columns(bad)
    assert len(shown) == 10
    assert shown[-1][1].startswith(f"errors of {ENABLED[8]}, ")
    assert shown[-1][1].endswith(f" and {len(ENABLED) - 16} more")


def test_a_column_with_an_error_is_named_once() -> None:
    """Whether it was never crawled, long ago or today; columns with the same error share a line."""
    rest = len(ENABLED) - 5
    assert of_columns(
        {
            ENABLED[0]: {"last_error": "HTTP 404"},
            ENABLED[1]: {"last_crawled_at": NOW - 90 * DAY, "last_error": "HTTP 404"},
            ENABLED[2]: {"last_crawled_at": NOW, "last_error": "HTTP 404", "last_error_at": NOW},
            ENABLED[3]: {"last_crawled_at": NOW, "last_error": "ConnectionRefusedError"},
            ENABLED[4]: {"last_crawled_at": NOW - 90 * DAY},
        }
    ) == [
        (False, f"{rest} of {len(ENABLED)} are well"),
        (True, f"no success in 2 days: {ENABLED[4]} (since {moment(NOW - 90 * DAY)[:10]})"),
        (True, f"{', '.join(ENABLED[:3])}: HTTP 404 ({moment(NOW)})"),
        (True, f"{ENABLED[3]}: ConnectionRefusedError"),
    ]


def test_links_that_gave_up_are_told(db: Database[Any], command: Crawl) -> None:
    db.frontier.insert_many([
        link(1, "failed"), link(2, "failed"), link(3, "failed", next_visit_at=NOW + DAY),
        link(4, "gone"), link(5, "stored", next_visit_at=NOW - HOUR), link(6, "rejected"),
    ])  # fmt: skip
    shown = command("health").stdout
    assert "3 failed, 1 gone, 1 rejected, 1 stored; 1 due now, 2 given up" in shown


def test_few_visits_have_no_rate() -> None:
    of = [run(1, counts={"failed": 5, "new": 1})]
    assert judged("visits", runs=of) == [(False, "5 of 6 failed in the last 1 run (83.3%)")]
    of = [run(1, counts={"failed": 2, "same": 18})]
    assert judged("visits", runs=of)[0][0] is False
    of = [run(1, counts={"failed": 3, "same": 18})]
    assert judged("visits", runs=of)[0][0] is True


def drift(*runs: dict[str, Any]) -> list[tuple[bool, str]]:
    return [(f.bad, f.text) for f in of_templates(list(runs))]


def test_missing_fields_beside_the_runs_before() -> None:
    newest = {"T1": {"articles": 20, "missing": {"authors": 10, "tags": 20}}}
    small = {"T1": {"articles": 1, "missing": {"authors": 1}}}
    large = {"T1": {"articles": 99, "missing": {"authors": 4, "tags": 99}}}
    assert drift(newest, small, large) == [
        (False, "T1 100% (100% before), of 20 articles"),
        (True, "T1 lacks authors 50% (5% before), tags 100% (99% before)"),
    ]
    assert drift(newest, small)[1][0] is False  # one article is too few to judge
    assert drift(newest) == [
        (False, "T1 100%, of 20 articles"),
        (False, "T1 lacks authors 50%, tags 100%"),
    ]
    assert drift() == [(False, "no run has read an article yet")]


def test_what_fits_no_template() -> None:
    before = {"T1": {"articles": 40, "missing": {}}}
    other = {"T3": {"articles": 40, "missing": {}}}
    none = {"T1": {"articles": 20, "missing": {}}, "generic": {"articles": 20, "missing": {}}}
    assert drift(other, before) == [(False, "T3 100% (0% before), of 40 articles")]
    told = "T1 50% (100% before), generic 50% (0% before), of 40 articles"
    assert drift(none, before) == [(True, told)]
    assert drift(none, none)[0][0] is False


def test_folder(tmp_path: Path) -> None:
    assert data_folder(tmp_path / "not" / "there").free > 0
    for name, size in (("warc/a", 3), ("warc/old/b", 4), ("spool/x.bson", 5), ("spool/y.bson", 0)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(size))
    seen = data_folder(tmp_path)
    assert (seen.archive, seen.spooled, seen.parts) == (7, {"x.bson": 5}, {})
    for name, size in (("images/ab/c.jpg", 900), ("mongodb/db/x.wt", 2000), ("run.lock", 1)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(size))
    seen = data_folder(tmp_path, thorough=True)
    assert seen.parts == {"images": 900, "mongodb": 2000, "other": 1, "spool": 5, "warc": 7}
    ((_, text),) = judged("disk", folder=seen)
    assert text.endswith(
        "; DATA_DIR holds 2.9 kB: mongodb 2.0 kB, images 900 bytes, warc 7 bytes, spool 5 bytes, other 1 byte"
    )
    assert judged("disk", folder=DataFolder(999_999_999))[0][0] is True
    assert judged("disk", folder=DataFolder(10**9))[0][0] is False


def test_bad_is_red_and_one_line() -> None:
    shown = line(Finding("disk", "1.0 GB\nfree", bad=True))
    assert str(shown) == "disk       BAD 1.0 GB free"
    assert [
        str(span.style) for span in shown.spans if str(shown)[span.start : span.end] == "BAD "
    ] == ["bold red"]


@pytest.mark.parametrize(
    ("version", "end"),
    [
        ("6.0.5", "2025-07-31"),
        ("4.4.29", "2024-02-29"),
        ("7.0.28", None),
        ("8.2.1", None),
        ("9.0.0", None),
    ],
)
def test_server_that_gets_no_more_fixes_is_noted(version: str, end: str | None) -> None:
    facts = HealthFacts(
        datetime(2026, 11, 1, tzinfo=timezone.utc),
        [],
        LinkCounts({}, 0, 0),
        DataFolder(10**12),
        server=version,
    )
    noted = [each for each in judge(facts, USUAL) if each.section == "server"]
    assert [each.values["end_of_life"] for each in noted] == [end] * bool(end)
    assert not any(each.bad for each in noted)
