"""The notebooks of examples/ run on the archive of `make demo` and print what they show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.demo import COLUMNS, EDITED, edit
from tests.support.crawling import ROOT, scrapy
from tests.support.goldens import FOLDERS
from tests.support.notebook import code_cells, run, texts
from tests.support.site import SiteProxy
from zjolcrawl.storage.embedded import EmbeddedServer

NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder with what the demo crawls, and its embedded server running."""
    data = tmp_path_factory.mktemp("demo")
    with EmbeddedServer.acquire(data), SiteProxy(FOLDERS) as site:
        scrapy("crawl", "column", "-a", f"column={COLUMNS}", site=site, data=data)
        edit(site)
        done = scrapy("crawl", "article", "-a", f"url={EDITED}", site=site, data=data)
        assert done.returncode == 0, done.stderr
        yield data


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_prints_what_it_shows(
    path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`DATA_DIR=data/demo python -m tests.support.notebook FILE` stores new outputs."""
    monkeypatch.setenv("DATA_DIR", str(archive))
    for name in ("MONGODB_URI", "MONGODB_DATABASE", "FILES_STORE", "WARC_STORE"):
        monkeypatch.delenv(name, raising=False)
    notebook: dict[str, Any] = json.loads(path.read_text("utf-8"))
    for cell, outputs in zip(code_cells(notebook), run(notebook), strict=True):
        assert texts(outputs) == texts(cell["outputs"]), "".join(cell["source"])


def test_there_is_a_notebook() -> None:
    assert NOTEBOOKS
