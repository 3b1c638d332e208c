"""The shipped catalogue of papers."""

import re
from datetime import date

from zjolcrawl.parsing.urls import is_paper_page
from zjolcrawl.site.catalogue import EVIDENCE, load_catalogue
from zjolcrawl.site.papers import load_papers, paper_of

DAY = date(2017, 8, 12)


def test_every_entry_is_usable() -> None:
    papers = load_papers().values()
    assert {"zjrb", "qjwb", "jrzb", "msb", "zjlnb", "zjfzb", "gcdy", "rarb", "wldaily"} <= {
        paper.id for paper in papers
    }
    assert {"dyrb", "hnrb", "jnyb"} <= load_papers().keys()
    for paper in papers:
        assert re.fullmatch(r"http://[a-z]+\.zjol\.com\.cn/(?:[a-z]+/)?html/", paper.url)
        assert paper.name
        assert {paper.evidence, paper.name_evidence or "REAL"} <= EVIDENCE
        assert paper.entries
        assert all(is_paper_page(paper.issue(DAY) + entry) for entry in paper.entries)
        assert paper.id not in load_catalogue()
    assert len({paper.host for paper in papers}) == len(papers)


def test_addresses() -> None:
    paper = load_papers()["hnrb"]
    assert paper.issue(DAY) == "http://hnrb.zjol.com.cn/hnrb/html/2017-08/12/"
    assert paper.calendar(DAY) == "http://hnrb.zjol.com.cn/hnrb/html/2017-08/paper_existed.xml"
    assert paper.newest == "http://hnrb.zjol.com.cn/hnrb/paperindex.htm"
    assert paper_of("hnrb.zjol.com.cn") == paper
    assert paper_of("zjnews.zjol.com.cn") is None
    assert paper_of("fzb.zjol.com.cn") == load_papers()["zjfzb"]
