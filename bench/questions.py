"""Measures the example queries of docs/questions.md on a large archive, next to a bare indexed find.

python -m bench.questions [ARTICLES [ROUNDS]]

The bare find returns as many documents as the question's query, from the same collection with the
same projection, but by a range of `_id` in `_id` order: the least work with which MongoDB can
return that many documents. For a query that counts (an aggregate) it returns the counted documents
with the needed fields: the cost of counting in the client. Its range starts at a place chosen once,
so that both find the same documents in the cache each time. Documents of one range are adjacent on
disk, while for example one reporter's are scattered; that is part of the ratio.

The two take turns after an uncounted warm-up; each time covers the whole answer in the client. The
ratio is taken between neighbouring runs, which other load on the machine slows equally.
"""

from __future__ import annotations

import platform
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from tests.support.archives import fill
from tests.support.plans import Sent, explained, listened
from tests.support.questions import QUESTIONS, Question
from zjolcrawl.storage.embedded import EmbeddedServer

Ask = Callable[[], list[dict[str, Any]]]


def bare(db: Database[Any], command: dict[str, Any], number: int, rng: random.Random) -> Ask:
    """A find of `number` documents by a range of `_id`, to replace a find or an aggregate."""
    collection = db[command.get("find") or command["aggregate"]]
    keys = [each["_id"] for each in collection.find({}, {"_id": 1}).sort("_id", 1)]
    start = rng.randrange(max(1, len(keys) - number))
    span = {"$gte": keys[start], "$lte": keys[start + number - 1]}
    fields = command.get("projection") or dict.fromkeys(_grouped(command["pipeline"]), 1)
    return lambda: list(collection.find({"_id": span}, fields))


def compare(ask: Ask, other: Ask, rounds: int) -> tuple[float, float, float]:
    """Median seconds of both and the median ratio per round; they take turns going first."""
    times: dict[Ask, list[float]] = {ask: [], other: []}
    for turn in range(-1, rounds):
        for each in (ask, other) if turn % 2 else (other, ask):
            begun = time.perf_counter()
            each()
            if turn >= 0:
                times[each].append(time.perf_counter() - begun)
    mine, others = times[ask], times[other]
    ratios = [a / b for a, b in zip(mine, others, strict=True)]
    return statistics.median(mine), statistics.median(others), statistics.median(ratios)


def main(articles: int = 100_000, rounds: int = 41) -> None:
    """Print a table with a row per question."""
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as folder, EmbeddedServer.acquire(Path(folder)) as server:
        with MongoClient[dict[str, Any]](server.uri, tz_aware=True) as client:
            fill(client["large"], articles)
            version = client.server_info()["version"]
        print(
            f"{articles} articles, medians of {rounds} rounds, Python {platform.python_version()}, "
            f"MongoDB {version}\n"
        )
        print("| question | documents | ms | bare find, ms | ratio |\n|---|---|---|---|---|")
        for question in QUESTIONS:
            with listened(server.uri, "large") as (db, sent):
                row = _row(question, db, sent, rounds, rng)
            print(row, flush=True)


def _row(question: Question, db: Database[Any], sent: Sent, rounds: int, rng: random.Random) -> str:
    question.ask(db)
    command = sent.command
    number = explained(db, command)[1]["totalKeysExamined"]
    mine, others, ratio = compare(lambda: question.ask(db), bare(db, command, number, rng), rounds)
    return (
        f"| {question.title} | {number:,} | {mine * 1000:.1f} | {others * 1000:.1f} | {ratio:.2f} |"
    )


def _grouped(pipeline: list[dict[str, Any]]) -> set[str]:
    """The fields that an aggregate groups by."""
    group = next(stage["$group"]["_id"] for stage in pipeline if "$group" in stage)
    return set(re.findall(r"'\$([a-z][\w.]*)'(?!:)", repr(group)))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
