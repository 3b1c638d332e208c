"""Worlds of articles that are published, edited, taken down and restored: each event is an entry, once."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from pymongo.database import Database

from tests.feeds.conftest import ReadFeed
from tests.search.conftest import Put, article
from zjolcrawl.feeds.entries import entries, entry_id
from zjolcrawl.feeds.feed import Feed, Page
from zjolcrawl.items import Article, Outcome, Unchanged
from zjolcrawl.storage.queries.selection import Selection

START = datetime(2024, 1, 1, 3, 4, 5, tzinfo=timezone.utc)
CONTENTS = ("荷花开了", "荷花谢了", "荷花又开了")
Happened = tuple[str, datetime, str]
"""What, when, and the URL."""


@dataclass
class World:
    """Articles on the site, and the events that a visitor sees."""

    chance: random.Random
    state: dict[int, str | None] = field(default_factory=dict)
    seen: dict[int, str] = field(default_factory=dict)
    events: list[Happened] = field(default_factory=list)

    def visits(self, day: int) -> Iterable[Article | Outcome | Unchanged]:
        """A day: some articles change, each is visited."""
        for number in self.chance.sample(range(12), 6):
            at = START + timedelta(days=day, seconds=number)
            content = self.chance.choice((*CONTENTS, None, self.seen.get(number)))
            if content is None and number not in self.seen:
                continue
            yield self._visit(number, at, content)

    def _visit(self, number: int, at: datetime, content: str | None) -> Article | Outcome:
        made = article(
            number, f"标题 {number}", content or "", seen_at=at, tags=[f"标签{number % 3}"]
        )
        was = self.state.get(number)
        self.state[number] = content
        if content is None:
            if was is not None:
                self.events.append(("gone", at, made.url))
            return Outcome(made.url, "gone", "HTTP 404", seen_at=at)
        if number in self.seen and was is None:
            self.events.append(("returned", at, made.url))
        if self.seen.get(number) != content:
            kind = "edited" if number in self.seen else "new"
            self.events.append((kind, at, made.url))
        self.seen[number] = content
        return made


def happened(found: list[Page]) -> list[Happened]:
    return [(each.kind, each.at, each.url) for page in found for each in page.events]


@pytest.mark.parametrize("seed", range(2))
def test_one_who_polls_gets_each_event_once(seed: int, put: Put, pages: ReadFeed) -> None:
    world = World(random.Random(seed))
    feeds = {
        "search": {"new", "edited", "gone", "returned"}, "changes": {"edited", "gone", "returned"},
        "edited": {"edited"}, "gone": {"gone", "returned"},
    }  # fmt: skip
    polled: dict[str, dict[str, Happened]] = {name: {} for name in feeds}
    for day in range(12):
        put(*world.visits(day))
        for name, known in polled.items():
            for event in (event for page in pages(Feed(name)) for event in page.events):
                told = (event.kind, event.at, event.url)
                assert known.setdefault(entry_id(event), told) == told
    for name, kinds in feeds.items():
        wanted = [each for each in world.events if each[0] in kinds]
        assert len(wanted) > 5
        assert sorted(polled[name].values()) == sorted(wanted)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("q", ["", "荷花"])
def test_pages_of_any_size_have_the_same_entries_in_order(
    seed: int, q: str, put: Put, pages: ReadFeed
) -> None:
    world = World(random.Random(seed))
    for day in range(10):
        put(*world.visits(day))
    every = happened(pages(Feed()))
    assert [each[1] for each in every] == sorted((each[1] for each in every), reverse=True)
    for name, kinds in {
        "search": {"new", "edited", "gone", "returned"}, "changes": {"edited", "gone", "returned"},
        "edited": {"edited"}, "gone": {"gone", "returned"},
    }.items():  # fmt: skip
        wanted = [each for each in every if each[0] in kinds]
        for size in (1, 3, 7, 50):
            assert happened(pages(Feed(name, q=q), size)) == wanted, (name, size)


def test_filters_choose_the_articles(put: Put, pages: ReadFeed, db: Database[Any]) -> None:
    world = World(random.Random(7))
    for day in range(10):
        put(*world.visits(day))
    every = happened(pages(Feed()))
    tagged = set(db.articles.distinct("_id", {"tags": "标签1"}))
    selection = Selection(tags=("标签1",))
    assert happened(pages(Feed(selection=selection), 4)) == [e for e in every if e[2] in tagged]
    assert happened(pages(Feed(selection=selection, q="荷花"), 4)) == [
        e for e in every if e[2] in tagged
    ]
    since = (START + timedelta(days=5)).date()
    edits = happened(pages(Feed(selection=Selection(changed_since=since)), 4))
    assert edits
    newest = set(
        db.articles.distinct(
            "_id", {"changed_at": {"$gte": START + timedelta(days=5) - timedelta(hours=12)}}
        )
    )
    assert all(
        kind == "edited" and url in newest and at.date() >= since - timedelta(days=1)
        for kind, at, url in edits
    )
    # Also of articles that are back: a subscriber is told of the return.
    taken_down = [e for e in every if e[0] in {"gone", "returned"}]
    assert {e[0] for e in taken_down} == {"gone", "returned"}
    for q in ("", "荷花"):
        feed = Feed(selection=Selection(gone=True, gone_since=date(2000, 1, 1)), q=q)
        assert happened(pages(feed, 4)) == taken_down
    assert happened(pages(Feed("edited", Selection(gone=True)))) == []


def test_ids_stay_when_an_older_capture_is_imported(
    put: Put, pages: ReadFeed, db: Database[Any]
) -> None:
    at = [START + timedelta(days=n) for n in range(4)]
    url = article(1, "标题", "甲").url
    put(article(1, "标题", "甲", seen_at=at[1]))
    put(article(1, "标题", "乙", seen_at=at[2]))
    put(Outcome(url, "gone", "HTTP 404", seen_at=at[3]))
    before = {entry_id(e): e.kind for page in pages(Feed()) for e in page.events}
    assert [*before.values()] == ["gone", "edited", "new"]
    put(article(1, "标题", "更早", seen_at=at[0]))
    after = {entry_id(e): e.kind for page in pages(Feed()) for e in page.events}
    assert db.articles.find_one({"_id": url}, {"revision": 1}) == {"_id": url, "revision": 3}
    assert [*after] == [*before, f"{url}#20240101030405"]
    # The version that came first before is an edit of the older one now, under its old id.
    assert [*after.values()] == ["gone", "edited", "edited", "new"]


def test_edit_shows_what_changed_in_each_version(put: Put, pages: ReadFeed) -> None:
    texts = (
        "市政府成立了7组督导组。会议开始。",
        "市政府成立了9个督导组。会议开始。",
        "市政府成立了9个督导组。会议结束。",
    )
    for n, text in enumerate(texts):
        put(article(1, "标题", text, seen_at=START + timedelta(days=n)))
    shown = [each.html for each in entries(pages(Feed("edited"))[0])]
    assert "会议<del>开始</del><ins>结束</ins>。" in shown[0]
    assert "督导" not in shown[0]
    assert "<del>7组</del><ins>9个</ins>" in shown[1]
    assert "略去未改的 1 句" in shown[0]


def test_same_millisecond(put: Put, pages: ReadFeed) -> None:
    """Captures of other archives have whole seconds: pages must not repeat or miss one."""
    put(*(article(n, f"标题 {n}", "荷花", seen_at=START) for n in range(30)))
    every = happened(pages(Feed()))
    assert len(set(every)) == 30
    assert happened(pages(Feed(), 4)) == every
