"""What every crawl of a benchmark needs: a MongoDB, the made site behind nginx, a data folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from bench.crawls import bare, ours
from bench.nginx import serve
from bench.site import build
from bench.timed import Figures
from zjolcrawl.storage.embedded import EmbeddedServer

SERVINGS = ("plain", "plain+charset", "gzip", "gzip+charset")
"""How nginx may send a page: squeezed or not, its charset in Content-Type or not."""


@dataclass(frozen=True, slots=True)
class Rig:
    """`pages`: lists and articles; `proxies`: by serving, what `http_proxy` must be."""

    folder: Path
    mongodb: str
    articles: int
    pages: int
    proxies: dict[str, str]

    @property
    def data(self) -> Path:
        """The data folder of the crawls."""
        return self.folder / "data"

    def client(self) -> MongoClient[dict[str, Any]]:
        """A connection to the server."""
        return MongoClient(self.mongodb, tz_aware=True)

    def crawl(self, serving: str, *, without_search: bool = False, **settings: str) -> Figures:
        """A crawl as shipped, into an empty database and folder. Raises RuntimeError.

        What it stored stays until the next one.
        """
        with self.client() as client:
            client.drop_database("zjol")
            shutil.rmtree(self.data, ignore_errors=True)
            figures = ours(
                self.proxies[serving], self.mongodb, self.data,
                without_search=without_search, **settings,
            )  # fmt: skip
            stored = client["zjol"]["articles"].count_documents({})
        if stored != self.articles and "ITEM_PIPELINES" not in settings:
            raise RuntimeError(f"{stored} of {self.articles} articles stored")
        return figures

    def crawl_bare(self, serving: str, **settings: str) -> Figures:
        """A crawl by bench.bare. Raises RuntimeError."""
        figures = bare(self.proxies[serving], **settings)
        if figures.items != self.articles:
            raise RuntimeError(f"{figures.items} of {self.articles} items of the bare spider")
        return figures


@contextmanager
def rigged(articles: int, *servings: str, bodies: int | None = None) -> Iterator[Rig]:
    """With a site of so many articles, of which `bodies` are files (then it is served plain)."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(EmbeddedServer.acquire(folder))
        site = folder / "site"
        pages = build(site, articles, bodies=bodies, squeeze=bodies is None)
        proxies = {
            serving: stack.enter_context(
                serve(
                    site, folder / f"nginx-{serving}",
                    gzip="gzip" in serving, charset="charset" in serving, copies=bodies is not None,
                )
            )
            for serving in servings
        }  # fmt: skip
        yield Rig(folder, server.uri, articles, pages, proxies)
