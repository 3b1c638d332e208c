"""Text of pages, URLs and files cannot control a terminal; data stays unchanged."""

from __future__ import annotations

import json
import logging
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.export.made import article
from tests.support.crawling import LONG, Crawl
from tests.support.pages import saying, url_of
from tests.support.site import Answer, SiteProxy
from tests.support.warm import Warm
from zjolcrawl.display.terminal import printable

EVIL = (
    "\x1b[31m红\x1b]0;title\x07\x1b]8;;http://evil.example/\x1b\\link\x1b]8;;\x1b\\\x1b[2J\x1bc\x1bP+q\x1b\\\x08\x0b\x0c\x0e\x7f"
    "\x9b31m\x9d0;t\x9c\x85\u2028\u2029\u202e\u2066\u2069\u200f\u061c[bold]x[/bold][link=http://e/]"
)
CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
# Escape sequences that rich writes for colours and the progress bar, and line ends of a terminal.
OWN = re.compile(r"\x1b\[[0-9;]*[mKhlA]|\x1b\[\?25[lh]|\r")

Typed = Callable[..., tuple[int, str]]


def evil(number: int, **more: Any) -> dict[str, Any]:
    """An article with control characters in each text."""
    made = article(number)
    texts = ("title", "kicker", "subtitle", "original_title", "source", "editor_note", "body",
             "page_number", "page_name", "pdf", "site_name", "doc_id")  # fmt: skip
    made |= dict.fromkeys(texts, f"{number}{EVIL}")
    made |= {
        name: [EVIL] for name in ("tags", "breadcrumb", "warnings", "aliases", "columns", "pages")
    }
    made["body_html"] = (
        f"<h2>{EVIL}</h2><ul><li>{EVIL}</li></ul><table><tr><td>{EVIL}</td></tr></table>"
    )
    made["images"][0] |= {"caption": EVIL, "alt": EVIL, "path": EVIL}
    made["authors"] = made["editors"] = [{"name": EVIL, "role": EVIL, "outlet": EVIL}]
    made["videos"] = [{"url": EVIL, "ref": "x", "name": EVIL}]
    made["warc"] |= {"file": EVIL, "record_id": EVIL}
    made["parser"] = {"template": EVIL, "version": 1}
    return made | more


@pytest.fixture
def poisoned(db: Database[Any]) -> str:
    """Control characters in each collection; returns the URL of an article."""
    at = article(0)["changed_at"]
    former = evil(0)
    newest = evil(0, title=f"新{EVIL}", body=f"新{EVIL}。", revision=2, content_sha256="1" * 64,
                  changed_at=at + timedelta(hours=1), status="gone", tags=[EVIL, "新"])  # fmt: skip
    db.articles.insert_many([newest, evil(1)])
    db.revisions.insert_one({**former, "_id": {"url": former["_id"], "revision": 1}})
    db.runs.insert_one({"started_at": at, "ended_at": at, "exit_status": 1, "finish_reason": EVIL, "arguments":
                        {"spider": EVIL, "url": EVIL}, "counts": {"new": 1}, "alarms": [EVIL], "warnings": [EVIL],
                        "templates": {EVIL: {"articles": 99, "missing": {"title": 50}}}})  # fmt: skip
    db.columns.insert_one(
        {"_id": EVIL, "name": EVIL, "url": EVIL, "last_error": EVIL, "last_error_at": at}
    )
    db.frontier.insert_one({"_id": f"http://zjnews.zjol.com.cn/x{EVIL}", "state": "failed", "kind": "article",
                            "columns": [EVIL], "discovered_at": at, "attempts": 1, "last_error": EVIL})  # fmt: skip
    db.frontier.insert_one({"_id": url_of(4774009), "state": "failed", "kind": "article",
                            "discovered_at": at, "attempts": 1, "last_error": EVIL})  # fmt: skip
    return str(newest["_id"])


@pytest.fixture
def typed(mongodb_uri: str, database: str, tmp_path: Path) -> Typed:
    """`typed("article", URL)` runs a command in a terminal and returns its exit status and output."""

    def run(*arguments: str) -> tuple[int, str]:
        inner, outer = pty.openpty()
        environment = {**os.environ, "MONGODB_URI": mongodb_uri, "MONGODB_DATABASE": database,
                       "DATA_DIR": str(tmp_path), "TERM": "xterm-256color"}  # fmt: skip
        running = Warm(arguments, environment, terminal=outer)
        os.close(outer)
        parts: list[bytes] = []
        try:
            while part := os.read(inner, 65536):
                parts.append(part)
        except OSError:  # EIO: the other end is closed
            pass
        os.close(inner)
        return running.wait(timeout=LONG), b"".join(parts).decode()

    return run


