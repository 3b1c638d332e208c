"""The reference pages have every command, option, spider, setting, field, exit status and call of the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs import hook
from tests.support import readme
from zjolcrawl import library, settings
from zjolcrawl.fields import FIELDS
from zjolcrawl.run import summary

FOLDER = readme.ROOT / "zjolcrawl"


def page(name: str) -> str:
    """A page of docs/reference as the site has it."""
    return hook.on_page_markdown((readme.ROOT / "docs" / "reference" / f"{name}.md").read_text())


def test_each_marker_is_known_and_used_once() -> None:
    used = [name for each in readme.PAGES for name in hook.MARKER.findall(each.read_text())]
    assert sorted(used) == sorted(hook.GENERATED)


def test_commands_with_their_options() -> None:
    """Options are compared with `add_argument` in the source."""
    text = page("commands")
    for file in (FOLDER / "commands").glob("[a-z]*.py"):
        section = text.split(f"\n## {file.stem}\n")[1].split("\n## ")[0]
        assert f"scrapy {file.stem}" in section
        for option in re.findall(r'"(--[a-z-]+)"', file.read_text()):
            of_mongod = file.stem == "version" and option == "--version"
            assert of_mongod or option in section, (file.stem, option)
    assert "--logfile" not in text


def test_spiders_with_their_arguments() -> None:
    text = page("commands")
    known = {"article", "backfill", "column", "discover", "paper", "reparse"}
    assert known <= hook.spiders().keys()
    sections = {name: text.split(f"### crawl {name}\n")[1].split("### ")[0] for name in known}
    for name, argument in {
        "column": "recheck", "article": "file", "paper": "date", "reparse": "parser_before", "discover": "site",
        "backfill": "cdx",
    }.items():  # fmt: skip
        assert f"`{argument}`" in sections[name]
    assert "unknown" not in sections["column"].split("Arguments")[1].split("\n")[0]


def test_settings_with_their_defaults() -> None:
    text = page("settings")
    names = [name for name in vars(settings) if name.isupper()]
    assert len(names) > 50
    for name in names:
        assert len(re.findall(rf"`{name}`\\?\*?[,| ]", text)) >= 1, name
    rows = {row.split("|")[1].strip(): row for row in text.splitlines() if row.startswith("| `")}
    assert "| `600` |" in rows["`MONGODB_PATIENCE`*"]
    assert "spool" in rows["`MONGODB_PATIENCE`*"]


def test_settings_with_a_variable_are_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    text = page("settings")
    assert r"`MONGODB_URI`\*, `MONGODB_DATABASE`\*" in text
    assert "`QUIET_HOURS`*" in text
    assert "`AUTOTHROTTLE_ENABLED`*" not in text
    # The machine that builds the pages does not show in them.
    monkeypatch.setenv("DATA_DIR", "/home/me")
    assert page("settings") == text


def test_comments_belong_to_the_settings_below_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = (
        'A = 1\n\n# --- speed ------\n# About B\n# and C.\nB = 2\nC = 3  # in seconds\n# About D.\nD = ""\n'
        "\n# A remark on nothing.\n\nE = 5\n"
    )
    file = tmp_path / "settings.py"
    file.write_text(source)
    monkeypatch.setattr(hook, "SETTINGS", file)
    assert hook.setting_sections() == {
        "general": [(["A"], "")],
        "speed": [(["B", "C"], "About B and C. in seconds."), (["D"], "About D."), (["E"], "")],
    }
    assert "| `B`, `C` | `2`, `3` | About B and C. in seconds. |" in hook.setting_tables()


def test_fields_with_their_types() -> None:
    rows = [
        tuple(cell.strip() for cell in row.split("|")[1:-1])
        for row in page("schema").splitlines()
        if row.startswith("| `")
    ]
    for field in FIELDS:
        assert (f"`{field.name}`", f"`{field}`", field.meaning) in rows


def test_exit_statuses() -> None:
    """Those of the constants, and all that docstrings of commands name."""
    found = {status for status, _, _ in hook.exit_statuses()}
    constants = {
        value for name, value in vars(summary).items() if name.isupper() and isinstance(value, int)
        if not name.startswith("_")
    }  # fmt: skip
    assert constants >= {0, 1, 2, 75}
    assert constants <= found
    for name, command in hook.own_commands().items():
        named = re.findall(r"\b(\d{1,3}): ", type(command).__doc__ or "")
        assert {int(each) for each in named} <= {
            status for status, of, _ in hook.exit_statuses() if of == f"`{name}`"
        }
    text = page("exit-statuses")
    assert "| 75 | `import` | another run holds DATA_DIR |" in text


def test_calls_of_the_python_api() -> None:
    text = page("python")
    public = [name for name in vars(library.NewsArchive) if not name.startswith("_")]
    assert len(public) > 7
    for name in public:
        assert f"\narchive.{name}(" in text, name
    for name in ("url", "published_at", "authors", "warc"):
        assert f"| `{name}` |" in text


def test_site_builds_without_warnings(tmp_path: Path) -> None:
    pytest.importorskip("material", reason="`make docs` installs MkDocs and its theme")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)],
        cwd=readme.ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "MONGODB_PATIENCE" in (tmp_path / "reference" / "settings" / "index.html").read_text()
