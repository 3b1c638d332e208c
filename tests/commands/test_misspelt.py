"""A misspelt option or command, or a wrong folder, is an error with the next step, in each command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.crawling import ROOT, Crawl, scrapy

URL = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml"


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        (("search", "督察", "--sice", "2017-08-01"), "--sice: did you mean --since?"),
        (("search", "督察", "--limt=5"), "--limt: did you mean --limit?"),
        (("search", "--editd"), "--editd: did you mean --edited?"),
        (("export", "a.csv", "--untill", "2017-08-31"), "--untill: did you mean --until?"),
        (("export", "a.csv", "--forse"), "--forse: did you mean --force?"),
        (("runs", "--lst", "3"), "--lst: did you mean --last?"),
        (("columns", "--enbled"), "--enbled: did you mean --enabled?"),
        (("coverage", "--markd"), "--markd: did you mean --marked?"),
        (("health", "--jsn"), "--jsn: did you mean --json?"),
        (("browse", "--prot", "8019"), "--prot: did you mean --port?"),
        (("archive", "wacz", "a.wacz", "--hots", "zjnews"), "--hots: did you mean --host?"),
        (("history", "--zzz", URL), "--zzz"),
        (("article", URL, "-x"), "-x"),
        (("list", "--verbose-all"), "--verbose-all"),
        (("crawl", "article", "--url", URL), "--url: an argument of the spider is given as -a NAME=VALUE"),
        (("crawl", "column", "--pages=2"), "--pages: an argument of the spider is given as -a NAME=VALUE"),
    ],
)  # fmt: skip
def test_unknown_option(line: tuple[str, ...], advice: str, command: Crawl, tmp_path: Path) -> None:
    done = command(*line)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"error: unknown option {advice}" in done.stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_a_word_may_begin_with_a_hyphen(command: Crawl) -> None:
    assert command("search", "督察 -环境").returncode == 1
    done = command("search", "-环境")
    assert (done.returncode, done.stderr) == (
        2, "zjolcrawl: give a word that is not excluded\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "near"), [("serach", "search"), ("colums", "columns"), ("shel", "shell")]
)
def test_unknown_command(name: str, near: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "zjolcrawl", name], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"zjolcrawl: unknown command {name}: did you mean {near}?\n"


@pytest.mark.parametrize(
    "line",
    [("search", "督察"), ("export", "-"), ("runs",), ("health",), ("coverage",), ("article", URL), ("audit",)],
)  # fmt: skip
def test_a_folder_without_an_archive_is_not_made(line: tuple[str, ...], tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "demo/mongodb").mkdir(parents=True)
    for folder in (data, data / "dmeo"):
        done = scrapy(*line, data=folder, uri="")
        assert (done.returncode, done.stdout) == (2, "")
        there = f"(there is one in {data / 'demo'})"
        assert f"no archive in {folder} {there}: set DATA_DIR" in done.stderr
    assert [each.name for each in data.iterdir()] == ["demo"]


def test_help_keeps_its_text_at_any_width(command: Crawl, monkeypatch: pytest.MonkeyPatch) -> None:
    for width in ("40", "60", "80", "100"):
        monkeypatch.setenv("COLUMNS", width)
        for name in ("coverage", "export", "search", "archive", "mongo"):
            done = command(name, "-h")
            assert done.returncode == 0
            assert "====" not in done.stdout
