"""`scrapy crawl discover` proposes columns that the catalogue lacks, and does nothing else."""

from __future__ import annotations

import re
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.crawling import Crawl
from tests.support.pages import COLUMN, DAY, HOST, following, list_page, serve_column
from tests.support.rebuilding import assert_rebuilt, snapshot
from tests.support.site import Answer, SiteProxy
from zjolcrawl.archive.archive import Archive
from zjolcrawl.parsing.fields.dates import CHINA
from zjolcrawl.site.catalogue import load_catalogue

SEED = f"{HOST}/zjyj/"  # 援疆, disabled in the catalogue
LISTED = [("2017-08-11", 4774001), (DAY, 4774002)]
HTML = {"Content-Type": "text/html; charset=utf-8"}


def page(*links: str, more: str = "") -> Answer:
    nav = "".join(
        f'<a href="{href}">{name}</a> ' for href, _, name in (x.partition(" ") for x in links)
    )
    return Answer(
        headers=HTML, body=f'<html><body><div class="nav">{nav}</div>{more}</body></html>'.encode()
    )


def new_column(site: SiteProxy, url: str, pager: str = "") -> None:
    site.set(url, Answer(headers=HTML, body=list_page(LISTED, pager)))


@pytest.fixture
def linked(site: SiteProxy) -> SiteProxy:
    """A known column that links new columns, a known one, and pages that are not columns."""
    more = '<div class="box"><h3>新村</h3><a href="/xincun/">更多</a></div><a href="/leer/">空</a>'
    site.set(
        SEED,
        page("/ztjj/gygg/ 改革", "/zjnews/zjxw/ 浙江新闻", "//lishui.zjol.com.cn/ 丽水", "//www.example.com/ 外",
             "/zjyj/201708/t20170812_4774001.shtml 文章", more=more),
    )  # fmt: skip
    site.set("http://lishui.zjol.com.cn/robots.txt", Answer(body=b"User-agent: *\nAllow: /\n"))
    new_column(site, f"{HOST}/ztjj/gygg/", following(1))
    new_column(site, f"{HOST}/xincun/")
    new_column(site, "http://lishui.zjol.com.cn/")
    site.set(f"{HOST}/leer/", page("/zjyj/ 援疆"))
    return site


def test_new_columns_are_proposed(
    linked: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Path
) -> None:
    done = crawl("discover", column="zjyj")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "discovered.toml").read_text()
    day = datetime.now(CHINA).date().isoformat()
    assert text.split("\n\n", 1)[1] == (
        f"# seen on {SEED} (navigation) on {day}; 2 article links, newest 2017-08-12, a next page\n"
        f'[[column]]\nid = "zjnews-gygg"\nname = "改革"\nurl = "{HOST}/ztjj/gygg/"\n'
        'site = "zjnews.zjol.com.cn"\nenabled = false\nevidence = "REAL"\n\n'
        f"# seen on {SEED} (navigation) on {day}; 2 article links, newest 2017-08-12, no pager\n"
        "# lishui.zjol.com.cn is a host missing from sites.toml\n"
        '[[column]]\nid = "lishui"\nname = "丽水"\nurl = "http://lishui.zjol.com.cn/"\n'
        'site = "lishui.zjol.com.cn"\nenabled = false\nevidence = "REAL"\n\n'
        f"# seen on {SEED} (more) on {day}; 2 article links, newest 2017-08-12, no pager\n"
        f'[[column]]\nid = "zjnews-xincun"\nname = "新村"\nurl = "{HOST}/xincun/"\n'
        'site = "zjnews.zjol.com.cn"\nenabled = false\nevidence = "REAL"\n\n'
        "# Also linked, but without a list of articles:\n"
        f"#   {HOST}/leer/  空  no list found\n"
    )
    shown = done.stdout.splitlines()
    assert (
        re.sub(" +", " ", shown[1])
        == f"zjnews-gygg 2 2017-08-12 a next page 改革 {HOST}/ztjj/gygg/"
    )
    assert shown[4:] == [
        "3 columns proposed, 1 link without a list",
        str(tmp_path / "discovered.toml"),
    ]
    assert "5 pages fetched, 4 links that the catalogue lacks; 3 columns proposed" in done.stderr


