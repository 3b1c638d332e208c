"""Scores extracted fields against known-correct pages and enforces minimum scores.

python -m bench.fidelity [FOLDER …] [--truth FILE] [--peers all|NAME,…] [--pages] [--json]

Without a folder it scores the fixtures, and those of ../shared/pages, ../shared/cases and
../shared/real that exist; a score below its minimum in bench/floors.toml makes the exit status 1. A
folder is a tree of pages with golden files beside them, like fixtures/, or one that the truth file
marks (default: bench/truth.toml). bench.scoring defines how a field is scored. A table shows the
share of correct values in per cent, and "–" for what an extractor does not offer. Other extractors
(`--peers`) run in .venv-peers, which the first run creates from bench/peers.txt.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import floors, peers
from bench.cases import score_cases
from bench.scoring import FIELDS, Found, Tally, add
from bench.truth import BEIJING, Truth, goldens, marked
from zjolcrawl.items import Article, RawArticle
from zjolcrawl.parsing.article_page import read_article
from zjolcrawl.parsing.page import decode
from zjolcrawl.pipelines.normalize import normalize

ROOT = Path(__file__).parent.parent
TRUTH = ROOT / "bench" / "truth.toml"
FIXTURES = ROOT / "fixtures"
_OURS = (
    "title",
    "subtitle",
    "published_at",
    "source",
    "authors",
    "editors",
    "tags",
    "images",
    "body",
)
_LENGTH = {"second": 19, "minute": 16, "hour": 13, "day": 10}


def found_in(article: Article) -> Found:
    """An article in the field names and values of bench.scoring."""
    published = ""
    if article.published_at:
        there = article.published_at.astimezone(BEIJING).strftime("%Y-%m-%dT%H:%M:%S")
        published = there[: _LENGTH[article.published_precision or "second"]]
    return {
        "title": article.title,
        "subtitle": article.subtitle,
        "published_at": published,
        "source": article.source,
        "authors": [person.name for person in article.authors],
        "editors": [person.name for person in article.editors],
        "tags": article.tags,
        "images": [image.url for image in article.images],
        "body": article.body,
    }


@dataclass(slots=True)
class Reading:
    """An extractor's result for a page: fields and time, or why there are none."""

    found: Found
    milliseconds: float
    crash: str | None = None
    refused: str | None = None


def read_ours(truths: list[Truth]) -> Iterator[Reading]:
    """The result of this project's parser for each page."""
    for truth in truths:
        body = truth.page.read_bytes()
        began = time.perf_counter()
        raw = read_article(body, truth.url)
        article = normalize(raw) if isinstance(raw, RawArticle) else None
        ms = (time.perf_counter() - began) * 1000
        if article:
            yield Reading(found_in(article), ms)
        else:
            yield Reading(_nothing(_OURS), ms, refused=str(raw))


def read_peer(name: str, truths: list[Truth]) -> Iterator[Reading]:
    """Another extractor's result for each page; a failure counts as a crash that found nothing."""
    answers = {answer["page"]: answer for answer in ask(name, [(t.page, t.url) for t in truths])}
    for truth in truths:
        answer = answers.get(str(truth.page), {"ms": 0.0, "error": "no answer"})
        found = _nothing(peers.OFFERS[name]) | answer.get("fields", {})
        yield Reading(found, answer["ms"], crash=answer.get("error"))


def tally(truths: list[Truth], readings: list[Reading]) -> Tally:
    """The score of one extractor's readings."""
    result = Tally()
    for truth, reading in zip(truths, readings, strict=True):
        if why := reading.crash or reading.refused:
            result.wrong.setdefault(truth.name, []).append(f"page: {why}")
        result.crashes += reading.crash is not None
        result.milliseconds.append(reading.milliseconds)
        add(result, truth, reading.found)
    return result


def _nothing(offers: tuple[str, ...]) -> Found:
    return dict.fromkeys(offers)


