"""Fixtures and hooks of all tests: one real mongod per session, one fresh database per test."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from bson import CodecOptions
from hypothesis import settings
from pymongo import MongoClient
from pymongo.database import Database

from tests.support.archives import fill
from tests.support.crawling import ROOT, Begin, Crawl, Running, environment, scrapy, start_scrapy
from tests.support.databases import Databases
from tests.support.goldens import FOLDERS
from tests.support.in_turn import InTurn
from tests.support.pages import HOST
from tests.support.site import Answer, SiteProxy
from zjolcrawl.storage.embedded import EmbeddedServer

# By default the examples are the same in each run; `--hypothesis-profile=long` tries thousands of new ones.
settings.register_profile(
    "ordinary", max_examples=60, derandomize=True, deadline=None, database=None
)
settings.register_profile("long", max_examples=3000, deadline=None, database=None)
settings.load_profile("ordinary")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Pytest's hook: the option of `make test-fast`."""
    parser.addoption(
        "--quick", action="store_true", help="leave out tests marked slow, browser or kill"
    )


# Where Linux keeps files in memory, and how many bytes must be free there. A run of all tests needs up to 5 GB;
# TMPDIR says where else its files should be.
_MEMORY, _ENOUGH = Path("/dev/shm"), 10 * 1024**3


def pytest_configure(config: pytest.Config) -> None:
    """Pytest's hook: `--quick` is a choice of marks; files of tests are in memory if they have room there.

    That takes a tenth less time, and a process that is killed leaves the same there as on a disk.
    """
    if config.getoption("quick"):
        config.option.markexpr = "not (slow or browser or kill)"
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ENOUGH:
        os.environ.setdefault("TMPDIR", str(_MEMORY))
        tempfile.tempdir = None  # it may have been asked for before


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """pytest-xdist's hook: two workers more than there are cores, because many tests wait for processes.

    Quick ones do not, and each worker collects the tests and starts a database.
    """
    cores = os.cpu_count() or 1
    return cores if config.getoption("quick") else cores + 2


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """pytest-xdist's hook: which process runs which tests."""
    from tests.support.together import ByArchive  # without xdist there is none to inherit from

    return ByArchive(config, log)


# The longest tests start first, so that no worker is left alone with one at the end.
_LONGEST = (
    "tests/spiders/test_crowd.py", "tests/test_patterns.py", "tests/storage/test_poison.py", "tests/web/test_costly.py",
    "tests/parsing/test_bounds.py", "tests/storage/test_embedded.py", "tests/spiders/test_reparse.py",
    "tests/export/", "tests/storage/test_spool.py", "tests/web/test_browser.py", "tests/spiders/", "tests/pipelines/", "tests/commands/",
    "tests/web/",
)  # fmt: skip


def _place(item: pytest.Item) -> int:
    places = (n for n, each in enumerate(_LONGEST) if item.nodeid.startswith(each))
    return next(places, len(_LONGEST))


# Marks of all tests in a folder or file; single tests have their own.
_MARKS = {
    "tests/web/test_browser.py": "browser",
    **dict.fromkeys(
        (
            "tests/archive/test_import_parts.py", "tests/commands/", "tests/docs/test_commands.py", "tests/export/",
            "tests/feeds/", "tests/parsing/test_bounds.py", "tests/parsing/test_mutilated.py",
            "tests/parsing/test_properties.py", "tests/pipelines/test_picture_process.py",
            "tests/search/test_catchup.py", "tests/spiders/", "tests/storage/test_embedded.py",
            "tests/storage/test_poison.py", "tests/storage/test_spool.py", "tests/test_archives.py",
            "tests/test_library.py", "tests/test_patterns.py", "tests/test_scaling.py", "tests/test_wheel.py", "tests/web/",
        ),
        "slow",
    ),
}  # fmt: skip
# A test with one of these fixtures runs a command of the product.
_COMMANDS = {"begin", "command", "crawl"}
# And one of these leaves a process running for a while.
_ALONE = {"begin", "run"}


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Pytest's hook: what is collected stays, so the garbage collector need not look at it again and again."""
    gc.disable()
    yield
    gc.enable()
    gc.freeze()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Pytest's hook: with `--quick`, a file whose tests are all left out is not even imported."""
    if not config.getoption("quick"):
        return None
    place = f"{collection_path.relative_to(ROOT).as_posix()}/"
    return any(place.startswith(each) for each in _MARKS) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Pytest's hook: sets marks by path, and `slow` for commands; moves the longest tests to the front."""
    for item in items:
        for place, mark in _MARKS.items():
            if item.nodeid.startswith(place):
                item.add_marker(mark)
        if _COMMANDS & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")
        if "kill" in item.name:
            item.add_marker("kill")
    items.sort(key=_place)


