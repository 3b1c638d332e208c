"""A crowd on 3,000 articles: workers killed, Redis killed and empty, the primary stepped down.

python -m bench.cluster_kills [ARTICLES [KILLS [WORKERS]]]

All in one crawl, at random moments (SIGKILL; a killed worker is begun again on its folder, as a
supervisor does). In the end the workers' WARC files are put into one folder. Ends with status 1
unless every article is stored once, every link is `stored` and every `warc` pointer leads from there to
the bytes that were served.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.crawls import begin
from bench.kills import check
from bench.site import build
from tests.cluster.servers import RedisServer, ReplicaSet
from tests.support.site import SiteProxy


def main(articles: int = 3000, kills: int = 5, workers: int = 4) -> int:
    """Print each trouble and the verdict."""
    seed = time.time_ns()
    chance = random.Random(seed)
    print(f"{articles} articles, {workers} workers, {kills} kills, seed {seed}", flush=True)
    with (
        tempfile.TemporaryDirectory() as name,
        ReplicaSet(Path(name) / "rs") as mongodb,
        RedisServer(Path(name) / "redis") as redis,
        mongodb.client() as client,
    ):
        folder, db = Path(name), client["zjol"]
        build(folder / "site", articles)

        def start(number: int) -> subprocess.Popen[str]:
            data = folder / f"data{number}"
            return begin(site.url, mongodb.uri, data, REDIS_URL=redis.url, REDIS_LEASE="5")

        def kill() -> str:
            number = chance.choice([n for n, each in running.items() if each.poll() is None])
            running[number].kill()
            running[number].communicate()
            running[number] = start(number)
            return f"worker {number} killed"

        def empty() -> str:
            redis.kill()
            time.sleep(chance.random() * 3)
            redis.start()
            return "Redis killed and empty"

        def step_down() -> str:
            mongodb.step_down()
            return "primary stepped down"

        with SiteProxy(folder / "site") as site:
            site.delay = 0.3
            running = {number: start(number) for number in range(workers)}
            troubles = [*[kill] * kills, empty, step_down]
            chance.shuffle(troubles)
            # Not at the very end, where a crawl may be over before the trouble comes.
            marks = sorted(chance.sample(range(articles // 50, articles * 9 // 10), len(troubles)))
            for mark, trouble in zip(marks, troubles, strict=True):
                while db.articles.count_documents({}) < mark:
                    time.sleep(0.05)
                print(f"{mark} articles stored: {trouble()}", flush=True)
            bad = 0
            for each in running.values():
                _, err = each.communicate()
                bad += each.returncode != 0
                print(f"exit status {each.returncode}: {err.strip().splitlines()[-1]}")
            asked = sum("/t2017" in url for url in site.urls())
        warc = folder / "warc"
        warc.mkdir()
        for path in sorted(folder.glob("data*/warc/zjol-*")):
            shutil.move(path, warc)
        faults = check(db, warc, folder / "site", articles)
    print(f"{asked} requests for {articles} articles")
    print("\n".join(faults[:20]) or f"whole: {articles} articles once each, all records right")
    return 1 if faults or bad else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
