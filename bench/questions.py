"""What the questions of README.md cost on a large archive, beside a bare indexed find.

python -m bench.questions [ARTICLES [ROUNDS]]

The bare find answers with as many documents as the question's query, of the same collection and with the
same projection, but in the order of `_id` and by a range of `_id` alone: the least that MongoDB can do to
hand over so many documents. Beside a query that counts (an aggregate) it hands over the documents that are
counted, with the fields that are needed for it: what a client pays that counts by itself. Its range begins
at a place that is chosen once, so that both find the same documents in the cache at each turn. Documents of
one range lie together on the disk while, say, a reporter's lie apart, and that is a part of the ratio.

The two take turns, after one that does not count; each time is that of the whole answer, in the client. The
ratio is that of neighbours, which other work on the machine slows alike.
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
    """A find of `number` documents by a range of `_id`, in the place of a find or an aggregate."""
    collection = db[command.get("find") or command["aggregate"]]
    keys = [each["_id"] for each in collection.find({}, {"_id": 1}).sort("_id", 1)]
    start = rng.randrange(max(1, len(keys) - number))
    span = {"$gte": keys[start], "$lte": keys[start + number - 1]}
    fields = command.get("projection") or dict.fromkeys(_grouped(command["pipeline"]), 1)
    return lambda: list(collection.find({"_id": span}, fields))


def compare(ask: Ask, other: Ask, rounds: int) -> tuple[float, float, float]:
    """Medians: seconds of the one and of the other, and the ratio in a round. Either begins by turns."""
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
    """Print a table: a row for each question."""
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
