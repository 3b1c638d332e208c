"""What a check found: a line each, those marked that need a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rich.text import Text

_WIDTH = 11


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. `section` is what it is about; `bad`: a person is needed; `values`: what `text` says,
    for a program.
    """

    section: str
    text: str
    bad: bool = False
    values: dict[str, Any] = field(default_factory=dict)


def line(finding: Finding) -> Text:
    """Section, BAD if it is, and the text as one line; without a section indented."""
    head = f"{finding.section:<{_WIDTH}}" if finding.section else "    "
    mark = ("BAD ", "bold red") if finding.bad else ""
    return Text.assemble((head, "dim"), mark, " ".join(finding.text.split()))
