"""Watches: each event once, by webhook, mail and apprise, also through kills and failures."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.crawling import LONG, Begin, Crawl, ended, start_scrapy, wait_until
from tests.support.pages import COLUMN, DAY, HOST, saying, serve_column, url_of
from tests.support.site import Answer, SiteProxy

FIRST = 4774001
TERM = "西湖"


class Hook:
    """A webhook on loopback: `received` are the bodies; `answer` decides the status of each, or kills somebody."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.answer: Callable[[int], int] = lambda number: 200
        self.after: Callable[[int], None] = lambda number: None
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.received.append(json.loads(body))
                hook.keys.append(self.headers["Idempotency-Key"])
                number = len(hook.received)
                self.send_response(hook.answer(number))
                self.send_header("Content-Length", "0")
                self.end_headers()
                self.wfile.flush()
                hook.after(number)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/T0P-SECRET"

    def events(self) -> list[dict[str, Any]]:
        return [event for each in self.received for event in each["events"]]

    def well(self) -> None:
        self.answer, self.after = lambda number: 200, lambda number: None


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    proxied = SiteProxy.environ.fget
    direct = dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1")
    monkeypatch.setattr(SiteProxy, "environ", property(lambda self: {**proxied(self), **direct}))
    made = Hook()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Writes the watch file, and names it in WATCH_FILE."""

    def write(text: str) -> Path:
        path = tmp_path / "watch.toml"
        path.write_text(text, encoding="utf-8")
        monkeypatch.setenv("WATCH_FILE", str(path))
        return path

    return write


def one(hook: Hook, more: str = "", name: str = "湖") -> str:
    return f'[[watch]]\nname = "{name}"\nterms = "{TERM}"\nwebhook = ["{hook.url}"]\n{more}\n'


def serve(site: SiteProxy, count: int, words: Callable[[int], str]) -> None:
    serve_column(site, [[(DAY, FIRST + n) for n in range(count)]])
    for n in range(count):
        site.set(url_of(FIRST + n), saying(FIRST + n, words(n)))


def told(hook: Hook) -> Counter[tuple[str, str]]:
    return Counter((event["event"], event["url"]) for event in hook.events())


def run(crawl: Crawl, **more: object) -> Any:
    return crawl("column", url=COLUMN, recheck="on", **more)


def test_new_edited_gone_and_returned_are_told_once_each(
    site: SiteProxy, db: Database[Any], crawl: Crawl, hook: Hook, watch: Callable[[str], Path]
) -> None:
    serve(site, 3, lambda n: TERM if n else "别处")
    run(crawl)  # nothing watches yet
    watch(one(hook))
    assert run(crawl).returncode == 0
    assert hook.received == []  # nothing is told of runs before
    serve(site, 4, lambda n: f"{TERM}又改" if n == 1 else TERM if n else "别处")
    assert run(crawl).returncode == 0
    wanted = Counter({("edited", url_of(FIRST + 1)): 1, ("new", url_of(FIRST + 3)): 1})
    assert told(hook) == wanted
    assert run(crawl).returncode == 0
    assert told(hook) == wanted
    site.set(url_of(FIRST + 2), Answer(status=404))
    for day in (1, 3, 6, 11, 20):
        run(crawl, ahead=day)
    wanted["gone", url_of(FIRST + 2)] = 1
    assert told(hook) == wanted
    serve(site, 4, lambda n: f"{TERM}又改" if n == 1 else TERM if n else "别处")
    run(crawl, ahead=40)
    wanted["returned", url_of(FIRST + 2)] = 1
    assert told(hook) == wanted
    assert hook.keys == [each["id"] for each in hook.received]
    assert not any(each["repeat"] for each in hook.received)
    assert db.outbox.count_documents({"state": {"$in": ["waiting", "takedown"]}}) == 0
    assert db.runs.count_documents({"watching": True}) == 0


def test_reparse_and_import_tell_nothing(
    site: SiteProxy, db: Database[Any], crawl: Crawl, command: Crawl, hook: Hook, tmp_path: Path,
    watch: Callable[[str], Path],
) -> None:  # fmt: skip
    serve(site, 3, lambda n: "别处")
    watch(one(hook))
    run(crawl)
    file = tmp_path / "out.jsonl"
    assert command("export", str(file), "--revisions").returncode == 0
    file.write_text(file.read_text("utf-8").replace("别处", TERM), "utf-8")
    db.articles.delete_many({})
    assert command("import", str(file)).returncode == 0
    assert db.articles.count_documents({"body": {"$regex": TERM}}) == 3
    assert command("watch").returncode == 0
    db.articles.delete_many({})
    assert crawl("reparse").returncode == 0
    assert db.articles.count_documents({}) == 3
    assert command("watch").returncode == 0
    serve(site, 3, lambda n: TERM)
    assert run(crawl).returncode == 0
    assert told(hook) == Counter({("edited", url_of(FIRST + n)): 1 for n in range(3)})


@pytest.mark.kill
def test_twenty_of_100_edits_are_told_once_through_five_kills(
    site: SiteProxy, db: Database[Any], crawl: Crawl, begin: Begin, hook: Hook,
    watch: Callable[[str], Path],
) -> None:  # fmt: skip
    serve(site, 100, lambda n: "别处")
    watch(one(hook, "only_added = true"))
    assert run(crawl).returncode == 0

    def edited(n: int) -> str:
        return f"改成{TERM}" if n % 5 == 0 else "改成别处"

    serve(site, 100, edited)
    asked = count(1)
    for n in range(100):  # the first run gets 60 of them until it is killed
        page = saying(FIRST + n, edited(n))
        site.set(
            url_of(FIRST + n),
            lambda _, page=page: page if next(asked) <= 60 else replace(page, delay=LONG),
        )

    def begun(*more: str) -> Any:
        return begin("column", "-a", f"url={COLUMN}", *more)

    def killed(running: Any) -> None:
        wait_until(lambda: running.poll() is not None)
        running.communicate()

    first = begun("-a", "recheck=on")  # while it stores edits
    wait_until(lambda: db.articles.count_documents({"revision": 2}) > 20, first)
    os.kill(first.pid, signal.SIGKILL)
    killed(first)
    assert db.articles.count_documents({"revision": 2}) <= 60
    serve(site, 100, edited)
    gate = threading.Event()
    hook.answer = lambda number: 200 if gate.wait(60) else 500
    second = begun("-a", "recheck=on")  # when the outbox is filled
    wait_until(lambda: db.outbox.count_documents({"state": "waiting"}), second)
    os.kill(second.pid, signal.SIGKILL)
    killed(second)
    gate.set()
    hook.well()
    for moment in ("before the answer", "after the answer", "after a failure"):
        pid: list[int] = []
        base = len(hook.received)

        def strike(number: int, base: int = base, pid: list[int] = pid) -> None:
            if number == base + 3:
                os.kill(pid[0], signal.SIGKILL)

        if moment == "before the answer":
            hook.answer = lambda number: strike(number) or 200
        elif moment == "after the answer":
            hook.after = strike
        else:
            hook.answer = lambda number, base=base: 503 if number == base + 2 else 200
            hook.after = strike
        running = begun()
        pid.append(running.pid)
        killed(running)
        hook.well()
    done = run(crawl)
    assert done.returncode == 0, done.stderr
    ids = {event["id"]: event for event in hook.events()}
    assert {event["url"] for event in ids.values()} == {url_of(FIRST + n) for n in range(0, 100, 5)}
    assert len(ids) == 20
    fresh = Counter(each["id"] for each in hook.received if not each["repeat"])
    assert set(fresh.values()) == {1}  # whatever came twice says so, with the same id
    assert len(hook.received) <= 20 + 5
    before = len(hook.received)
    assert run(crawl).returncode == 0
    assert len(hook.received) == before


def test_two_runs_in_parallel_tell_each_event_once(
    site: SiteProxy, mongodb_uri: str, database: str, tmp_path: Path, crawl: Crawl, hook: Hook,
    watch: Callable[[str], Path],
) -> None:  # fmt: skip
    serve(site, 40, lambda n: "别处")
    watch(one(hook, "digest = 100"))
    assert run(crawl).returncode == 0
    serve(site, 40, lambda n: TERM)
    both = [
        start_scrapy(
            "crawl", "column", "-a", f"url={COLUMN}", "-a", "recheck=on",
            site=site, data=tmp_path / name, uri=mongodb_uri, database=database,
        )
        for name in ("a", "b")
    ]  # fmt: skip
    for each in both:
        _, err = ended(each)
        assert each.returncode == 0, err
    assert told(hook) == Counter({("edited", url_of(FIRST + n)): 1 for n in range(40)})


def test_a_receiver_that_fails_is_tried_after_the_next_runs_and_given_up(
    site: SiteProxy, db: Database[Any], crawl: Crawl, command: Crawl, hook: Hook,
    watch: Callable[[str], Path],
) -> None:  # fmt: skip
    watch(one(hook))
    serve(site, 1, lambda n: TERM)
    hook.answer = lambda number: 500
    done = run(crawl)
    assert done.returncode == 1
    address = hook.url.removesuffix("/T0P-SECRET")
    assert f"watch 湖, webhook {address}: 1 event not sent (HTTP Error 500" in done.stderr
    assert "SECRET" not in done.stderr
    for _ in range(6):  # however often within a day
        assert "tries again" in command("watch").stderr
    done = run(crawl, ahead=1.01)
    assert "given up after 8 attempts" in done.stderr
    assert done.returncode == 1
    assert run(crawl).returncode == 0
    assert [each["repeat"] for each in hook.received] == [False, *[True] * 7]
    assert len({each["id"] for each in hook.received}) == 1
    assert "SECRET" not in json.dumps([*db.outbox.find(), *db.runs.find()], default=str)


def test_receivers_can_be_tried(
    db: Database[Any], command: Crawl, hook: Hook, watch: Callable[[str], Path]
) -> None:
    watch(one(hook) + one(hook, name="空"))
    hook.answer = lambda number: 500 if number == 2 else 200
    done = command("watch", "--test")
    assert done.returncode == 1
    address = hook.url.removesuffix("/T0P-SECRET")
    first, second = done.stderr.splitlines()
    assert first == f"zjolcrawl: watch 湖, webhook {address}: taken"
    assert f"watch 空, webhook {address}: HTTP Error 500" in second
    assert [event["event"] for event in hook.events()] == ["test", "test"]
    assert db.outbox.count_documents({}) == 0
    hook.well()
    assert command("watch", "--test").returncode == 0


def test_many_events_are_one_message(
    site: SiteProxy, crawl: Crawl, hook: Hook, watch: Callable[[str], Path]
) -> None:
    watch(one(hook, "digest = 5"))
    serve(site, 9, lambda n: TERM)
    hook.answer = lambda number: 500 if number == 1 else 200
    assert run(crawl).returncode == 1
    serve(site, 10, lambda n: TERM)
    assert run(crawl).returncode == 0
    assert [len(each["events"]) for each in hook.received] == [9, 9, 1]
    assert hook.received[0]["id"] == hook.received[1]["id"]


def test_dry_run_lists_what_would_have_been_told(
    site: SiteProxy, db: Database[Any], crawl: Crawl, command: Crawl, hook: Hook,
    watch: Callable[[str], Path],
) -> None:  # fmt: skip
    serve(site, 3, lambda n: TERM if n == 1 else "别处")
    run(crawl)
    watch(one(hook) + one(hook, name="空").replace(TERM, "没有"))
    done = command("watch", "--dry-run", "--days", "1")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "湖: 1 event"
    assert lines[2].strip() == url_of(FIRST + 1)
    assert lines[3] == "空: 0 events"
    (event,) = json.loads(command("watch", "--dry-run", "--json").stdout)
    assert (event["event"], event["url"]) == ("new", url_of(FIRST + 1))
    whole = command("watch", "--dry-run", "--days", "36500")  # longer than there are timestamps
    assert whole.stdout.splitlines()[0] == "湖: 1 event"
    assert hook.received == []
    assert db.outbox.count_documents({}) == 0


def test_a_receiver_that_was_removed_is_named(
    site: SiteProxy, crawl: Crawl, hook: Hook, watch: Callable[[str], Path]
) -> None:
    watch(one(hook))
    serve(site, 1, lambda n: TERM)
    hook.answer = lambda number: 500
    run(crawl)
    watch(one(hook, name="另一个"))
    done = run(crawl)
    assert "watch 湖: 1 event dropped" in done.stderr
    assert run(crawl).returncode == 0
    assert len(hook.received) == 1


def test_a_redirect_is_a_failure_and_an_odd_article_no_hindrance(
    site: SiteProxy, db: Database[Any], crawl: Crawl, hook: Hook, watch: Callable[[str], Path]
) -> None:
    moved = f"{HOST}/hook"
    site.set(moved, Answer(status=302, headers={"Location": f"{HOST}/login"}))
    site.set(f"{HOST}/login", Answer(body=b"login"))
    watch(one(hook) + one(hook, name="移").replace(hook.url, moved))
    serve(site, 2, lambda n: TERM)
    run(crawl)
    odd = {
        "_id": "http://zjnews.zjol.com.cn/odd",
        "changed_at": "yesterday",
        "title": 3,
        "body": [TERM],
    }
    db.articles.insert_one(odd, bypass_document_validation=True)
    db.articles.update_one(
        {"_id": odd["_id"]}, {"$currentDate": {"written_at": {"$type": "timestamp"}}},
        bypass_document_validation=True,
    )  # fmt: skip
    serve(site, 3, lambda n: TERM)
    done = run(crawl)
    assert done.returncode == 1
    assert (
        "watch 移, webhook http://zjnews.zjol.com.cn: 1 event not sent (HTTP Error 302"
        in done.stderr
    )
    assert told(hook) == Counter({("new", url_of(FIRST + n)): 1 for n in range(3)})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[watch]]\nterms = 'a'", "watch.toml: watch 1: name is missing"),
        ("[[watch]]\nname = '湖'", "watch 湖: give a receiver: mail, webhook or apprise"),
        ("[[watch]]\nname = '湖'\nwebhook = 'http://x/'", 'webhook has the wrong type: expected a list, as in ["…"]'),
        ("[[watch]]\nname = '湖'\ndigest = '9'\nmail = []", "digest has the wrong type: expected a whole number"),
        ("[[watch]]\nname = '湖'\nwords = 'x'", "unknown key words: known are name, terms, columns"),
        ("[[watch]]\nname = '湖'\nwebhook = ['ftp://x/S3CRET']", "watch 湖: webhook: expected http"),
        ("[[watch]]\nname = '湖'\nevents = []\nwebhook=['http://x/']", "events: expected new, edited"),
        ("[[watch]]\nname = '湖'\nwebhook=['http://x:99999/']", "webhook: expected http"),
        ("[[watch]]\nname = '湖'\nmail = ['a@b.cn']", "mail needs the setting MAIL_FROM"),
        ("[[watch]]\nname = '湖'\nmail = ['x']", "mail: 'x' is not an e-mail address"),
        ("[[watch]]\nname = '湖'\nterm = 'x'", "watch 湖: unknown key term: did you mean terms?"),
        ("[[watch]]\nname = '湖'\nterms = '-x'\nwebhook=['http://x/']", "terms: give a word"),
        ("[[watch]]\nname = '湖'\ncolumns = ['zjxv']\nwebhook=['http://x/']", "did you mean zjxw"),
        ("[[watch]]\nname = '湖'\nevents = ['edit']\nwebhook=['http://x/']", "unknown event 'edit'"),
        ("[[watch]]\nname = '湖'\ndigest = 0\nwebhook=['http://x/']", "digest: expected a whole"),
        ("[[watch]]\nname = '湖'\nmin_change = true\nwebhook=['http://x/']", "min_change: expected"),
        ('[[watch]]\nname = "a\\u0007"\nwebhook=["http://x/"]', "watch 1: name: expected 1"),
        ("[[watch]]\nname = '湖'\napprise = ['nothing://S3CRET']", "'nothing' is not one of"),
        ("[watch]\nname = '湖'", "write it as [[watch]]"),
        ("[[watches]]", "unknown key watches"),
        ("[[watch", "watch.toml: "),
        (2 * "[[watch]]\nname = '湖'\nwebhook = ['http://x/']\n", "two watches have the name 湖"),
    ],
)  # fmt: skip
def test_an_invalid_file_is_refused_before_the_crawl(
    text: str, expected: str, db: Database[Any], crawl: Crawl, watch: Callable[[str], Path]
) -> None:
    watch(text)
    done = run(crawl)
    assert done.returncode == 2
    assert expected in done.stderr
    assert "S3CRET" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert db.runs.count_documents({}) == 0
