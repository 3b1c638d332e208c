"""Formats the hits of `scrapy search`: title, facts and snippets, with the search terms marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from rich.text import Text

from zjolcrawl.display.formatting import moment, people, published
from zjolcrawl.display.snippets import Marked, marked, snippets
from zjolcrawl.messages import counted
from zjolcrawl.search import Results
from zjolcrawl.storage.queries.selection import Selection

_MARK = "bold red"
_BAR = 40  # characters


def render(results: Results, selection: Selection, skip: int = 0) -> Iterator[Text]:
    """The lines of each hit and an empty line after it, then the number of hits.

    If the selection is by change, each hit has the day of its change.
    """
    for number, article in enumerate(results.articles, skip + 1):
        yield from _hit(number, article, results.terms, selection)
        yield Text()
    yield Text(_summary(results, skip), style="dim")


def render_histogram(counts: dict[str, int]) -> Iterator[Text]:
    """One line per day, month or year: its name, the count and a bar."""
    most = max(counts.values(), default=0)
    width = len(f"{most:,}")
    for name, count in counts.items():
        yield Text(f"{name}  {count:>{width},}  {'█' * max(1, round(_BAR * count / most))}")


def _hit(
    number: int, article: dict[str, Any], terms: Sequence[str], selection: Selection
) -> Iterator[Text]:
    yield Text(f"{number}. ", style="bold") + _styled(marked(article["title"], terms), "bold")
    facts = [
        published(article), article.get("source"), people(article.get("authors", [])),
        f"taken down{_on(article.get('gone_at'), selection.gone_since)}" if article["status"] == "gone" else None,
        f"version {article['revision']}{_on(article.get('changed_at'), selection.changed_since)}"
        if article["revision"] > 1 else None,
    ]  # fmt: skip
    yield Text("   " + "  ".join(fact for fact in facts if fact), style="dim")
    for snippet in snippets(article, terms):
        yield Text("   ") + _styled(snippet)
    yield Text(f"   {article['_id']}", style="dim")


def _on(at: datetime | None, asked: date | None) -> str:
    """` on DAY` if articles were selected by this change."""
    return f" on {moment(at)[:10]}" if at and asked else ""


def _styled(parts: Marked, style: str = "") -> Text:
    text = Text(style=style)
    for part, is_term in parts:
        text.append(part, _MARK if is_term else "")
    return text


def _summary(results: Results, skip: int) -> str:
    total = counted(results.total, "article")
    if len(results.articles) == results.total:
        return total
    return f"{skip + 1} to {skip + len(results.articles)} of {total}" if results.articles else total
