"""Detects template drift: which templates read articles and what they missed, compared with earlier runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from zjolcrawl.display.findings import Finding
from zjolcrawl.messages import counted
from zjolcrawl.storage.queries.coverage import FEWEST, GENERIC, has_jumped

Templates = dict[str, dict[str, Any]]


def of_templates(runs: list[Templates]) -> Iterator[Finding]:
    """Findings on the `templates` of runs (newest first): the mix, then the missing fields by template.

    Earlier runs are averaged over articles, so that a run of 3 articles weighs less than one of 300.
    """
    articles = [_articles(each) for each in runs]
    if not articles or not articles[0]:
        yield Finding("templates", "no run has read an article yet")
        return
    now, before = articles[0], sum(articles[1:], Counter[str]())
    yield _mix(now, before)
    lacking = [_missing(each) for each in runs]
    former = sum(lacking[1:], Counter[tuple[str, str]]())
    for name in sorted(now):
        shares = {
            what: (count / now[name], former[name, what] / before[name] if before[name] else None)
            for (template, what), count in sorted(lacking[0].items())
            if template == name
        }
        if shares:
            enough = min(now[name], before[name]) >= FEWEST
            yield _lacks(name, now[name], shares, enough=enough)


def _mix(now: Counter[str], before: Counter[str]) -> Finding:
    total, former = now.total(), before.total()
    shares = {name: (count / total, before[name] / former if former else None)
              for name, count in now.most_common()}  # fmt: skip
    text = ", ".join(f"{name} {_against(*share)}" for name, share in shares.items())
    enough = min(total, former) >= FEWEST
    # A new mix of templates may come from other columns; more pages without a template mean a site change.
    bad = enough and has_jumped(*shares.get(GENERIC, (0.0, None)))
    return Finding(
        "templates", f"{text}, of {counted(total, 'article')}", bad, {"articles": dict(now)}
    )


def _lacks(
    name: str, articles: int, shares: dict[str, tuple[float, float | None]], *, enough: bool
) -> Finding:
    text = ", ".join(f"{what} {_against(*share)}" for what, share in shares.items())
    bad = enough and any(has_jumped(*share) for share in shares.values())
    values = {
        "template": name, "articles": articles,
        "missing": {what: {"now": now, "before": before} for what, (now, before) in shares.items()},
    }  # fmt: skip
    return Finding("templates", f"{name} lacks {text}", bad, values)


def _against(now: float, before: float | None) -> str:
    return f"{now:.0%}" if before is None else f"{now:.0%} ({before:.0%} before)"


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
