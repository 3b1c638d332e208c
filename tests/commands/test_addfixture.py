"""`scrapy addfixture`: pages from the archive and from files, and what it refuses."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.support.crawling import Crawl
from tests.support.goldens import file_of, load
from tests.support.pages import COLUMN, serve_column, url_of
from tests.support.questions import REFERENCE
from tests.support.site import Answer, SiteProxy

PAGE = Path("T1", REFERENCE.removeprefix("http://"))


def test_an_archived_article_as_the_archive_got_it(
    crawl: Crawl, command: Crawl, site: SiteProxy, tmp_path: Path
) -> None:
    body = file_of(REFERENCE).read_bytes()
    packed = {"Content-Type": "text/html", "Content-Encoding": "gzip"}
    site.set(REFERENCE, Answer(headers=packed, body=gzip.compress(body)))
    crawl("article", url=REFERENCE)
    asked = len(site.requests)
    to = tmp_path / "fixtures"
    done = command("addfixture", REFERENCE.removeprefix("http://"), "--to", str(to))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        str(to / "site/zjnews.zjol.com.cn/robots.txt"), str(to / PAGE), f"{to / PAGE}.json",
    ]  # fmt: skip
    assert (
        f'compare {to / PAGE}.json with the page, then delete its line "unchecked"' in done.stderr
    )
    assert (to / PAGE).read_bytes() == body
    golden = json.loads((to / f"{PAGE}.json").read_text())
    assert golden["document"] == load(file_of(f"{REFERENCE}.json"))[0]["document"]
    assert len(site.requests) == asked


def test_the_newest_page_of_a_column(
    crawl: Crawl, command: Crawl, site: SiteProxy, tmp_path: Path
) -> None:
    for ident in (1, 2):
        serve_column(site, [[("2017-08-12", ident)]])
        crawl("column", url=COLUMN)
    done = command("addfixture", COLUMN, "--to", str(tmp_path / "f"))
    assert done.returncode == 0, done.stderr
    golden = json.loads(Path(done.stdout.splitlines()[-1]).read_text())
    assert golden["url"] == COLUMN
    assert [link["url"] for link in golden["links"]] == [url_of(2)]
    assert golden["next"] is None
    again = command("addfixture", COLUMN, "--to", str(tmp_path / "f"))
    assert again.returncode == 2
    assert "is there already" in again.stderr


def test_a_file(command: Crawl, tmp_path: Path) -> None:
    file = tmp_path / "saved.html"
    file.write_bytes(file_of(REFERENCE).read_bytes())
    done = command("addfixture", str(file), "--url", REFERENCE, "--to", str(tmp_path / "f"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "f" / PAGE).read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        ([], 2, "give one URL"),
        ([REFERENCE], 1, "no archive at"),
        (["http://www.example.org/a.html"], 2, "neither a file nor a URL of the site"),
        (["nofile.html"], 2, "neither a file nor a URL of the site"),
        (["FILE"], 2, "was saved from: --url URL"),
        (["nofile.html", "--url", REFERENCE], 2, "cannot read nofile.html: No such file"),
        (["FILE", "--url", "http://example.org/"], 2, "neither a file nor a URL of the site"),
        (["FILE", "--url", "http://[zjol.com.cn/"], 2, "is not a URL"),
        (["FILE", "--url", REFERENCE.replace(".shtml", "_1.shtml")], 2, "save the first page"),
        (["FILE", "--url", REFERENCE, "--to", "FILE"], 2, "cannot save"),
    ],
)
def test_refused(
    command: Crawl, tmp_path: Path, arguments: list[str], status: int, told: str
) -> None:
    file = tmp_path / "saved.html"
    file.write_bytes(b"<p>x</p>")
    given = [str(file) if each == "FILE" else each for each in arguments]
    to = [] if "--to" in given else ["--to", str(tmp_path / "f")]
    done = command("addfixture", *given, *to)
    assert (done.returncode, done.stdout) == (status, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "f").exists()
    assert not (tmp_path / "warc").exists()


def test_a_page_that_was_never_archived(
    crawl: Crawl, command: Crawl, site: SiteProxy, tmp_path: Path
) -> None:
    site.set(url_of(1), Answer(status=404))
    crawl("article", url=url_of(1))
    done = command("addfixture", url_of(1), "--to", str(tmp_path / "f"))
    assert done.returncode == 1
    assert "the archive has no page" in done.stderr
