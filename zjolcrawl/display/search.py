"""Hits of a search: title, facts and snippets, the terms marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.text import Text

from zjolcrawl.display.snippets import Marked, marked, snippets
from zjolcrawl.display.words import counted, people, published
from zjolcrawl.storage.search import Results

_MARK = "bold red"


def render(results: Results, skip: int = 0) -> Iterator[Text]:
    """Lines: three or four a hit, an empty one between hits, what was searched at the end."""
    if results.loosened:
        yield Text(f"no article has that as written; these have {' and '.join(results.terms)}")
        yield Text()
    for number, hit in enumerate(results.hits, skip + 1):
        yield from _hit(number, hit.article, results.terms)
        yield Text()
    yield Text(_summary(results, skip), style="dim")


def values(results: Results) -> list[dict[str, Any]]:
    """The hits as JSON has them: article and rank."""
    return [{**hit.article, "rank": hit.rank} for hit in results.hits]


def _hit(number: int, article: dict[str, Any], terms: Sequence[str]) -> Iterator[Text]:
    yield Text(f"{number}. ", style="bold") + _styled(marked(article["title"], terms), "bold")
    facts = [
        published(article), article.get("source"), people(article.get("authors", [])),
        "taken down" if article["status"] == "gone" else None,
        f"version {article['revision']}" if article["revision"] > 1 else None,
    ]  # fmt: skip
    yield Text("   " + "  ".join(fact for fact in facts if fact), style="dim")
    for snippet in snippets(article, terms):
        yield Text("   ") + _styled(snippet)
    yield Text(f"   {article['_id']}", style="dim")


def _styled(parts: Marked, style: str = "") -> Text:
    text = Text(style=style)
    for part, is_term in parts:
        text.append(part, _MARK if is_term else "")
    return text


def _summary(results: Results, skip: int) -> str:
    last = skip + len(results.hits)
    if results.more:
        told = f"{skip + 1} to {last} of {results.at_most} articles at most"
    else:
        told = counted(last, "article") if results.hits or not skip else f"no more than {skip}"
    behind = f"; {results.unindexed} not searched yet" if results.unindexed else ""
    return f"{told}{behind}"
