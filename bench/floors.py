"""Minimum scores by set and field, which `make fidelity` and the tests enforce.

bench/floors.toml has the minimums. They are raised by hand when the parser improves, and never
lowered. A set whose folder is missing (../shared is beside a checkout, not in it) is skipped.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from bench.cases import Case, score_cases
from bench.scoring import FIELDS, Tally

ROOT = Path(__file__).parent.parent
FLOORS = ROOT / "bench" / "floors.toml"
SHARED = ROOT.parent / "shared"

# By field, how many values are right and how many are scored.
Figures = dict[str, tuple[int, int]]

_OF_LINE = re.compile(r"(\S.*?)\s+complete (\d+)/(\d+)\s+cut (\d+)/(\d+)")
_OF_GROUP = re.compile(r"== .*?\{(.*?)\} LOST (\d+)")
_OF_FIELD = re.compile(r"'([^']+)': '(\d+)/(\d+)'")


def of_tally(tally: Tally) -> Figures:
    """The scores of pages with golden files or marks; `body` counts fully correct ones."""
    counts = {name: tally.counts[name] for name in FIELDS if name in tally.counts}
    figures: Figures = {name: (right, scored) for name, (right, scored) in counts.items()}
    figures["body"] = (sum(f1 == 1 for f1 in tally.bodies), len(tally.bodies))
    return figures


def of_cases(cases: list[Case]) -> Figures:
    """How many small inputs are right in every expected field."""
    return {"right": (sum(not case.wrong for case in cases), len(cases))}


def of_real(folder: Path) -> dict[str, Figures]:
    """The scores reported by the scripts beside the real pages: full and cut web pages, papers."""
    web: dict[str, Figures] = {"real.complete": {}, "real.cut": {}}
    said = _output(folder / "score_web.py", "-q")
    for name, right, scored, cut_right, cut_scored in _OF_LINE.findall(said):
        web["real.complete"][name] = (int(right), int(scored))
        web["real.cut"][name] = (int(cut_right), int(cut_scored))
    lost = re.search(r"LOST (\d+)", said)
    web["real.complete"]["read"] = _read(lost[1] if lost else "1")
    papers: Figures = {}
    for fields, lost_papers in _OF_GROUP.findall(_output(folder / "score_papers.py")):
        for name, right, scored in _OF_FIELD.findall(fields):
            before = papers.get(name, (0, 0))
            papers[name] = (before[0] + int(right), before[1] + int(scored))
        before = papers.get("read", (0, 0))
        papers["read"] = (before[0] + (lost_papers == "0"), before[1] + 1)
    return {**web, "real.papers": papers}


def _read(lost: str) -> tuple[int, int]:
    return (int(lost == "0"), 1)


def _output(script: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    if done.returncode:
        msg = f"{script} failed: {done.stderr[-1000:]}"
        raise RuntimeError(msg)
    return done.stdout


def floors() -> dict[str, dict[str, float]]:
    """The minimums by set and field, in per cent."""
    found: dict[str, dict[str, float]] = tomllib.loads(FLOORS.read_text(encoding="utf-8"))
    return found


def shortfalls(name: str, figures: Figures) -> Iterator[str]:
    """One line per field below its minimum, and per minimum without a score."""
    for field, floor in floors().get(name, {}).items():
        right, scored = figures.get(field, (0, 0))
        if not scored:
            yield f"{name}: {field} has a floor of {floor:g} and is not scored"
        elif 100 * right / scored < floor - 0.05:
            yield f"{name}: {field} {100 * right / scored:.1f} ({right} of {scored}), floor {floor:g}"


def shared_sets() -> Iterator[tuple[str, Figures | str]]:
    """The scores of each set of ../shared, or why there are none."""
    for name, folder in (("cases", SHARED / "cases"), ("real", SHARED / "real")):
        if not folder.is_dir():
            yield name, f"skipped: no folder {folder}"
        elif name == "cases":
            yield name, of_cases(score_cases(folder))
        else:
            yield from of_real(folder).items()