def test_the_fragment_fits_the_catalogue(linked: SiteProxy, crawl: Crawl, tmp_path: Path) -> None:
    out = tmp_path / "out.toml"
    crawl("discover", column="zjyj", file=out)
    known = Path("zjolcrawl/site/columns.toml").read_text()
    (tmp_path / "columns.toml").write_text(f"{known}\n{out.read_text()}")
    added = load_catalogue(tmp_path / "columns.toml").keys() - load_catalogue().keys()
    assert added == {"zjnews-gygg", "lishui", "zjnews-xincun"}


def test_fragment_on_stdout(linked: SiteProxy, crawl: Crawl, tmp_path: Path) -> None:
    done = crawl("discover", column="zjyj", file="-")
    assert len(tomllib.loads(done.stdout)["column"]) == 3
    assert not (tmp_path / "discovered.toml").exists()


def test_fragment_that_cannot_be_written_is_on_stdout(
    linked: SiteProxy, crawl: Crawl, tmp_path: Path
) -> None:
    expected = crawl("discover", column="zjyj", file="-").stdout
    done = crawl("discover", column="zjyj", file=tmp_path)
    assert done.returncode == 1
    assert f"{tmp_path} cannot be written: " in done.stderr
    assert tomllib.loads(done.stdout) == tomllib.loads(expected)


def test_nothing_is_written_but_the_run(linked: SiteProxy, db: Database[Any], crawl: Crawl) -> None:
    crawl("discover", column="zjyj")
    assert snapshot(db) == {}
    (run,) = db.runs.find()
    assert run["arguments"] == {"spider": "discover", "column": "zjyj"}
    assert (run["exit_status"], run["counts"]) == (0, {"looked_at": 5, "linked": 4, "proposed": 3})


def test_only_own_hosts_and_each_page_once(linked: SiteProxy, crawl: Crawl) -> None:
    linked.set(f"{HOST}/rsdt/zxrm/", page("/ztjj/gygg/ 改革", "/rsdt/ 人事"))
    linked.set(f"{HOST}/rsdt/", Answer(status=302, headers={"Location": "http://www.example.com/"}))
    done = crawl("discover", column="zjyj,zxrm")
    asked = [url for url in linked.urls() if not url.endswith("/robots.txt")]
    assert sorted(asked) == sorted(
        [SEED, f"{HOST}/rsdt/zxrm/", f"{HOST}/ztjj/gygg/", f"{HOST}/xincun/", f"{HOST}/leer/",
         f"{HOST}/rsdt/", "http://lishui.zjol.com.cn/"]
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_robots_are_obeyed(linked: SiteProxy, crawl: Crawl, tmp_path: Path) -> None:
    linked.set(f"{HOST}/robots.txt", Answer(body=b"User-agent: *\nDisallow: /xincun/\n"))
    done = crawl("discover", column="zjyj")
    assert f"{HOST}/xincun/" not in linked.urls()
    assert done.returncode == 0, done.stderr
    assert "Forbidden by robots.txt" in (tmp_path / "discovered.toml").read_text()


def test_pages_bounds_all_that_is_asked_for(
    linked: SiteProxy, crawl: Crawl, tmp_path: Path
) -> None:
    done = crawl("discover", column="zjyj,zxrm", pages=3)
    assert len([url for url in linked.urls() if not url.endswith("/robots.txt")]) == 3
    assert "3 pages fetched, 4 links that the catalogue lacks; 2 columns proposed" in done.stderr
    assert (tmp_path / "discovered.toml").read_text().count("not visited") == 2


def test_a_host_is_its_columns_and_its_front(site: SiteProxy, crawl: Crawl) -> None:
    for name in ("", "rdgz/", "gzdt/", "pyxw/", "zjsj/"):
        site.set(f"http://py.zjol.com.cn/{name}", page("/zhuanti/ 专题", "/ztt 专题"))
    site.set("http://py.zjol.com.cn/zhuanti/", Answer(status=404))
    site.set(
        "http://py.zjol.com.cn/ztt/", Answer(status=301, headers={"Location": "/rdgz/index.shtml"})
    )
    site.set("http://py.zjol.com.cn/rdgz/index.shtml", page())
    done = crawl("discover", site="py", file="-")
    assert done.returncode == 0, done.stderr
    assert set(site.urls()) == {
        f"http://py.zjol.com.cn/{name}"
        for name in ("robots.txt", "", "rdgz/", "gzdt/", "pyxw/", "zjsj/", "zhuanti/", "ztt/", "rdgz/index.shtml")
    }  # fmt: skip
    assert "#   http://py.zjol.com.cn/zhuanti/  专题  HTTP 404\n" in done.stdout
    assert "专题  leads to http://py.zjol.com.cn/rdgz/index.shtml\n" in done.stdout


def test_moved_column_is_proposed_where_it_is(linked: SiteProxy, crawl: Crawl) -> None:
    linked.set(f"{HOST}/xincun/", Answer(status=301, headers={"Location": "/xin/cun/"}))
    new_column(linked, f"{HOST}/xin/cun/")
    done = crawl("discover", column="zjyj", file="-")
    urls = {column["url"]: column["id"] for column in tomllib.loads(done.stdout)["column"]}
    assert urls[f"{HOST}/xin/cun/"] == "zjnews-cun"
    assert f"{HOST}/xincun/" not in urls


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(status=500), "HTTP 500"),
        (Answer(fault="reset"), "Download"),
        (Answer(body=b"<html><script>var a=1</script></html>", headers=HTML), "challenge page"),
    ],
)
def test_known_pages_that_cannot_be_read(
    answer: Answer, why: str, site: SiteProxy, crawl: Crawl
) -> None:
    site.set(f"{HOST}/rsdt/zxrm/", answer)
    site.set(SEED, answer)
    done = crawl("discover", column="zjyj")
    assert done.returncode == 1  # nothing was read
    assert f"column page {SEED}: " in done.stderr
    assert why in done.stderr
    site.set(SEED, page("/leer/ 空"))
    done = crawl("discover", column="zjyj")
    assert done.returncode == 0, done.stderr
    assert "2 pages fetched, 1 link that the catalogue lacks; 0 columns proposed" in done.stderr
    assert crawl("discover", column="zjyj,zxrm").returncode == 1  # a column that is crawled


