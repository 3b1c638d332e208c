"""Runs contenders in turns on one machine and compares their figures."""

from __future__ import annotations

import platform
import statistics
import sys
from collections.abc import Callable, Hashable, Mapping, Sequence
from importlib.metadata import version
from typing import TypeVar

_Name = TypeVar("_Name", bound=Hashable)
_Figure = TypeVar("_Figure")


def in_turns(
    contenders: Mapping[_Name, Callable[[], _Figure]], rounds: int
) -> dict[_Name, list[_Figure]]:
    """The results of each contender per round; the starting contender rotates."""
    names = list(contenders)
    figures: dict[_Name, list[_Figure]] = {name: [] for name in names}
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            figures[name].append(contenders[name]())
            progress(f"round {turn + 1} of {rounds}: {name} {figures[name][-1]}")
    return figures


def ratios(ones: Sequence[float], others: Sequence[float]) -> list[float]:
    """The ratio one ÷ other of each round, in ascending order."""
    return sorted(one / other for one, other in zip(ones, others, strict=True))


def spread(ones: Sequence[float], others: Sequence[float]) -> str:
    """The median of one ÷ other over the rounds, with the lowest and the highest."""
    each = ratios(ones, others)
    return f"{statistics.median(each):.2f} ({each[0]:.2f}–{each[-1]:.2f})"


def table(heads: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def progress(line: str) -> None:
    """Print progress to stderr; results go to stdout."""
    print(line, file=sys.stderr, flush=True)


def versions(*packages: str) -> str:
    """The versions of Python and of packages, for the line above a table."""
    named = (f"{package} {version(package)}" for package in packages)
    return ", ".join((f"Python {platform.python_version()}", *named))