COMMANDS = [
    ("article", "URL"), ("article", "URL", "--revision", "1"), ("article", "URL", "--json"), ("article", url_of(4774009)),
    ("article", f"http://zjnews.zjol.com.cn/{EVIL}"), ("history", "URL"), ("search", "link"), ("search", "link", "--json"),
    ("runs",), ("runs", "--json"), ("health",), ("health", "--json"), ("coverage",), ("coverage", "--json"), ("audit",),
    ("audit", EVIL), ("columns",), ("export", "-"), ("export", "-", "--format", "csv"), ("export", f"/nowhere/{EVIL}.jsonl"),
    ("import", f"nowhere{EVIL}"), ("archive", "wacz", "-o", EVIL), ("crawl", EVIL), ("crawl", "column", "-a", f"since={EVIL}"),
]  # fmt: skip


TEXTS = [each for each in COMMANDS if "--json" not in each and "-" not in each]


@pytest.mark.parametrize("arguments", COMMANDS, ids=range(len(COMMANDS)))
def test_terminal(arguments: tuple[str, ...], poisoned: str, typed: Typed) -> None:
    status, told = typed(
        *(poisoned if each == "URL" else each.replace("\0", "") for each in arguments)
    )
    assert "Traceback" not in told
    assert status in {0, 1, 2}
    assert CONTROL.findall(OWN.sub("", told)) == []
    assert "\x1b]" not in told
    # The article's own escape sequences are shown as text; only rich sets colours.
    assert "\x1b[31m红" not in told


@pytest.mark.parametrize("arguments", TEXTS, ids=range(len(TEXTS)))
def test_pipe_has_printable_text(arguments: tuple[str, ...], poisoned: str, command: Crawl) -> None:
    done = command(*(poisoned if each == "URL" else each.replace("\0", "") for each in arguments))
    assert CONTROL.findall(done.stdout + done.stderr) == []
    assert "Traceback" not in done.stderr


def test_data_in_a_pipe_stays_as_it_is(poisoned: str, command: Crawl, db: Database[Any]) -> None:
    stored = db.articles.find_one({"_id": poisoned})
    assert stored
    told = json.loads(command("article", poisoned, "--json").stdout)
    assert (told["title"], told["tags"]) == (stored["title"], stored["tags"])
    assert json.loads(command("runs", "--json").stdout)[0]["alarms"] == [EVIL]
    assert json.loads(command("search", "link", "--json").stdout)[0]["source"].endswith(EVIL)
    exported = [json.loads(line) for line in command("export", "-").stdout.split("\n") if line]
    assert {each["title"] for each in exported} == {stored["title"], f"1{EVIL}"}


def test_raw_is_exact_in_a_pipe_and_printable_in_a_terminal(
    site: SiteProxy, crawl: Crawl, command: Crawl, typed: Typed
) -> None:
    page = saying(4774001, f"说了一句话，后面有{EVIL}，再说一句").body
    site.set(url_of(4774001), Answer(body=page))
    crawl("article", url=url_of(4774001))
    assert command("article", url_of(4774001), "--raw").stdout.encode() == page.replace(
        b"\r", b"\n"
    )
    for form in ("--raw", "--record"):
        _, told = typed("article", url_of(4774001), form)
        assert CONTROL.findall(OWN.sub("", told)) == []


def test_import_of_an_evil_file(typed: Typed, command: Crawl, tmp_path: Path) -> None:
    path = tmp_path / f"{EVIL.replace('/', '')}.jsonl"
    made = {"_id": EVIL, "title": EVIL, EVIL: 1, "status": EVIL}
    path.write_text(
        json.dumps(made, ensure_ascii=False)
        + f'\n{EVIL}\n{{"published_at": "{EVIL}"}}\n{{"$x{EVIL}": 1}}'
    )
    for told in (typed("import", str(path))[1], command("import", str(path)).stderr):
        assert CONTROL.findall(OWN.sub("", told)) == []
        assert ".jsonl:1: " in told


def test_log_lines_and_summary_of_a_crawl(site: SiteProxy, crawl: Crawl, typed: Typed) -> None:
    site.set(
        url_of(4774001),
        Answer(
            status=301,
            headers={"Location": f"http://evil.example/{EVIL[:40]}".encode().decode("latin-1")},
        ),
    )
    done = crawl("article", url=url_of(4774001), LOG_LEVEL="DEBUG")
    assert CONTROL.findall(done.stderr) == []
    assert "Traceback" not in done.stderr


def test_a_log_record_is_printable(tmp_path: Path) -> None:
    """The log handler that Scrapy creates writes to the sanitised stream."""
    code = (
        "import logging, sys; from zjolcrawl.display.terminal import sanitize_output; sanitize_output(); from scrapy.utils.log import"
        f" configure_logging; configure_logging(); logging.error({EVIL!r}); print({EVIL!r}); raise ValueError({EVIL!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert CONTROL.findall(done.stdout + done.stderr) == []
    assert done.stderr.count("␛[31m红") == 2
    assert logging.ERROR  # a level that is always shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\tb\nc", "a\tb\nc"), ("\x1b[0m", "␛[0m"), ("\0\r\x7f", "␀␍␡"), ("\x85\x9b\u2028", "���"), ("\u202eabc", "�abc"),
     ("\ud800", "�"), ("浙江，😀", "浙江，😀"), ("", "")],
)  # fmt: skip
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert len(printable(text)) == len(text)
