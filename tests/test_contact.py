"""CONTACT: what it may be, where it stands, and the warning of a run without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database
from scrapy.settings import Settings

from tests.support.crawling import Crawl
from tests.support.pages import serve_column, url_of
from tests.support.site import SiteProxy
from zjolcrawl import __version__
from zjolcrawl.archive.archive import Archive
from zjolcrawl.archive.warc import read_records
from zjolcrawl.contact import ContactAddon, check_contact, contact_warning


@pytest.mark.parametrize(
    "contact",
    [
        "", "me@example.org", "first.last+zjol@lib.example.edu.cn", "http://example.org", "https://example.org/a?b=c#d",
        "https://example.org:8443/bot",
    ],
)  # fmt: skip
def test_an_address_is_accepted(contact: str) -> None:
    check_contact(contact)


@pytest.mark.parametrize(
    "contact",
    [
        "notmail", "example.org", "www.example.org/bot", "me@", "@example.org", "me@host", "a@b@example.org",
        "me@example..org", "me@.example.org", "me@example.org, you@example.org", "me @example.org",
        "Me <me@example.org>", "mailto:me@example.org", "ftp://example.org", "https://", "https:///bot",
        "http://localhost", "https://user:secret@example.org", "https://[::1", "https://example.org/a b",
        "https://example.org/\nHost: x.org", "me@example.org\r\nX: y", "https://example.org/)", "张三@example.org",
        "https://浙江.cn/", " ", "yes", "+86 571 85310000",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_what_is_expected(contact: str) -> None:
    with pytest.raises(
        ValueError, match=r"(?s)setting CONTACT=.*expected an e-mail address or an http"
    ):
        check_contact(contact)


@pytest.mark.parametrize(
    ("given", "agent", "warned"),
    [
        ({}, f"zjolcrawl/{__version__}", True),
        ({"CONTACT": "me@example.org"}, f"zjolcrawl/{__version__} (+me@example.org)", False),
        ({"USER_AGENT": "archivist/1"}, "archivist/1", False),
        ({"USER_AGENT": "archivist/1", "CONTACT": "me@example.org"}, "archivist/1", False),
    ],
)
@pytest.mark.parametrize("priority", ["project", "cmdline"])
def test_user_agent(given: dict[str, str], agent: str, warned: bool, priority: str) -> None:
    settings = Settings()
    settings.setdict(given, priority)
    ContactAddon().update_settings(settings)
    assert settings["USER_AGENT"] == agent
    assert bool(contact_warning(settings)) is warned


def test_a_run_names_the_contact_to_the_site_and_in_the_archive(
    crawl: Crawl, site: SiteProxy, tmp_path: Path
) -> None:
    serve_column(site, [[("2017-08-12", 1)]])
    done = crawl("article", url=url_of(1), CONTACT="https://example.org/bot")
    agents = {request.headers["user-agent"] for request in site.requests}
    assert agents == {f"zjolcrawl/{__version__} (+https://example.org/bot)"}
    assert "CONTACT" not in done.stderr
    with Archive(tmp_path / "warc") as archive:
        (name,) = archive.index.files()
        with archive.open(name) as file:
            info = next(iter(read_records(file)))[2].block.decode()
    assert "operator: https://example.org/bot\r\n" in info


def test_a_run_without_a_contact_warns_once(
    crawl: Crawl, site: SiteProxy, db: Database[dict[str, Any]]
) -> None:
    serve_column(site, [[("2017-08-12", 1), ("2017-08-12", 2)]])
    done = crawl("article", url=f"{url_of(1)},{url_of(2)}", CONTACT="")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("CONTACT is not set") == 1
    assert {request.headers["user-agent"] for request in site.requests} == {
        f"zjolcrawl/{__version__}"
    }
    run = db.runs.find_one()
    assert run is not None
    assert [line for line in run["warnings"] if "CONTACT" in line] == run["warnings"]


def test_a_wrong_contact_is_a_wrong_setting(crawl: Crawl, site: SiteProxy) -> None:
    done = crawl("article", url=url_of(1), CONTACT="notmail")
    assert done.returncode == 2
    assert done.stderr.startswith("zjolcrawl: setting CONTACT=notmail: expected")
    assert len(done.stderr.splitlines()) == 1
    assert not site.requests
