"""Regions of README.md: the text between `<!-- NAME -->` and `<!-- /NAME -->`."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def region(name: str) -> str:
    """The text of a region. Raises KeyError if there is none with that name."""
    found = _find(name, README.read_text("utf-8"))
    return found[1].strip("\n")


def code(name: str, language: str) -> list[str]:
    """The code blocks of one language in a region."""
    return re.findall(rf"^```{language}\n(.*?)\n```$", region(name), re.DOTALL | re.MULTILINE)


def write(name: str, text: str) -> None:
    """Replace the text of a region."""
    readme = README.read_text("utf-8")
    start, end = _find(name, readme).span(1)
    README.write_text(f"{readme[:start]}\n{text}\n{readme[end:]}", "utf-8")


def _find(name: str, readme: str) -> re.Match[str]:
    words = re.escape(name)
    found = re.search(rf"<!-- {words} -->(\n.*?\n)<!-- /{words} -->", readme, re.DOTALL)
    if not found:
        raise KeyError(f"README.md has no region {name}")
    return found
