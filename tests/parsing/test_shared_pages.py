"""Pages of other Chinese news sites, compared with what a person read (bench/truth.toml).

The pages are third-party text and not in this repository. ZJOLCRAWL_PAGES names their folder; without
it or the default folder, the tests are skipped.
"""

import os
from pathlib import Path

import pytest

from bench.fidelity import TRUTH, read_ours, tally
from bench.scoring import Tally
from bench.truth import Truth, marked

ROOT = Path(__file__).parent.parent.parent
PAGES = Path(os.environ.get("ZJOLCRAWL_PAGES") or ROOT.parent / "shared" / "pages")
# The two that the CMS of zjol.com.cn (TRS WCM) made.
SAME_CMS = {"cjn-1.html", "shanxi-1.html"}

pytestmark = pytest.mark.skipif(
    not PAGES.is_dir(), reason=f"no saved pages in {PAGES}; ZJOLCRAWL_PAGES names their folder"
)


@pytest.fixture(scope="module")
def truths() -> list[Truth]:
    found = marked(TRUTH, PAGES)
    assert {truth.name for truth in found} >= SAME_CMS
    return found


def scored(truths: list[Truth]) -> Tally:
    return tally(truths, list(read_ours(truths)))


@pytest.mark.parametrize("name", sorted(SAME_CMS))
def test_page_of_the_same_cms_is_right_in_every_field(truths: list[Truth], name: str) -> None:
    result = scored([truth for truth in truths if truth.name == name])
    assert result.wrong == {}
    # Not right only because nothing was scored.
    assert {"title", "published_at", "source", "authors", "images"} <= result.counts.keys()
    assert result.body == 1


def test_pages_of_other_makers(truths: list[Truth]) -> None:
    result = scored([truth for truth in truths if truth.name not in SAME_CMS])
    figures = {
        "title": result.rate("title"),
        "published_at": result.rate("published_at"),
        "body": result.body,
    }
    wanted = {"title": 0.95, "published_at": 0.90, "body": 0.93}
    short = {name: figures[name] for name, least in wanted.items() if (figures[name] or 0) < least}
    assert short == {}, result.wrong