def ask(name: str, found: list[tuple[Path, str]]) -> Iterator[dict[str, Any]]:
    """Another extractor's answers on pages and their URLs, up to the page that kills it.

    Raises RuntimeError if it does not start.
    """
    pages = [
        {"page": str(path), "url": url, "encoding": decode(path.read_bytes())[1]}
        for path, url in found
    ]
    done = subprocess.run(
        [peers_python(), str(ROOT / "bench" / "peers.py"), name],
        input="\n".join(map(json.dumps, pages)),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if not done.stdout:
        raise RuntimeError(f"{name} did not begin: {done.stderr[-2000:]}")
    return map(json.loads, done.stdout.splitlines())


def peers_python() -> str:
    """The interpreter of .venv-peers, which is rebuilt if bench/peers.txt has changed."""
    wanted = ROOT / "bench" / "peers.txt"
    folder = ROOT / ".venv-peers"
    python, has = folder / "bin" / "python", folder / "peers.txt"
    if not has.exists() or has.read_text() != wanted.read_text():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        # The pip that comes with Python 3.11 fails on a requirement that names an extra twice.
        subprocess.run([*pip, "--upgrade", "pip>=24"], check=True)
        subprocess.run([*pip, "-r", str(wanted)], check=True)
        shutil.copy(wanted, has)
    return str(python)


def table(tallies: dict[str, Tally]) -> str:
    """A Markdown table with a row per extractor."""
    heads = ["", *FIELDS, "body F1", "body whole", "ms a page", "crashes"]
    rows = [heads, ["---"] * len(heads)]
    for name, each in tallies.items():
        cells = [_percent(each.rate(field)) for field in FIELDS]
        body = "–" if each.body is None else f"{each.body:.3f}"
        rows.append([name, *cells, body, _percent(each.whole), f"{each.ms:.0f}", str(each.crashes)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{rate * 100:.1f}"


def score(truths: list[Truth], names: list[str]) -> dict[str, dict[str, Tally]]:
    """Each extractor's tally over all pages, and over the news pages if there are others."""
    readings = {"zjolcrawl": list(read_ours(truths))}
    readings |= {name: list(read_peer(name, truths)) for name in names}
    groups = {f"{len(truths)} pages": range(len(truths))}
    news = [i for i, truth in enumerate(truths) if truth.kind == "news"]
    if news and len(news) < len(truths):
        groups[f"{len(news)} of them on news sites"] = news
    return {
        group: {
            name: tally([truths[i] for i in chosen], [each[i] for i in chosen])
            for name, each in readings.items()
        }
        for group, chosen in groups.items()
    }


def as_json(tallies: dict[str, Tally]) -> dict[str, Any]:
    """Shares (0 to 1) and (right, scored) counts of each field, for JSON."""
    return {
        name: {
            "rates": {field: each.rate(field) for field in FIELDS},
            "counts": each.counts,
            "body_f1": each.body,
            "body_whole": each.whole,
            "ms": each.ms,
            "crashes": each.crashes,
            "wrong": each.wrong,
        }
        for name, each in tallies.items()
    }


def with_truth(folder: Path, truth_file: Path) -> list[Truth]:
    """The folder's pages: those with golden files, else those that the truth file marks."""
    truths = goldens(folder) or marked(truth_file, folder)
    if not truths:
        sys.exit(f"no page with truth in {folder}")
    return truths


def main() -> None:
    """Score the pages named on the command line."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("folders", nargs="*", type=Path)
    options.add_argument(
        "--truth", type=Path, default=TRUTH, help="marks for pages without goldens"
    )
    options.add_argument("--peers", default="none", help="all, or names")
    options.add_argument("--pages", action="store_true", help="list each page's wrong fields")
    options.add_argument("--json", action="store_true", help="for machines")
    given = options.parse_args()
    every = {"none": [], "all": list(peers.OFFERS)}
    names = every.get(given.peers, given.peers.split(","))
    folders = given.folders or [
        folder for folder in (FIXTURES, floors.SHARED / "pages") if folder.is_dir()
    ]
    results = {str(folder): score(with_truth(folder, given.truth), names) for folder in folders}
    if given.json:
        print(json.dumps(_plain(results), ensure_ascii=False, indent=1))
        return
    for folder, groups in results.items():
        for group, tallies in groups.items():
            print(f"\n{Path(folder).name}, {group}\n\n{table(tallies)}")
        if given.pages:
            print_wrong(next(iter(groups.values())))
    if not given.folders:
        if given.pages:
            for case in score_cases(floors.SHARED / "cases"):
                print(
                    *([f"\n{case.name}", *case.wrong] if case.wrong else []), sep="\n    ", end=""
                )
        sys.exit(hold_floors(results))


def hold_floors(results: dict[str, dict[str, dict[str, Tally]]]) -> int:
    """Print the sets that need no table and all scores below their minimum; returns 1 if any."""
    figures = {
        Path(folder).name: floors.of_tally(next(iter(groups.values()))["zjolcrawl"])
        for folder, groups in results.items()
    }
    if "pages" not in figures:
        print(f"\npages: skipped: no folder {floors.SHARED / 'pages'}")
    for name, found in floors.shared_sets():
        if isinstance(found, str):
            print(f"\n{name}: {found}")
            continue
        figures[name] = found
        cells = (f"{field} {right}/{scored}" for field, (right, scored) in found.items())
        print(f"\n{name}: {', '.join(cells)}")
    below = [line for name, found in figures.items() for line in floors.shortfalls(name, found)]
    print(*(f"below its floor: {line}" for line in below), sep="\n")
    return int(bool(below))


def print_wrong(tallies: dict[str, Tally]) -> None:
    """Print each page's wrong fields, with the found and the correct value."""
    for name, each in tallies.items():
        for page, lines in each.wrong.items():
            print(f"\n{name} on {page}", *lines, sep="\n    ")


def _plain(results: dict[str, dict[str, dict[str, Tally]]]) -> dict[str, Any]:
    return {
        folder: {group: as_json(tallies) for group, tallies in groups.items()}
        for folder, groups in results.items()
    }


if __name__ == "__main__":
    main()
