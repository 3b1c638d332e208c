"""No field of any set of pages is below its floor; a missing set is skipped with a reason."""

import re
from pathlib import Path

import pytest

from bench import floors
from bench.cases import score_cases
from bench.fidelity import FIXTURES, TRUTH, main, read_ours, tally, with_truth
from bench.floors import SHARED, Figures

REAL = ("real.complete", "real.cut", "real.papers")


def figures_of(folder: Path) -> Figures:
    truths = with_truth(folder, TRUTH)
    return floors.of_tally(tally(truths, list(read_ours(truths))))


def there(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"no folder {folder}")
    return folder


def test_fixtures() -> None:
    assert list(floors.shortfalls("fixtures", figures_of(FIXTURES))) == []


def test_pages_of_other_sites() -> None:
    assert list(floors.shortfalls("pages", figures_of(there("pages")))) == []


def test_small_inputs() -> None:
    cases = score_cases(there("cases"))
    wrong = {case.name: case.wrong for case in cases if case.wrong}
    assert list(floors.shortfalls("cases", floors.of_cases(cases))) == [], wrong


def test_words_of_real_pages() -> None:
    found = floors.of_real(there("real"))
    assert set(found) == set(REAL)
    assert [line for name in REAL for line in floors.shortfalls(name, found[name])] == []


def test_floor_is_a_share_and_names_a_set() -> None:
    held = floors.floors()
    assert set(held) == {"fixtures", "pages", "cases", *REAL}
    assert all(0 < least <= 100 for fields in held.values() for least in fields.values())


def test_what_is_below_its_floor_is_told() -> None:
    figures = figures_of(FIXTURES) | {"title": (1, 2), "tags": (0, 0)}
    assert list(floors.shortfalls("fixtures", figures)) == [
        "fixtures: title 50.0 (1 of 2), floor 100",
        "fixtures: tags has a floor of 100 and is not scored",
    ]


def test_command_scores_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(floors, "SHARED", tmp_path)
    cases = tmp_path / "cases"
    cases.mkdir()
    url = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774999.shtml"
    (cases / "1-list.json").write_text(f'{{"url": "{url}", "expected": {{"links": 2}}}}')
    (cases / "1-list.html").write_text("<a href=/201708/t20170812_4774532.shtml>x</a>")
    (cases / "2-crawl.json").write_text('{"url": "", "expected": {}}')
    monkeypatch.setattr("sys.argv", ["fidelity"])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr().out
    assert ended.value.code == 1
    assert re.search(r"fixtures, \d+ pages", told)
    assert f"pages: skipped: no folder {tmp_path / 'pages'}" in told
    assert f"real: skipped: no folder {tmp_path / 'real'}" in told
    assert "cases: right 0/1" in told
    assert "below its floor: cases: right 0.0 (0 of 1)" in told
