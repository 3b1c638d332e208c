"""Drafts of fixtures, and that no draft passes for a checked golden file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.truth import goldens
from tests.support.goldens import FIXTURES, Unchecked, load, sidecars
from zjolcrawl.fixture import UNCHECKED, SavedPage, draft, place_of, write

# All pages of the rarer kinds, and every seventh article. A column's front page of several lists is drafted as
# a list; only a person sees that it is none.
SAMPLE = [
    *sidecars("links"), *sidecars("stub"), *sidecars("document")[::7],
    *(path for path in sidecars("not_article") if "a column front" not in path.read_text()),
    *(path for path in sidecars("document") if "pages" in load(path)[0]["document"]),
]  # fmt: skip


def name(path: Path) -> str:
    return str(path.relative_to(FIXTURES).with_suffix(""))


def page_of(path: Path) -> SavedPage:
    golden, body = load(path)
    return SavedPage(golden["url"], body, golden.get("headers", {}).get("Content-Type"))


def no_page(_: str) -> None:
    return None


@pytest.mark.parametrize("path", SAMPLE, ids=name)
def test_a_draft_has_the_form_of_the_golden_file(path: Path) -> None:
    golden, page = load(path)[0], page_of(path)

    def further(url: str) -> SavedPage:
        return SavedPage(url, path.with_name(url.rpartition("/")[2]).read_bytes())

    made = draft(page, further)
    assert made.missing == []
    assert place_of(page.url) == path.with_suffix("").relative_to(FIXTURES / made.folder)
    assert [place_of(each.url).name for each in made.pages[1:]] == [
        url.rpartition("/")[2] for url in golden.get("document", {}).get("pages", [])[1:]
    ]
    assert made.golden.keys() - {UNCHECKED, "headers"} == golden.keys() - {"headers"}
    if "document" in golden and "body_html" not in golden["document"]:
        made.golden["document"].pop("body_html")
    for key in golden.keys() - {"evidence", "not_article", "headers"}:
        if key == "links" and golden[key] and isinstance(golden[key][0], str):
            made.golden[key] = [link["url"] for link in made.golden[key]]
        assert made.golden[key] == golden[key]


def test_no_fixture_is_unchecked() -> None:
    drafts = [name(path) for path in FIXTURES.rglob("*.json") if UNCHECKED in path.read_text()]
    assert drafts == []


def test_a_draft_is_refused_until_its_mark_is_deleted(tmp_path: Path) -> None:
    made = draft(page_of(sidecars("document")[0]), no_page)
    *_, golden = write(made, tmp_path)
    with pytest.raises(Unchecked, match="compare it with the page"):
        load(golden)
    assert goldens(tmp_path) == []
    lines = golden.read_text().splitlines(keepends=True)
    golden.write_text("".join(line for line in lines if f'"{UNCHECKED}"' not in line))
    assert load(golden)[0]["document"]
    assert len(goldens(tmp_path)) == 1


def test_a_further_page_that_is_not_there_is_named() -> None:
    (path, *_) = [path for path in SAMPLE if "pages" in load(path)[0].get("document", {})]
    made = draft(page_of(path), no_page)
    assert made.missing == load(path)[0]["document"]["pages"][1:]
    assert len(made.pages) == 1


def test_a_page_is_not_saved_twice_whatever_folder_it_is_in(tmp_path: Path) -> None:
    made = draft(page_of(sidecars("document")[0]), no_page)
    first = write(made, tmp_path)
    made.folder = "another"
    with pytest.raises(FileExistsError, match="there already"):
        write(made, tmp_path)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(first)


def test_robots_txt_of_a_known_host_stays(tmp_path: Path) -> None:
    page = page_of(sidecars("document")[0])
    robots = tmp_path / "site" / place_of(page.url).parts[0] / "robots.txt"
    robots.parent.mkdir(parents=True)
    robots.write_text("User-agent: *\nDisallow: /x\n")
    assert robots not in write(draft(page, no_page), tmp_path)
    assert "Disallow: /x" in robots.read_text()


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://a.zjol.com.cn/", "a.zjol.com.cn/index.shtml"),
        ("http://a.zjol.com.cn/b/", "a.zjol.com.cn/b/index.shtml"),
        ("http://a.zjol.com.cn/b/c.htm?d=1", "a.zjol.com.cn/b/c.htm?d=1"),
        ("http://a.zjol.com.cn/%E6%B5%99/c.htm", "a.zjol.com.cn/浙/c.htm"),
    ],
)
def test_place(url: str, place: str) -> None:
    assert place_of(url) == Path(place)


@pytest.mark.parametrize(
    "path", ["/../../etc/x", "/a/%2e%2e/b", "/a/%2Fetc/b", "/a//b", "/a/%00", "/./a"]
)
def test_place_stays_in_its_folder(path: str) -> None:
    with pytest.raises(ValueError, match="cannot be a file name"):
        place_of(f"http://a.zjol.com.cn{path}")


def test_golden_files_are_plain_json(tmp_path: Path) -> None:
    page = SavedPage(page_of(sidecars("document")[0]).url, b"<p>x</p>", "text/html; charset=gb2312")
    *_, golden = write(draft(page, no_page), tmp_path)
    assert json.loads(golden.read_text())["headers"] == {"Content-Type": page.content_type}
