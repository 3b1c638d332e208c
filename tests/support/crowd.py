"""A site with many hosts, and parallel runs that share it."""

from __future__ import annotations

import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pymongo.database import Database

from tests.support.crawling import LONG, QUICK, Running, ended, start_scrapy, wait_until
from tests.support.pages import DAY, article, following, list_page
from tests.support.site import Answer, Request, SiteProxy
from zjolcrawl.archive.archive import Archive
from zjolcrawl.archive.warc import Pointer
from zjolcrawl.site.catalogue import Column, load_catalogue

FIRST = 4774001
_HTML = {"Content-Type": "text/html"}


def columns(count: int) -> list[Column]:
    """This many columns of the catalogue, each on its own host."""
    by_host = {column.site: column for column in load_catalogue().values() if column.enabled}
    others = {c.site: c for c in load_catalogue().values() if c.url.startswith("http://")}
    return list((others | by_host).values())[:count]


def article_of(column: Column, ident: int) -> str:
    """The URL of an article of `serve_hosts`."""
    return f"{column.url}{DAY[:4]}{DAY[5:7]}/t{DAY.replace('-', '')}_{ident}.shtml"


def serve_hosts(
    site: SiteProxy, listed: Iterable[Column], pages: int, on_page: int, more: str = ""
) -> list[str]:
    """Serves columns with this many pages and articles per page; returns the URLs. `more` is HTML in each article."""
    urls = []
    ident = FIRST
    for column in listed:
        host = urlsplit(column.url).hostname
        site.set(f"http://{host}/robots.txt", Answer(body=b"User-agent: *\nAllow: /\n"))
        for number in range(pages):
            idents = range(ident, ident := ident + on_page)
            pager = following(number + 1) if number + 1 < pages else ""
            body = list_page([(DAY, each) for each in idents], pager)
            name = f"index_{number}.shtml" if number else ""
            site.set(column.url + name, Answer(headers=_HTML, body=body))
            for each in idents:
                urls.append(article_of(column, each))
                page = article(DAY, each, more=more.format(each))
                site.set(urls[-1], Answer(headers=_HTML, body=page))
    return urls


@dataclass
class Seen:
    """Requests as the test site saw them: arrival and response times, run and URL.

    `stopped`: when a run was killed or frozen; its requests in progress then stay open at the site.
    `woken`: when a frozen run was woken. The requests that it was about to send are sent then, although the
    lease has ended: nothing can be asked between that last check and the connection.
    """

    spans: list[tuple[float, float, str, str]] = field(default_factory=list)
    stopped: dict[str, float] = field(default_factory=dict)
    woken: dict[str, float] = field(default_factory=dict)

    def note(self, request: Request) -> None:
        """SiteProxy's listener, called when the response is known."""
        agent = next((v for k, v in request.headers.items() if k.lower() == "user-agent"), "")
        self.spans.append((request.time, time.time(), agent, request.url))

    def by_host(self) -> dict[str, list[tuple[float, float, str, str]]]:
        """The same for each host, in the order of arrival."""
        found = defaultdict(list)
        for span in sorted(self.spans):
            found[urlsplit(span[3]).hostname or ""].append(span)
        return found

    def most_at_once(self, host: str) -> int:
        """The largest number of concurrent requests of a host."""
        spans = self.by_host()[host]
        changes = sorted(each for a, b, *_ in spans for each in ((a, 1), (b, -1)))
        now = most = 0
        for _, change in changes:
            now += change
            most = max(most, now)
        return most

    def shortest(self, host: str, requests: int) -> float:
        """The shortest time in seconds in which a host got this many further requests."""
        times = [span[0] for span in self.by_host()[host]]
        return min(b - a for a, b in zip(times, times[requests:], strict=False))

    def shared(self) -> list[str]:
        """Requests to a host during a request of another run there."""
        return [
            f"{host}: {one[3]} by {one[2]} until {one[1]:.2f}, {other[3]} by {other[2]} at {other[0]:.2f}"
            for host, spans in self.by_host().items()
            for one, other in pairwise(self._without_late(spans))
            if one[2] != other[2] and other[0] < self._until(one)
        ]

    def _without_late(
        self, spans: list[tuple[float, float, str, str]]
    ) -> list[tuple[float, float, str, str]]:
        """The requests of a host without the first that each woken run sent within a second."""
        late = set()
        for name, time_woken in self.woken.items():
            first = next((s for s in spans if s[2] == name and s[0] >= time_woken), None)
            if first and first[0] < time_woken + 1:
                late.add(first)
        return [span for span in spans if span not in late]

    def _until(self, span: tuple[float, float, str, str]) -> float:
        begun, answered, agent, _ = span
        stopped = self.stopped.get(agent, 0.0)
        return min(stopped, answered) if begun <= stopped else answered

    def runs(self, host: str) -> list[str]:
        """The runs that requested from a host, in order."""
        names = [agent for _, _, agent, _ in self.by_host()[host]]
        return [name for n, name in enumerate(names) if n == 0 or names[n - 1] != name]


Begin = Callable[..., Running]


