"""Counts templates, missing fields and columns of a run, and raises alarms on anomalies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from zjolcrawl.display.drift import Templates, drift_of
from zjolcrawl.items import Article, ColumnVisit
from zjolcrawl.messages import counted

_MISSING = "missing: "
_MOST_DAYS = 31


@dataclass(slots=True)
class Template:
    """How many articles a template parsed, and how many of them lacked each field."""

    articles: int = 0
    missing: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Tally:
    """One run's counts; `former_columns` holds the `columns` rows from before the run."""

    former_columns: Mapping[str, dict[str, Any]] = field(default_factory=dict)
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
        before = self.former_columns.get(visit.column, {}).get("page_links")
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

    def alarms(self, former: Sequence[Templates]) -> list[str]:
        """The alarms, one line each; `former` are the `templates` of earlier runs."""
        drift = drift_of(self.values(), former)
        jumps = [
            f"template {name}: {what} is missing in {trend.now:.0%} of {counted(drift.articles[name], 'article')}, "
            f"{trend.before:.0%} before"
            for name, trends in drift.missing.items()
            for what, trend in trends.items()
            if trend.has_jumped
        ]
        generic = drift.generic
        if generic and generic.has_jumped:
            jumps.append(
                f"{generic.now:.0%} of the articles fit no template, {generic.before:.0%} before"
            )
        return [*self.silent.values(), *jumps]

    def values(self) -> dict[str, Any]:
        """The value of `templates` in the run's document."""
        return {
            name: {"articles": each.articles, "missing": dict(each.missing)}
            for name, each in self.templates.items()
        }


def _listed(days: list[date]) -> str:
    more = f" and {counted(len(days) - _MOST_DAYS, 'more day')}" if len(days) > _MOST_DAYS else ""
    return ", ".join(map(str, days[:_MOST_DAYS])) + more