def test_a_dead_front_is_only_told(linked: SiteProxy, crawl: Crawl) -> None:
    linked.set(f"{HOST}/ztjj/xsd/", Answer(status=404))
    done = crawl("discover", column="zjyj,xsd")
    assert done.returncode == 0, done.stderr
    assert f"column page {HOST}/ztjj/xsd/: HTTP 404" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"column": "nowhere"}, "unknown column nowhere"),
        ({"site": "www.example.com"}, "is not on zjol.com.cn"),
        ({"site": ","}, "names no host"),
        ({"pages": "0"}, "pages=0"),
        ({"since": "2017-08-01"}, "unknown argument since"),
    ],
)
def test_unusable_arguments(
    arguments: dict[str, str], line: str, site: SiteProxy, crawl: Crawl
) -> None:
    done = crawl("discover", **arguments)
    assert done.returncode == 2
    assert line in done.stderr
    assert site.requests == []


def test_its_captures_do_not_disturb_a_rebuild(
    linked: SiteProxy, db: Database[Any], crawl: Crawl
) -> None:
    """Also if it fetched the same pages as a crawl, before and after it."""
    serve_column(linked, [LISTED])
    linked.set(f"{HOST}/", page("/test/lm/ 测试"))
    linked.set(f"{HOST}/rsdt/zxrm/", page("/test/lm/ 测试"))
    crawl("discover", column="zxrm")
    crawl("column", url=COLUMN, recheck="on")
    linked.set(COLUMN, Answer(status=500))
    crawl("discover", column="zxrm")
    assert COLUMN in linked.urls()
    assert_rebuilt(db, linked, crawl)
    assert db.columns.count_documents({}) == 1


def test_alone_in_an_archive_it_is_nothing_to_read_again(
    linked: SiteProxy, db: Database[Any], crawl: Crawl, tmp_path: Path
) -> None:
    crawl("discover", column="zjyj")
    with Archive(tmp_path / "warc") as archive:
        kept = {each.url: each.context for each in archive.index.captures() if each.context}
    assert kept[f"{HOST}/xincun/"] == {"discover": SEED}
    assert len(kept) == 5
    done = crawl("reparse")
    assert done.returncode == 2
    assert "no capture in the archive matches" in done.stderr
    assert snapshot(db) == {}
