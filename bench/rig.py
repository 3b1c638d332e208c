"""Sets up a benchmark crawl: a MongoDB, the synthetic site behind nginx, a data folder."""

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
"""How nginx serves a page: compressed or not, with the charset in Content-Type or not."""


@dataclass(frozen=True, slots=True)
class Rig:
    """The set-up; `pages` counts lists and articles, `proxies` maps servings to `http_proxy`."""

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
        """A connection to the MongoDB server."""
        return MongoClient(self.mongodb, tz_aware=True)

    def crawl(self, serving: str, *, without_search: bool = False, **settings: str) -> Figures:
        """Time a crawl as shipped into an empty database and folder. Raises RuntimeError.

        What it stores stays until the next crawl.
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
        """Time a crawl by bench.bare. Raises RuntimeError."""
        figures = bare(self.proxies[serving], **settings)
        if figures.items != self.articles:
            raise RuntimeError(f"{figures.items} of {self.articles} items of the bare spider")
        return figures


@contextmanager
def rigged(articles: int, *servings: str, bodies: int | None = None) -> Iterator[Rig]:
    """A rig with a site of `articles`; with `bodies` only so many are files, served plain."""
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