@contextmanager
def beginner(
    site: SiteProxy, listed: list[Column], uri: str, database: str, folder: Path
) -> Iterator[tuple[Begin, list[Running]]]:
    """`begin(1, DOWNLOAD_DELAY=1)`: starts `crawl column` with its own folder and user agent; also returns all
    that were started. Those that still run at the end are killed.
    """
    running: list[Running] = []

    def begin(number: int, *arguments: str, name: str = "", **settings: object) -> Running:
        given = {
            "LEASE_SECONDS": 3,
            "PAGE_SECONDS": 1,
            "MONGODB_BATCH_SECONDS": 0.5,
            "USER_AGENT": name or f"run{number}",
        }
        process = start_scrapy(
            "crawl", "column", "-a", "column=" + ",".join(each.id for each in listed), *arguments,
            site=site, data=folder / f"run{number}", uri=uri, database=database,
            settings=(*QUICK, *(f"-s{k}={v}" for k, v in (given | settings).items())),
        )  # fmt: skip
        running.append(process)
        return process

    try:
        yield begin, running
    finally:
        for each in running:
            if each.poll() is None:
                each.kill()
                each.communicate()


class Troubled:
    """Runs that are killed and started again, or frozen until other runs have their hosts.

    `names`: their current user agents. `seen` gets the time when each was stopped.
    """

    def __init__(
        self,
        seen: Seen,
        db: Database[Any],
        begin: Begin,
        begun: list[Running],
        runs: int,
        **settings: object,
    ) -> None:
        self._seen, self._db, self._begin, self._begun = seen, db, begin, begun
        self._settings = settings
        self.running = {number: begin(number, **settings) for number in range(runs)}
        self.names = {number: f"run{number}" for number in self.running}
        self._wait_until_alive()

    def _wait_until_alive(self) -> None:
        """Wait for the last start: a run that starts while no member is primary is refused."""
        placed = {"place": {"$exists": True}}
        wait_until(lambda: self._db.runs.count_documents(placed) == len(self._begun))

    def wait_until(
        self, condition: Callable[[], object], frozen: Running | None = None, seconds: float = LONG
    ) -> None:
        """Wait until the condition holds or all runs but the frozen one have ended.

        A run ends well before the others if it finds no host that nobody holds.
        """
        others = [each for each in self.running.values() if each is not frozen]
        wait_until(
            lambda: condition() or all(each.poll() is not None for each in others), seconds=seconds
        )

    def kill(self, number: int) -> None:
        """Kill a run and start the same command on the same folder, as a supervisor does."""
        self._seen.stopped[self.names[number]] = time.time()
        self.running[number].kill()
        self.running[number].communicate()
        self.names[number] = f"run{number} again {len(self._begun)}"
        self.running[number] = self._begin(number, name=self.names[number], **self._settings)
        self._wait_until_alive()

    def freeze(self, number: int, seconds: float = LONG) -> None:
        """Freeze a run and wake it later."""
        self._seen.stopped[self.names[number]] = time.time()
        frozen = self.running[number]
        frozen.send_signal(signal.SIGSTOP)
        held = {"holder": {"$in": ids_of(self._db, number)}}
        self.wait_until(lambda: not self._db.hosts.count_documents(held), frozen, seconds)
        self._seen.woken[self.names[number]] = time.time()
        frozen.send_signal(signal.SIGCONT)


def ids_of(db: Database[Any], number: int) -> list[Any]:
    """The `_id`s of all runs that were started with this number."""
    found = [each["_id"] for each in db.runs.find({"place": {"$regex": f"run{number}#"}})]
    assert found, f"no run {number}"
    return found


def end(*runs: Running) -> list[str]:
    """Waits for runs that must end well; returns the stderr of each."""
    said = []
    for each in runs:
        _, err = ended(each)
        assert each.returncode == 0, err
        said.append(err)
    return said


def stored(said: str) -> int:
    """How many articles a run stored, by its summary."""
    return int(said.partition("stored ")[2].split()[0])


def faults_of(db: Database[Any], urls: Sequence[str], folder: Path) -> list[str]:
    """Faults at the end: an article that does not exist exactly once, a link that is not stored, a record in
    none of the archives.
    """
    documents = {each["_id"]: each for each in db.articles.find()}
    faults = [f"{url} is not there" for url in urls if url not in documents]
    faults += [f"{url} is there" for url in documents.keys() - set(urls)]
    faults += [f"{url} is edited" for url, each in documents.items() if each["revision"] != 1]
    if again := db.revisions.count_documents({}):
        faults.append(f"{again} revisions of articles that never changed")
    states = Counter(row["state"] for row in db.frontier.find())
    if states != {"stored": len(urls)}:
        faults.append(f"frontier {states}")
    archives = [Archive(each) for each in folder.glob("run*/warc")]
    for url, document in documents.items():
        homes = [a for a in archives if (a.folder / document["warc"]["file"]).exists()]
        block = homes[0].read(Pointer(**document["warc"])).block if len(homes) == 1 else b""
        if f"第{document['doc_id']}篇".encode() not in block:
            faults.append(f"{url}: the record is not the page")
    for each in archives:
        each.close()
    return faults
