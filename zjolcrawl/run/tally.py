"""Counts templates, missing fields and columns of a run, and raises alarms on anomalies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from zjolcrawl.items import Article, ColumnVisit
from zjolcrawl.messages import counted
from zjolcrawl.storage.queries.coverage import FEWEST, GENERIC, has_jumped

_MISSING = "missing: "
_MOST_DAYS = 31


@dataclass(slots=True)
class Template:
    """How many articles a template parsed, and how many of them lacked each field."""

    articles: int = 0
    missing: Counter[str] = field(default_factory=Counter)

    def rate(self, name: str) -> float:
        """The share of articles without the field."""
        return self.missing[name] / self.articles if self.articles else 0.0


@dataclass(slots=True)
class Tally:
    """One run's counts; `known` holds the `columns` rows from before the run."""

    known: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)
    silent: dict[str, str] = field(default_factory=dict)
    without_issue: dict[str, list[date]] = field(default_factory=dict)

    def article(self, article: Article) -> None:
        """Count an article."""
        template = self.templates.setdefault(article.template, Template())
        template.articles += 1
        lacking = [w.removeprefix(_MISSING) for w in article.warnings if w.startswith(_MISSING)]
        template.missing.update(lacking)

    def column(self, visit: ColumnVisit) -> None:
        """Note a column whose first page is empty but was not before."""
        before = self.known.get(visit.column, {}).get("page_links")
        if visit.page == 0 and not visit.links and not visit.not_modified and before:
            why = visit.error or "an empty list"
            self.silent[visit.column] = (
                f"column {visit.column} lists nothing, {before} before: {why}"
            )

    def no_issue(self, paper: str, day: date) -> None:
        """Note a requested day on which a paper has no issue."""
        self.without_issue.setdefault(paper, []).append(day)

    def missing_issues(self) -> dict[str, str]:
        """One line per paper on its days without an issue."""
        return {
            paper: f"paper {paper}: no issue of {_listed(sorted(days))}"
            for paper, days in self.without_issue.items()
        }

    def alarms(self, former: Iterable[dict[str, Any]]) -> list[str]:
        """The alarms, one line each; `former` are the `templates` of earlier runs."""
        before: dict[str, Template] = {}
        for run in former:
            for name, row in run.items():
                sum_ = before.setdefault(name, Template())
                sum_.articles += row["articles"]
                sum_.missing.update(row["missing"])
        jumps = [
            f"template {name}: {what} is missing in {now.rate(what):.0%} of {counted(now.articles, 'article')}, "
            f"{then.rate(what):.0%} before"
            for name, now in self.templates.items()
            if (then := before.get(name)) and min(now.articles, then.articles) >= FEWEST
            for what in sorted(now.missing)
            if has_jumped(now.rate(what), then.rate(what))
        ]
        return [*self.silent.values(), *jumps, *self._strange(before)]

    def _strange(self, before: dict[str, Template]) -> list[str]:
        """An alarm if the generic parser suddenly handles far more articles than before."""
        now = _share(self.templates)
        if sum(t.articles for t in self.templates.values()) < FEWEST or not before:
            return []
        then = _share(before)
        if not has_jumped(now, then):
            return []
        return [f"{now:.0%} of the articles fit no template, {then:.0%} before"]

    def values(self) -> dict[str, Any]:
        """The value of `templates` in the run's document."""
        return {
            name: {"articles": each.articles, "missing": dict(each.missing)}
            for name, each in self.templates.items()
        }


def _listed(days: list[date]) -> str:
    more = f" and {counted(len(days) - _MOST_DAYS, 'more day')}" if len(days) > _MOST_DAYS else ""
    return ", ".join(map(str, days[:_MOST_DAYS])) + more


def _share(templates: Mapping[str, Template]) -> float:
    everything = sum(each.articles for each in templates.values())
    return templates[GENERIC].articles / everything if GENERIC in templates else 0.0
