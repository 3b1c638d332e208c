"""Runs `scrapy browse` as a user does, and a client that sends exactly what it is given."""

from __future__ import annotations

import http.client
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from tests.support.crawling import LONG, Running, ended, start_scrapy


@dataclass(frozen=True, slots=True)
class Got:
    """A response; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def main(self) -> str:
        """The content of a page, without the frame, whose links name the URL that was asked for."""
        return self.text.partition("<main")[2].partition("</main>")[0]


class Web:
    """A client of the web pages at an address."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._netloc = urlsplit(url).netloc

    def get(
        self, path: str, method: str = "GET", headers: dict[str, str] | None = None, **asked: object
    ) -> Got:
        """The response to a path and a query."""
        return self.raw(f"{path}?{urlencode(asked)}" if asked else path, method, headers)

    def raw(self, target: str, method: str = "GET", headers: dict[str, str] | None = None) -> Got:
        """The response to a request target, sent unchanged."""
        connection = http.client.HTTPConnection(self._netloc, timeout=LONG)
        try:
            connection.request(method, target, headers=headers or {})
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Got(answer.status, named, answer.read())
        finally:
            connection.close()


class PatientWeb(Web):
    """Asks again after a 503: on a busy machine the database may take longer than a page waits for it."""

    def raw(self, target: str, method: str = "GET", headers: dict[str, str] | None = None) -> Got:
        for _ in range(20):
            if (got := super().raw(target, method, headers)).status != 503:
                break
        return got


@contextmanager
def browsing(data: Path, uri: str, database: str, *options: str) -> Iterator[tuple[Web, Running]]:
    """Runs the command on a free port and ends it afterwards."""
    running = start_scrapy(
        "browse", "--port", "0", *options, site=None, data=data, uri=uri, database=database
    )
    assert running.stdout
    try:
        line = running.stdout.readline()
        assert line.startswith("http://"), running.communicate()[1]
        yield Web(line.split()[0].rstrip("/")), running
    finally:
        if running.poll() is None:
            running.terminate()
        _, told = ended(running)
        sys.stderr.write(told)
