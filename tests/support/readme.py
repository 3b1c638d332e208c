"""README.md and docs/: regions between `<!-- NAME -->` and `<!-- /NAME -->`, and all code blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
TRANSLATION = ROOT / "README.zh.md"
PAGES = (README, TRANSLATION, *sorted((ROOT / "docs").rglob("*.md")))
QUESTIONS = ROOT / "docs" / "questions.md"


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced code block: the page's path in the checkout, the language, the text."""

    page: str
    language: str
    text: str


def blocks() -> list[Block]:
    """All fenced code blocks of all pages, in order; a block in a list without its indentation."""
    fence = re.compile(r"^( *)```(\w*)\n(.*?)\n\1```$", re.DOTALL | re.MULTILINE)
    return [
        Block(str(page.relative_to(ROOT)), language, dedent(text))
        for page in PAGES
        for _, language, text in fence.findall(page.read_text("utf-8"))
    ]


def region(name: str) -> str:
    """The text of a region. Raises KeyError if no page or several pages have it."""
    return _find(name)[1][1].strip("\n")


def code(name: str, language: str) -> list[str]:
    """The code blocks of one language in a region."""
    return re.findall(rf"^```{language}\n(.*?)\n```$", region(name), re.DOTALL | re.MULTILINE)


def write(name: str, text: str) -> None:
    """Replace the text of a region."""
    page, found = _find(name)
    content = found.string
    start, end = found.span(1)
    page.write_text(f"{content[:start]}\n{text}\n{content[end:]}", "utf-8")


def _find(name: str) -> tuple[Path, re.Match[str]]:
    words = re.escape(name)
    pattern = re.compile(rf"<!-- {words} -->(\n.*?\n)<!-- /{words} -->", re.DOTALL)
    found = [(page, match) for page in PAGES for match in pattern.finditer(page.read_text("utf-8"))]
    if len(found) != 1:
        raise KeyError(f"{len(found)} regions {name}")
    return found[0]
