"""The examples of docs/how-to/api.md, on a running server."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess

import pytest

from tests.support import readme
from tests.support.crawling import LONG
from tests.web.api.asking import articles, ask
from tests.web.sample import REFERENCE
from tests.web.serving import Web

ADDRESS = "http://127.0.0.1:8017"
BLOCKS = [each for each in readme.blocks() if each.page == "docs/how-to/api.md"]
CURL = [line for each in BLOCKS for line in each.text.splitlines() if line.startswith("curl ")]


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not on this machine")
def test_curl(web: Web) -> None:
    told = []
    for line in CURL:
        assert ADDRESS in line
        given = shlex.split(line.replace(ADDRESS, web.url))
        done = subprocess.run(given, capture_output=True, check=True, timeout=LONG)
        told.append(json.loads(done.stdout))
    search, revisions = told
    assert search == ask(web, "search", words="环境保护督察", since="2017-08-01", limit=5)
    assert search["articles"]
    assert len(revisions["revisions"]) == 3
    (title,) = [each for each in revisions["revisions"][1]["changes"] if each["field"] == "title"]
    (page,) = [each.text for each in BLOCKS if each.language == "sh" and REFERENCE in each.text]
    assert page
    assert json.dumps(title["operations"], ensure_ascii=False) in (
        readme.ROOT / "docs" / "how-to" / "api.md"
    ).read_text("utf-8")


def test_python(web: Web, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = [each.text for each in BLOCKS if each.language == "python"]
    exec(block.replace(ADDRESS, web.url), {})
    titles = [line.split(" ", 1)[1] for line in capsys.readouterr().out.splitlines()]
    assert titles == [each["title"] for each in articles(web, "articles", column="zjxw")]
