"""docs/design.md names files that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")


def test_every_file_that_it_names_is_there() -> None:
    named = set(re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.(?:py|toml))`", TEXT))
    assert len(named) > 30
    assert {each for each in named if not (ROOT / "zjolcrawl" / each).exists()} == {
        "pyproject.toml"
    }


def test_every_package_has_a_floor() -> None:
    packages = {path.parent.name for path in (ROOT / "zjolcrawl").glob("*/__init__.py")}
    assert packages == set(re.findall(r"`([a-z]+)/`", TEXT.split("## An article")[0]))
