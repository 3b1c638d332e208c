"""README.md and docs/: sizes, links, and that the translation has the same commands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from docs import hook
from tests.support.readme import PAGES, README, ROOT, TRANSLATION, Block, blocks
from zjolcrawl import settings

LINK = re.compile(r"\]\(([^)\s]+)\)")
LANGUAGES = {"cron", "ini", "js", "nginx", "python", "sh", "text", "toml"}


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and MkDocs make them."""
    text = hook.on_page_markdown(re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL))
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", head.lower()).strip()) for head in heads}


def test_readme_is_short() -> None:
    assert len(README.read_bytes()) <= 8192
    assert len(TRANSLATION.read_bytes()) <= 8192


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.DOTALL)
    for link in LINK.findall(text):
        if link.startswith(("http://", "https://")):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_menu_has_each_page() -> None:
    menu = (ROOT / "mkdocs.yml").read_text().split("nav:")[1]
    named = re.findall(r": (\S+\.md)$", menu, re.MULTILINE)
    pages = [str(page.relative_to(ROOT / "docs")) for page in PAGES if page.name[:6] != "README"]
    assert sorted(named) == sorted(pages)


def test_readme_has_the_two_commands_of_a_newcomer() -> None:
    assert {"make demo", "make test"} <= {
        line.split("  ")[0] for each in blocks() if each.page == README.name for line in each.text.splitlines()
    }  # fmt: skip


def test_settings_of_readme_have_its_defaults() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)`(\*?) \| (.+?) \|", README.read_text("utf-8"), re.MULTILINE)
    assert len(rows) == 8
    with_variable = hook.setting_values(**dict.fromkeys(dict(vars(settings)), "set"))
    defaults = hook.setting_values()
    for name, star, default in rows:
        assert str(defaults[name]) == default.strip("`").replace("empty", "")
        assert not star or with_variable[name] == "set"


def commands(block: Block) -> list[list[str]]:
    if block.language != "sh":
        return [[block.text]]
    return [shlex.split(line, comments=True) for line in block.text.splitlines()]


def test_translation_has_the_same_commands() -> None:
    ours, theirs = (
        [commands(each) for each in blocks() if each.page == page.name]
        for page in (README, TRANSLATION)
    )
    assert ours == theirs
    assert set(LINK.findall(README.read_text())) - {"README.zh.md"} == set(
        LINK.findall(TRANSLATION.read_text())
    ) - {"README.md"}


def test_each_block_names_its_language() -> None:
    """So that a test runs it (test_commands.py, test_snippets.py); `text` is output."""
    assert {
        (each.page, each.language) for each in blocks() if each.language not in LANGUAGES
    } == set()
