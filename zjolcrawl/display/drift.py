"""Detects template drift: which templates read articles and what they missed, compared with earlier runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zjolcrawl.display.findings import Finding
from zjolcrawl.messages import counted
from zjolcrawl.storage.queries.coverage import GENERIC

FEWEST = 10
"""Articles; a rate over fewer is not significant."""
JUMP = 0.3
"""A difference of two shares (0 to 1) above this needs a person."""
Templates = Mapping[str, Mapping[str, Any]]
"""`templates` of a run: by name, the number of `articles` and how many lack each field in `missing`."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A share (0 to 1) `now` and `before`, None if there was nothing before; `articles`: the fewer of both."""

    now: float
    before: float | None
    articles: int

    @property
    def has_jumped(self) -> bool:
        """Whether the share has grown so much that a change of the site is likely."""
        return self.before is not None and self.articles >= FEWEST and self.now - self.before > JUMP

    def __str__(self) -> str:
        return f"{self.now:.0%}" + ("" if self.before is None else f" ({self.before:.0%} before)")


@dataclass(frozen=True, slots=True)
class Drift:
    """The newest run beside earlier ones: its `articles` and their share by template, the most frequent first.

    `missing` has the fields that articles lack, by template and name.
    """

    articles: Counter[str]
    mix: dict[str, Trend]
    missing: dict[str, dict[str, Trend]]

    @property
    def generic(self) -> Trend | None:
        """The share that fits no template. A new mix of the others may come from other columns."""
        return self.mix.get(GENERIC)


def drift_of(newest: Templates, earlier: Sequence[Templates]) -> Drift:
    """The drift of a run.

    Earlier runs are averaged over articles, so that a run of 3 articles weighs less than one of 300.
    """
    now, before = _articles(newest), sum(map(_articles, earlier), Counter[str]())
    lacking, lacked = _missing(newest), sum(map(_missing, earlier), Counter[tuple[str, str]]())
    total, total_before = now.total(), before.total()
    return Drift(
        now,
        {name: _trend(count, total, before[name], total_before) for name, count in now.most_common()},
        {
            name: {
                what: _trend(count, now[name], lacked[name, what], before[name])
                for (template, what), count in sorted(lacking.items())
                if template == name
            }
            for name in sorted(now)
        },
    )  # fmt: skip


def of_templates(runs: Sequence[Templates]) -> Iterator[Finding]:
    """Findings on the `templates` of runs (newest first): the mix, then the missing fields by template."""
    if not runs or not _articles(runs[0]):
        yield Finding("templates", "no run has read an article yet")
        return
    drift = drift_of(runs[0], runs[1:])
    mix = ", ".join(f"{name} {trend}" for name, trend in drift.mix.items())
    text = f"{mix}, of {counted(drift.articles.total(), 'article')}"
    bad = drift.generic is not None and drift.generic.has_jumped
    yield Finding("templates", text, bad, {"articles": dict(drift.articles)})
    for name, trends in drift.missing.items():
        if trends:
            yield _lacks(name, drift.articles[name], trends)


def _lacks(name: str, articles: int, trends: dict[str, Trend]) -> Finding:
    text = ", ".join(f"{what} {trend}" for what, trend in trends.items())
    bad = any(trend.has_jumped for trend in trends.values())
    values = {
        "template": name, "articles": articles,
        "missing": {what: {"now": each.now, "before": each.before} for what, each in trends.items()},
    }  # fmt: skip
    return Finding("templates", f"{name} lacks {text}", bad, values)


def _trend(count: int, of: int, count_before: int, of_before: int) -> Trend:
    before = count_before / of_before if of_before else None
    return Trend(count / of, before, min(of, of_before))


def _articles(run: Templates) -> Counter[str]:
    return Counter({name: each.get("articles", 0) for name, each in run.items()})


def _missing(run: Templates) -> Counter[tuple[str, str]]:
    return Counter(
        {
            (name, what): count
            for name, each in run.items()
            for what, count in each.get("missing", {}).items()
        }
    )
