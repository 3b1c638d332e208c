"""Findings of `scrapy health` and `scrapy audit`, one line each; those that need a person are marked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rich.text import Text

_WIDTH = 11


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of a check.

    `section` is its topic. `bad`: a person is needed. `values` has the facts of `text` as data.
    """

    section: str
    text: str
    bad: bool = False
    values: dict[str, Any] = field(default_factory=dict)


def line(finding: Finding) -> Text:
    """A finding as one line: section, BAD if it is bad, text; indented if it has no section."""
    head = f"{finding.section:<{_WIDTH}}" if finding.section else "    "
    mark = ("BAD ", "bold red") if finding.bad else ""
    return Text.assemble((head, "dim"), mark, " ".join(finding.text.split()))
