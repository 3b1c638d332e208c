"""Workers killed, Redis killed and empty, the primary stepped down, all in one crawl."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

from tests.cluster.conftest import Worker
from tests.cluster.servers import RedisServer, ReplicaSet, needs_redis
from tests.cluster.test_crowd import QUICK, asked, assert_whole, until
from tests.support.crawling import Running, ended
from tests.support.pages import DAY, serve_column
from tests.support.site import SiteProxy

pytestmark = needs_redis


def test_nothing_is_lost_and_nothing_is_there_twice(
    site: SiteProxy, worker: Worker, redis: RedisServer, database: str, tmp_path: Path
) -> None:
    idents = list(range(4774001, 4774201))
    serve_column(
        site, [[(DAY, each) for each in idents[n : n + 20]] for n in range(0, len(idents), 20)]
    )
    site.delay = 0.4
    chance = random.Random(time.time_ns())

    with ReplicaSet(tmp_path / "rs") as mongodb, mongodb.client() as client:
        db = client[database]

        def begin(number: int) -> Running:
            return worker(number, uri=mongodb.uri, **QUICK)

        workers = {number: begin(number) for number in range(3)}

        def kill() -> None:
            number = chance.choice(sorted(workers))
            workers[number].kill()
            workers[number].communicate()
            workers[number] = begin(number)

        def empty() -> None:
            redis.kill()
            redis.start()

        troubles: list[Callable[[], None]] = [kill, kill, empty, mongodb.step_down]
        chance.shuffle(troubles)
        marks = sorted(chance.sample(range(5, 170), len(troubles)))
        for mark, trouble in zip(marks, troubles, strict=True):
            until(db, mark, *workers.values())
            trouble()
        for each in workers.values():
            _, err = ended(each, 60)
            assert each.returncode == 0, err
        folders = [tmp_path / f"worker{number}" for number in range(3)]
        assert_whole(db, idents, *folders)
    assert sum(asked(site).values()) < 2 * len(idents)  # what was done is not done again
