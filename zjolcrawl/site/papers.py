"""Loads the catalogue of digital papers (数字报, papers.toml) and finds the paper of a URL."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from zjolcrawl.parsing.urls import host_of
from zjolcrawl.site.catalogue import Column


@dataclass(frozen=True, slots=True)
class Paper:
    """One digital paper; the head of papers.toml explains the fields."""

    id: str
    name: str
    url: str
    entries: tuple[str, ...]
    evidence: str
    name_evidence: str | None = None
    older_hosts: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """The host of its current pages."""
        return host_of(self.url)

    @property
    def column(self) -> Column:
        """The paper as a column: in MongoDB its articles and links have the paper's id in `columns`."""
        return Column(
            self.id, self.name, f"http://{self.host}/", self.host, enabled=False,
            evidence=self.evidence, name_evidence=self.name_evidence,
        )  # fmt: skip

    @property
    def newest(self) -> str:
        """The URL that leads to the newest issue [SEL]."""
        return self.url.removesuffix("html/") + "paperindex.htm"

    def issue(self, day: date) -> str:
        """The base URL of all pages of the issue of a day."""
        return f"{self.url}{day:%Y-%m/%d}/"

    def calendar(self, month: date) -> str:
        """The URL of the calendar of the month that contains a day."""
        return f"{self.url}{month:%Y-%m}/paper_existed.xml"


@cache
def load_papers() -> dict[str, Paper]:
    """The papers by id, in file order."""
    text = (files("zjolcrawl.site") / "papers.toml").read_text(encoding="utf-8")
    entries = tomllib.loads(text)["paper"]
    lists = ("entries", "older_hosts")
    papers = (
        Paper(**{**entry, **{name: tuple(entry.get(name, ())) for name in lists}})
        for entry in entries
    )
    return {paper.id: paper for paper in papers}


def paper_of(url: str) -> Paper | None:
    """The paper that the host of a URL belongs to, if any."""
    host = host_of(url)
    papers = load_papers().values()
    return next((paper for paper in papers if host in (paper.host, *paper.older_hosts)), None)
