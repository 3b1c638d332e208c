"""A Redis, and workers on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.servers import RedisServer
from tests.support.crawling import QUICK, Running, ended, start_scrapy
from tests.support.pages import COLUMN
from tests.support.site import SiteProxy

Worker = Callable[..., Running]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def worker(
    redis: RedisServer, site: SiteProxy, mongodb_uri: str, database: str, tmp_path: Path
) -> Iterator[Worker]:
    """`worker(1, DOWNLOAD_DELAY=1)`: a worker on `COLUMN` with a folder of its own, not waited for."""
    running: list[Running] = []

    def begin(
        number: int, *arguments: str, uri: str = mongodb_uri, url: str = COLUMN, **settings: object
    ) -> Running:
        given = (f"-s{name}={value}" for name, value in settings.items())
        process = start_scrapy(
            "crawl", "column", "-a", f"url={url}", *arguments,
            site=site, data=tmp_path / f"worker{number}", uri=uri, database=database,
            settings=(*QUICK, "-s", f"REDIS_URL={redis.url}", *given),
        )  # fmt: skip
        running.append(process)
        return process

    yield begin
    for process in running:
        if process.poll() is None:
            process.kill()
            process.communicate()


def end(*workers: Running, status: int = 0) -> list[str]:
    """Waits for workers that must end by themselves; what each said on stderr."""
    said = []
    for each in workers:
        _, err = ended(each, 90)
        assert each.returncode == status, err
        said.append(err)
    return said
