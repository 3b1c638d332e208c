"""docs/scaling.md: its tables match the simulation, its code runs, and its claims hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient

from bench.polite_day import DAY, HOUR, Policy, Sites, simulate
from bench.scaling import CASES, CHINA, PARAMETERS, RECHECK_DAYS, freshness, policy
from tests.support.crawling import ROOT, scrapy
from tests.support.mongod import Mongod
from tests.support.pages import DAY as PUBLISHED
from tests.support.pages import article, serve_column, url_of
from tests.support.plans import listened
from tests.support.questions import QUESTIONS, Question
from tests.support.site import Answer, SiteProxy
from zjolcrawl import settings
from zjolcrawl.site.catalogue import load_catalogue
from zjolcrawl.storage.schema import VALIDATORS

PAGE = ROOT / "docs" / "scaling.md"
SHARDED = {"articles", "frontier"}
# From the page: the query's collection, and the shards that it needs.
ASKS = {
    "Articles of a column in a span of days, newest first": ("articles", "all shards"),
    "All articles of a span of days, newest first": ("articles", "all shards"),
    "Everything by a reporter": ("articles", "all shards"),
    "Everything an editor signed": ("articles", "all shards"),
    "Articles with a tag": ("articles", "all shards"),
    "The tags that stand beside a tag, the most frequent first": ("articles", "all shards"),
    "How many articles a column has on each day in China": ("articles", "all shards"),
    "Articles on a host in a span of days, newest first": ("articles", "all shards"),
    "Articles with images in a span of days, newest first": ("articles", "all shards"),
    "Edited after publication, newest first": ("articles", "all shards"),
    "What an article was before, oldest version first": ("revisions", "primary shard"),
    "Taken down, newest first": ("articles", "all shards"),
    "New or edited since a moment, in that order": ("articles", "all shards"),
    "Articles that show a picture, by its bytes": ("articles", "all shards"),
    "An article by any address that ever led to it": ("articles", "all shards"),
    "What is visited next": ("frontier", "all shards"),
    "What became of the links of a column": ("frontier", "all shards"),
    "The newest pages that gave no article": ("rejects", "primary shard"),
}


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text()


def rows_of(page: str, head: str) -> list[list[str]]:
    """The cells of the table whose first row starts like this."""
    lines = page.split(f"\n| {head}")[1].split("\n\n", maxsplit=1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


# --- the simulation --------------------------------------------------------------------------


@pytest.mark.parametrize("case", [each for each in CASES if each[0] is not CHINA], ids=str)
def test_rows_are_what_the_script_prints(case: tuple[Sites, float, int], page: str) -> None:
    """Rows of 3,000 hosts take five seconds each; `python -m bench.scaling` prints them."""
    sites, hours, runs = case
    row = freshness(*case, simulate(sites, policy(hours), runs))
    assert f"| {' | '.join(row)} |" in page


def test_parameters_are_the_projects_own() -> None:
    assert PARAMETERS["DOWNLOAD_DELAY"][0] == settings.DOWNLOAD_DELAY
    assert PARAMETERS["FULL_SWEEP_DAYS"][0] == settings.FULL_SWEEP_DAYS
    assert settings.RECHECK_DAYS.split(",") == [str(each) for each in RECHECK_DAYS]
    on = [column for column in load_catalogue().values() if column.enabled]
    assert (len(on), len({column.site for column in on})) == (35, 13)


EVEN = tuple(1 / 24 for _ in range(24))
CALM = Policy(
    interval=HOUR, delay=1, latency=0.5, slots=16, pages_a_second=64, recheck_days=(),
    sweep_days=1e9, sweep_pages=0, images=0, hours=EVEN,
)  # fmt: skip


def changed(**values: Any) -> Policy:
    return Policy(**{name: getattr(CALM, name) for name in Policy.__slots__} | values)


def test_where_nothing_is_published_only_lists_are_asked_for() -> None:
    day = simulate(Sites("silent", 5, 3, 0), CALM, runs=1)
    assert +day.requests == {"robots": 5 * 24, "list without news": 5 * 3 * 24}
    assert day.fresh == []


def test_each_article_comes_once_and_is_visited_again() -> None:
    day = simulate(Sites("x", 4, 2, 480), changed(recheck_days=(1, 3, 7, 30)), runs=1)
    articles = day.requests["article"]
    assert 380 < articles < 580
    assert len(day.fresh) + day.unread == pytest.approx(
        articles, abs=60
    )  # except at the ends of the day
    assert day.unread == 0
    assert 3.5 < day.requests["recheck"] / articles < 4.5
    assert day.requests["further list"] == day.requests["list with news"]
    assert all(0 < each <= HOUR + 300 for each in day.fresh)
    assert sum(day.fresh) / len(day.fresh) == pytest.approx(HOUR / 2, rel=0.1)


def test_more_runs_do_not_make_a_host_faster() -> None:
    """1,000 lists in an hour, a second apart: the last is fetched after 1,000 s, not before."""
    for runs in (1, 50):
        day = simulate(Sites("x", 1, 999, 0), CALM, runs)
        assert day.longest_round == pytest.approx(1000, rel=0.05)
        assert max(day.minutes.values()) < 75


def test_each_run_has_its_own_share_of_the_hosts() -> None:
    """300 hosts of 10 lists, 16 slots of half a second: 32 a second, so 3,300 requests take 103 s."""
    sites = Sites("x", 300, 10, 0)
    assert simulate(sites, CALM, runs=1).longest_round == pytest.approx(3300 / 32, rel=0.05)
    assert simulate(sites, CALM, runs=2).longest_round == pytest.approx(3300 / 64, rel=0.05)
    assert simulate(sites, CALM, runs=40).longest_round < 20


def test_a_slow_process_is_slower_than_its_slots() -> None:
    day = simulate(Sites("x", 300, 10, 0), changed(pages_a_second=16), runs=1)
    assert day.longest_round == pytest.approx(3300 / 16, rel=0.05)
    assert sum(day.minutes.values()) == 3300 * 24
    assert len(day.minutes) <= DAY / 60


# --- MongoDB ---------------------------------------------------------------------------------


def shards_asked(collection: str, command: dict[str, Any]) -> str:
    """By the rule of mongos: only a value of the shard key, `_id`, limits the shards."""
    if collection not in SHARDED:
        return "primary shard"
    wanted = command.get("filter") or command["pipeline"][0]["$match"]
    branches = wanted.get("$or", [wanted])
    named = (each.get("_id") for each in branches)
    known = all(isinstance(each, str) or (each and each.keys() == {"$in"}) for each in named)
    return "one shard" if known else "all shards"


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda each: each.title)
def test_each_question_asks_the_shards_that_the_page_says(
    question: Question, mongodb_uri: str, page: str
) -> None:
    rows = {row[0]: (row[1].strip("`"), row[2]) for row in rows_of(page, "question |")}
    with listened(mongodb_uri, f"test_{uuid4().hex[:12]}") as (db, sent):
        question.ask(db)
        collection = sent.command.get("find") or sent.command["aggregate"]
        assert rows[question.title] == (collection, shards_asked(collection, sent.command))
    assert rows.keys() == {each.title for each in QUESTIONS}


def test_shard_keys_are_of_collections_that_are_there(page: str) -> None:
    lines = re.findall(
        r'^sh\.shardCollection\("zjol\.(\w+)", \{_id: "hashed"\}\)$', page, re.MULTILINE
    )
    assert set(lines) == SHARDED <= VALIDATORS.keys()


# --- change streams --------------------------------------------------------------------------


class Enough(Exception):
    """Ends the consumer like a kill: before it has stored its position."""


@pytest.fixture
def replica_set(tmp_path: Path) -> Iterator[str]:
    """The address of a replica set of one member."""
    with Mongod(tmp_path / "mongodb", "--replSet", "rs0") as server, server.client() as client:
        address = server.uri.split("/")[2]
        members = [{"_id": 0, "host": address}]
        client.admin.command("replSetInitiate", {"_id": "rs0", "members": members})
        yield f"mongodb://{address}/?replicaSet=rs0&w=majority&retryWrites=true"


def test_consumer_as_printed_misses_nothing(
    page: str, replica_set: str, site: SiteProxy, tmp_path: Path
) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(block, names)
    place = tmp_path / "place"
    first, second = url_of(1), url_of(2)
    serve_column(site, [[(PUBLISHED, 1), (PUBLISHED, 2)]])

    def crawl(url: str) -> None:
        done = scrapy(
            "crawl", "article", "-a", f"url={url}", site=site, data=tmp_path / "data", uri=replica_set
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def heard(until: int) -> list[tuple[str, int]]:
        """The changes that a consumer gets until it is killed in its call number `until`."""
        heard: list[tuple[str, int]] = []

        def tell(each: dict[str, Any]) -> None:
            heard.append((each["_id"], each["revision"]))
            if len(heard) == until:
                raise Enough

        def consume() -> None:
            with pytest.raises(Enough):
                names["follow"](replica_set, tell, place)

        thread = Thread(target=consume, daemon=True)
        thread.start()
        thread.join(60)
        assert not thread.is_alive(), f"only {heard}"
        return heard

    place.write_text(json.dumps(place_before_everything(replica_set)))
    crawl(first)
    assert heard(1) == [(first, 1)]
    crawl(second)  # while no consumer runs
    assert heard(2) == [(first, 1), (second, 1)]  # the first again: its position was not stored
    site.set(second, Answer(body=article(PUBLISHED, 2, "改过的标题")))
    crawl(second)
    assert heard(2) == [(second, 1), (second, 2)]


def place_before_everything(uri: str) -> Any:
    """The position of a consumer that has not received anything."""
    with (
        MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=30_000) as client,
        client["zjol"]["articles"].watch() as stream,
    ):
        stream.try_next()
        return stream.resume_token
