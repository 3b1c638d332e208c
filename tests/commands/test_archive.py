"""`scrapy archive wacz` makes a file that other tools accept."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image as Pillow
from pymongo.database import Database

from tests.archive.others import accepted, other_cdxj
from tests.support.crawling import Crawl
from tests.support.pages import COLUMN, DAY, article, serve_column, url_of
from tests.support.site import Answer, SiteProxy

FIRST, SECOND = 4774001, 4774002


def unpacked(file: Path, folder: Path) -> Path:
    """The content of the file, after py-wacz has validated it."""
    check = subprocess.run(
        [sys.executable, "-m", "wacz.main", "validate", "-f", str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert check.returncode == 0, check.stdout + check.stderr
    with zipfile.ZipFile(file) as archive:
        assert {each.compress_type for each in archive.infolist()} == {zipfile.ZIP_STORED}
        archive.extractall(folder)
    return folder


def test_one_run_with_what_its_revisits_refer_to(
    site: SiteProxy, db: Database[Any], crawl: Crawl, command: Crawl, tmp_path: Path
) -> None:
    serve_column(site, [[(DAY, FIRST), (DAY, SECOND)]])
    crawl("column", url=COLUMN, recheck="on")
    site.set(url_of(SECOND), Answer(body=article(DAY, SECOND, "改过的标题")))
    crawl("column", url=COLUMN, recheck="on")
    second = db.runs.find().sort("$natural", -1)[0]["_id"]
    file = tmp_path / "run.wacz"
    done = command("archive", "wacz", "--run", str(second), "-o", str(file))
    assert done.returncode == 0, done.stderr
    assert (
        "3 pages" in done.stdout
    )  # the column and both articles; records of the first run are referred to

    folder = unpacked(file, tmp_path / "out")
    (warc,) = (folder / "archive").iterdir()
    records = accepted(folder / "archive")
    answers = [r for r in records if r.type in {"response", "revisit"}]
    assert len([r for r in records if r.type == "request"]) == len(answers)
    there = {r.headers["WARC-Record-ID"] for r in answers}
    assert all(r.headers["WARC-Refers-To"] in there for r in answers if r.type == "revisit")
    assert {r.decoded for r in answers if r.url == url_of(SECOND)} == {
        article(DAY, SECOND, "改过的标题")
    }
    index = gzip.decompress((folder / "indexes" / "index.cdx.gz").read_bytes()).decode()
    assert index == other_cdxj(warc)
    pages = [json.loads(line) for line in (folder / "pages/pages.jsonl").read_text().splitlines()]
    titles = {page["url"]: page.get("title") for page in pages[1:]}
    assert titles[url_of(SECOND)] == "改过的标题"
    described = json.loads((folder / "datapackage.json").read_text())
    assert f"run={second}" in described["title"]


def picture(shade: int) -> bytes:
    out = BytesIO()
    Pillow.new("RGB", (64, 48), (shade, shade, shade)).save(out, "PNG")
    return out.getvalue()


def test_later_run_with_the_pictures_that_an_earlier_run_fetched(
    site: SiteProxy, db: Database[Any], crawl: Crawl, command: Crawl, tmp_path: Path
) -> None:
    """One picture per case: of an article's own visit, shared with an article that is not in the run, new."""
    folder = url_of(FIRST).rpartition("/")[0]
    shown = {name: f"{folder}/{name}.png" for name in ("own", "shared", "new")}
    for shade, url in enumerate(shown.values()):
        site.set(url, Answer(body=picture(shade * 50)))

    def serve(ident: int, title: str, *names: str) -> None:
        marks = "".join(f'<p><img src="./{name}.png"></p>' for name in names)
        site.set(url_of(ident), Answer(body=article(DAY, ident, title, more=marks)))

    serve_column(site, [[(DAY, FIRST), (DAY, SECOND)]])
    serve(FIRST, "第一篇", "own")
    serve(SECOND, "第二篇", "shared")
    assert crawl("column", url=COLUMN).returncode == 0
    site.reset_log()
    serve(FIRST, "第一篇改过", "own", "shared", "new")
    assert crawl("article", url=url_of(FIRST)).returncode == 0
    assert site.urls().count(shown["new"]) == 1
    assert not {shown["own"], shown["shared"]} & set(site.urls())
    second = db.runs.find().sort("$natural", -1)[0]["_id"]
    file = tmp_path / "run.wacz"
    done = command("archive", "wacz", "--run", str(second), "-o", str(file))
    assert done.returncode == 0, done.stderr
    assert " 1 page," in done.stdout
    folder_out = unpacked(file, tmp_path / "out")
    answers = [r for r in accepted(folder_out / "archive") if r.type == "response"]
    for shade, url in enumerate(shown.values()):
        assert [r.decoded for r in answers if r.url == url] == [picture(shade * 50)], url
    assert not [r for r in answers if r.url == url_of(SECOND)]


def test_host_with_the_pictures_of_another_host(
    site: SiteProxy, crawl: Crawl, command: Crawl, tmp_path: Path
) -> None:
    url = "http://img.zjolcdn.com/pic/0/07/11/20/1.png"
    site.set(url, Answer(body=picture(9)))
    serve_column(site, [[(DAY, FIRST)]])
    page = article(DAY, FIRST, more=f'<p><img src="{url}"></p>')
    site.set(url_of(FIRST), Answer(body=page))
    assert crawl("column", url=COLUMN).returncode == 0
    file = tmp_path / "host.wacz"
    done = command("archive", "wacz", "--host", "zjnews.zjol.com.cn", "-o", str(file))
    assert done.returncode == 0, done.stderr
    answers = accepted(unpacked(file, tmp_path / "out") / "archive")
    assert [r.decoded for r in answers if r.url == url and r.type == "response"] == [picture(9)]


def test_days_choose_and_nothing_is_no_file(
    site: SiteProxy, crawl: Crawl, command: Crawl, tmp_path: Path
) -> None:
    file = tmp_path / "days.wacz"
    assert command("archive", "wacz", "-o", str(file)).returncode == 2  # no archive yet
    serve_column(site, [[(DAY, FIRST)]])
    crawl("column", url=COLUMN)
    done = command("archive", "wacz", "--captured-since", "2026-01-01", "-o", str(file))
    assert done.returncode == 0, done.stderr
    unpacked(file, tmp_path / "out")
    file.unlink()
    for arguments in (
        ("--captured-until", "2001-01-01"),
        ("--captured-since", "soon"),
        ("--run", "x"),
    ):
        done = command("archive", "wacz", *arguments, "-o", str(file))
        assert done.returncode == 2, arguments
        assert len(done.stderr.splitlines()) == 1
        assert not list(tmp_path.glob("days.wacz*"))
