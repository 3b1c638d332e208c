"""Loads the catalogue of digital papers (数字报, papers.toml) and finds the paper of a host."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from zjolcrawl.site.catalogue import Column
from zjolcrawl.site.current import for_site
from zjolcrawl.site.description import Site, made


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
        return urlsplit(self.url).hostname or ""

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


def _papers(site: Site) -> dict[str, Paper]:
    entries = site.table(site.papers).get("paper", [])
    label = f"{site.papers}: paper"
    papers = (made(Paper, each, f"{label} {each.get('id', '')}") for each in entries)
    return {paper.id: paper for paper in papers}


load_papers = for_site(_papers)
"""The papers by id, in file order."""


def paper_of(host: str) -> Paper | None:
    """The paper that a host belongs to, if any."""
    papers = load_papers().values()
    return next((paper for paper in papers if host in (paper.host, *paper.older_hosts)), None)