@pytest.fixture(scope="session")
def mongodb_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a private mongod."""
    folder: Path = tmp_path_factory.mktemp("mongodb")
    with EmbeddedServer.acquire(folder) as server:
        yield server.uri


@pytest.fixture(scope="session")
def mongo(mongodb_uri: str) -> Iterator[MongoClient[dict[str, Any]]]:
    """A client of all tests of the process."""
    with MongoClient[dict[str, Any]](mongodb_uri, tz_aware=True) as client:
        yield client


@pytest.fixture(scope="session")
def databases(mongodb_uri: str, mongo: MongoClient[dict[str, Any]]) -> Databases:
    """Databases of this process's mongod that wait for the next test."""
    return Databases(mongodb_uri, mongo)


@pytest.fixture
def database(databases: Databases, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a database without documents that no other test uses at the time.

    It has the product's collections and indexes; with the marker `new_database` it does not exist yet.
    """
    new = request.node.get_closest_marker("new_database") is not None
    name = databases.new() if new else databases.take()
    yield name
    # What a test kills or leaves running may write once more.
    if new or _ALONE & set(request.fixturenames) or request.node.get_closest_marker("kill"):
        databases.drop(name)
    else:
        databases.give_back(name)


class Shown(dict[str, Any]):
    """A document without `written_at`, an internal field that each write changes."""

    def __setitem__(self, name: str, value: Any) -> None:
        if name != "written_at":
            super().__setitem__(name, value)


@pytest.fixture
def db(mongo: MongoClient[dict[str, Any]], database: str) -> Database[dict[str, Any]]:
    """The database `database` as a client sees it, without `written_at`."""
    shown: CodecOptions[Any] = CodecOptions(tz_aware=True, document_class=Shown)
    return mongo.get_database(database, codec_options=shown)


@pytest.fixture
def raw_db(mongo: MongoClient[dict[str, Any]], database: str) -> Database[dict[str, Any]]:
    """The same with `written_at`."""
    return mongo[database]


@pytest.fixture(scope="session")
def large(mongo: MongoClient[dict[str, Any]]) -> Iterator[Database[dict[str, Any]]]:
    """A generated archive of 8,000 articles in seven months, made once per process. Tests must not write to it.

    Its name for a command line is `large.name`.
    """
    fill(mongo["large"], 8_000, first=date(2017, 6, 1))
    yield mongo["large"]
    mongo.drop_database("large")


@pytest.fixture
def site() -> Iterator[SiteProxy]:
    """The local test site with the fixtures and a permissive robots.txt."""
    with SiteProxy(FOLDERS) as proxy:
        proxy.set(f"{HOST}/robots.txt", Answer(body=b"User-agent: *\nAllow: /\n"))
        yield proxy


@pytest.fixture
def crawl(site: SiteProxy, mongodb_uri: str, database: str, tmp_path: Path) -> Crawl:
    """`crawl("column", url=…, pages=2)`: runs a spider on the test site; upper-case names are settings.

    `ahead=3`: three days from now.
    """

    def run(
        spider: str, *, ahead: float = 0, **arguments: object
    ) -> subprocess.CompletedProcess[str]:
        given = [
            part
            for name, value in arguments.items()
            for part in ("-s" if name.isupper() else "-a", f"{name}={value}")
        ]
        return scrapy(
            "crawl", spider, *given,
            site=site, data=tmp_path, uri=mongodb_uri, database=database, ahead=ahead,
        )  # fmt: skip

    return run


@pytest.fixture
def begin(site: SiteProxy, mongodb_uri: str, database: str, tmp_path: Path) -> Begin:
    """`begin("column", "-a", "url=…")`: starts a run without waiting for it."""

    def run(*arguments: str, anew: bool = False) -> Running:
        return start_scrapy(
            "crawl", *arguments,
            site=site, data=tmp_path, uri=mongodb_uri, database=database, anew=anew,
        )  # fmt: skip

    return run


@pytest.fixture
def command(mongodb_uri: str, database: str, tmp_path: Path) -> Crawl:
    """`command("article", URL, "--raw")`: runs any other command on the same database and folder."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return scrapy(*arguments, data=tmp_path, uri=mongodb_uri, database=database)

    return run


@pytest.fixture
def in_turn(mongodb_uri: str, database: str, tmp_path: Path) -> Iterator[InTurn]:
    """Runs that read archives, on the same database and folder, one after another in one process."""
    with InTurn(environment(None, tmp_path, mongodb_uri, database)) as process:
        yield process
