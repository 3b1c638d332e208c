"""Each line of shell in README.md and docs/ runs as printed on the test site, or NOT_RUN says why it cannot.

The lines of a page run in order in one folder, with `export` and `unset`. A crawl gets settings without rate limits.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.demo import NEXT
from tests.support.crawling import LONG, QUICK, environment
from tests.support.goldens import FOLDERS
from tests.support.readme import ROOT, TRANSLATION, blocks
from tests.support.site import SiteProxy
from tests.support.turns import turns
from zjolcrawl.storage.embedded import EmbeddedServer

REFERENCE = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml"
# Beginnings of lines that are not run here, and why.
NOT_RUN = {
    "make ": "CI runs each target",
    "pipx install": "needs a package index; tests/test_wheel.py installs the wheel",
    "pip install": "needs a package index",
    "zjolcrawl ": "needs an installed wheel; tests/test_wheel.py runs it",
    "mkdir news": "a folder for the installed wheel",
    ".venv/bin/python -m tests.support.site": "serves until it is stopped",
    "http_proxy=": "needs the line before, which is not run",
    "wget ": "needs the live site; tests/archive/test_import.py runs it",
    "mongosh ": "MongoDB's shell is on few machines; test_readme.py asks the same of pymongo",
    "mongodump ": "MongoDB's tools are on few machines",
    "mongorestore ": "MongoDB's tools are on few machines",
    "scrapy crawl backfill": "needs another archive; tests/spiders/test_backfill.py runs it",
    "curl ": "needs a server; tests/web/api/test_examples.py runs it",
    "scrapy watch": "needs a watch.toml and receivers; tests/run/test_watches.py runs it",
    "scrapy browse": "serves until it is stopped; tests/commands/test_browse.py runs it",
    "scrapy archive p": "needs an S3 store; tests/commands/test_stores.py runs it",
    "export MONGODB_URI='": "needs a server at this address; test_snippets.py reads the address",
}
PAGES_NOT_RUN = {
    "docs/how-to/parallel.md": "folders below /srv and a replica set; tests/spiders/test_crowd.py runs parallel runs",
    "README.zh.md": "the commands of README.md, which test_links.py compares",
}
# These end with 1 on the bundled pages: some have no article on purpose, and not all words occur.
MAY_END_WITH_1 = re.compile(r"scrapy (crawl|health|audit|search)\b")


def printed() -> dict[str, list[str]]:
    """The lines of shell by page."""
    lines: dict[str, list[str]] = {}
    for block in blocks():
        if block.language == "sh":
            lines.setdefault(block.page, []).extend(filter(None, block.text.splitlines()))
    return lines


PRINTED = printed()
RUN = [page for page in PRINTED if page not in PAGES_NOT_RUN]


def reason(line: str) -> str | None:
    """Why a line is not run, None if it is."""
    return next((why for start, why in NOT_RUN.items() if line.startswith(start)), None)


@dataclass
class Shell:
    """Runs lines in a folder as a user would type them."""

    folder: Path
    site: SiteProxy
    exported: dict[str, str | None] = field(default_factory=dict)
    known: set[tuple[object, ...]] = field(default_factory=set)
    """What ran before, perhaps for another page: each line with its variables. A crawl runs once."""

    def run(self, line: str) -> None:
        """Runs a line; fails unless its exit status is a good one."""
        if line.startswith(("export ", "unset ")):
            self._export(line)
            return
        words = shlex.split(line, comments=True)
        own: dict[str, str] = {}
        while re.match(r"\w+=", words[0]):  # variables of this line alone
            name, _, own[name] = words.pop(0).partition("=")
        if words[0] == ".venv/bin/scrapy" and os.access(self.folder / words[0], os.X_OK):
            words[0] = "scrapy"
        crawl = words[:2] == ["scrapy", "crawl"]
        key = (*words, *sorted((self.exported | own).items()))
        if crawl and key in self.known:
            return
        self.known.add(key)
        if words[0] == "scrapy" and not re.search(r"[|>&$]", line.split("#", maxsplit=1)[0]):
            given = [*words[1:3], *(QUICK if crawl else ()), *words[3:]]
            running = turns().begin(given, self._environment() | own, folder=self.folder)
            out, err = running.communicate(timeout=LONG)
            status = running.returncode
        else:
            done = self._bash(line)
            out, err, status = done.stdout, done.stderr, done.returncode
        good = {0, 1} if MAY_END_WITH_1.search(line) else {0}
        assert status in good, f"{line}\nended with {status}\n{out}\n{err}"

    def _environment(self) -> dict[str, str]:
        given = environment(self.site, Path("data"), "", "zjol")
        del given["DATA_DIR"], given["MONGODB_URI"], given["MONGODB_DATABASE"]
        given["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{given['PATH']}"
        given["PWD"] = str(self.folder)
        given |= {name: value for name, value in self.exported.items() if value is not None}
        return given

    def _bash(self, line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", line], cwd=self.folder, env=self._environment(),
            capture_output=True, text=True, timeout=LONG, check=False,
        )  # fmt: skip

    def _export(self, line: str) -> None:
        names = [word.split("=")[0] for word in shlex.split(line)[1:]]
        shown = self._bash(f"{line}\n" + "\n".join(f"printf '%s\\0' \"${name}\"" for name in names))
        values = shown.stdout.split("\0")
        gone = line.startswith("unset ")
        self.exported |= {n: None if gone else v for n, v in zip(names, values, strict=False)}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A folder in which `scrapy` works, with the bundled site crawled into `data`, which is also data/demo."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("scrapy.cfg", "tests"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").symlink_to(sys.prefix)
    data = folder / "data"
    data.mkdir()
    (data / "demo").symlink_to(".")
    (folder / "urls.txt").write_text(f"# one URL per line\n{REFERENCE}\n")
    roots = [*FOLDERS, ROOT / "tests" / "another_site" / "pages"]
    with EmbeddedServer.acquire(data), SiteProxy(roots) as site:
        Shell(folder, site).run("scrapy crawl column -a column=zjxw,zjxc,china-gnxw")
        yield Shell(folder, site)


@pytest.mark.parametrize("page", [each for each in RUN if each != "docs/how-to/backup.md"])
def test_lines_run_as_printed(page: str, checkout: Shell) -> None:
    shell = replace(checkout, exported={})
    for form in (
        "*.csv",
        "*.jsonl*",
        "*.parquet",
    ):  # an export does not replace those of another page
        for file in checkout.folder.glob(form):
            file.unlink()
    if page.endswith("upgrade.md"):
        parsed_by_an_older_parser(checkout.folder / "data")
    for line in PRINTED[page]:
        if not reason(line):
            shell.run(line)


def test_lines_at_the_end_of_the_demo_run_as_printed(checkout: Shell) -> None:
    """They run in the checkout after `make demo`: search, browse, export."""
    lines = NEXT.splitlines()
    assert [line.split()[2] for line in lines] == ["search", "browse", "export"]
    shell = replace(checkout, exported={})
    (checkout.folder / "articles.csv").unlink(missing_ok=True)
    for line in (lines[0], lines[2]):
        shell.run(line)


def parsed_by_an_older_parser(data: Path) -> None:
    with (
        EmbeddedServer.acquire(data) as server,
        MongoClient[dict[str, Any]](server.uri) as client,
    ):
        client["zjol"]["articles"].update_many({}, {"$set": {"parser.version": 1}})


def test_a_wrong_line_fails(checkout: Shell) -> None:
    shell = replace(checkout, exported={})
    for line in ("scrapy export x.csv --colour red", "scrapy crawl column -a pags=1", "ls none"):
        with pytest.raises(AssertionError, match="ended with"):
            shell.run(line)


def test_backup_and_restore_as_printed(tmp_path: Path) -> None:
    """In its own folder: it removes the database, and no server may be running."""
    (tmp_path / "scrapy.cfg").symlink_to(ROOT / "scrapy.cfg")
    lines = PRINTED["docs/how-to/backup.md"]
    with SiteProxy(FOLDERS) as site:
        shell = Shell(tmp_path, site)
        shell.run(f"scrapy crawl article -a url={REFERENCE}")
        # 200 MB of zeros that MongoDB makes again when it starts. To pack and unpack them takes seconds.
        for spare in (tmp_path / "data/mongodb/db/journal").glob("WiredTigerPreplog.*"):
            spare.unlink()
        for line in lines:
            if not reason(line):
                shell.run(line)
            if line in {"tar -xzf backup.tar.gz", lines[-1]}:
                shell.run(f"scrapy article {REFERENCE}")
        assert lines[-1] == "scrapy crawl reparse"


def test_each_reason_is_needed() -> None:
    lines = [line for page in RUN for line in PRINTED[page]]
    assert [
        start for start in NOT_RUN if not any(map(str.startswith, lines, [start] * len(lines)))
    ] == []
    assert PAGES_NOT_RUN.keys() <= PRINTED.keys()
    assert TRANSLATION.name in PAGES_NOT_RUN
    assert sum(not reason(line) for line in lines) > 50
