"""Names of columns, papers and hosts: ids, Chinese names, ambiguous and unknown ones."""

from __future__ import annotations

import re

import pytest

from zjolcrawl.argument_values import ArgumentError
from zjolcrawl.arguments import column_arguments, discover_arguments, paper_arguments
from zjolcrawl.site.names import UnknownName, find, find_hosts


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        ("浙江新闻", ["zjxw"]),  # another column is named 浙江新闻 zjnews
        ("zjxw,浙江新闻,zjxc", ["zjxw", "zjxc"]),
        ("浙江宣传，浙江新闻", ["zjxc", "zjxw"]),
        ("ZJXW", ["zjxw"]),
        (" 浙江宣传 ", ["zjxc"]),
        ("德清 时政", ["dq-sznews"]),
        ("德清\u3000时政", ["dq-sznews"]),
    ],
)
def test_columns_by_id_and_name(given: str, ids: list[str]) -> None:
    assert [each.id for each in column_arguments(column=given).columns] == ids


@pytest.mark.parametrize("name", ["国企（首页）", "国企(首页)"])
def test_ambiguous_name_lists_the_ids(name: str) -> None:
    told = f"column {name} is ambiguous: give one of guoqi, yj, yz"
    with pytest.raises(UnknownName, match=re.escape(told)):
        column_arguments(column=name)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("zjxv", "unknown column zjxv: did you mean zjxw (浙江新闻)?"),
        ("zjxw,zjwx", "unknown column zjwx: did you mean zjxw (浙江新闻)?"),
        ("浙江新文", "unknown column 浙江新文: did you mean zjxw (浙江新闻)?"),
        ("浙江新", "unknown column 浙江新: did you mean zjxw (浙江新闻)?"),
        ("opinion-bwdg", "unknown column opinion-bwdg: did you mean opinion-bwgd"),
        ("nope", "unknown column nope: `scrapy columns` lists them"),
        ("zjrb", "unknown column zjrb: it is a paper, see `crawl paper -a paper=zjrb`"),
        ("浙江日报", "unknown column 浙江日报: it is a paper, see `crawl paper -a paper=zjrb`"),
    ],
)
def test_unknown_columns(given: str, told: str) -> None:
    with pytest.raises(UnknownName, match=re.escape(told)):
        column_arguments(column=given)


@pytest.mark.parametrize("given", ["", ",", " ，"])
def test_no_column(given: str) -> None:
    with pytest.raises(ArgumentError, match="unknown column"):
        column_arguments(column=given)


def test_papers_by_name() -> None:
    assert [each.id for each in paper_arguments(paper="浙江日报,qjwb").papers] == ["zjrb", "qjwb"]
    with pytest.raises(UnknownName, match=re.escape("钱江晚保: did you mean qjwb (钱江晚报)?")):
        paper_arguments(paper="钱江晚保")


@pytest.mark.parametrize(
    "name", ["zjnews", "ZJNEWS", "zjnews.zjol.com.cn", "浙江新闻", "http://zjnews.zjol.com.cn/a/b.html"]
)  # fmt: skip
def test_hosts(name: str) -> None:
    assert find_hosts([name]) == ("zjnews.zjol.com.cn",)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("zjnewz", "unknown host zjnewz: did you mean zjnews (浙江新闻)?"),
        ("zjnewz.zjol.com.cn", "unknown host zjnewz: did you mean zjnews (浙江新闻)?"),
        ("chnia", "unknown host chnia: did you mean china (时政)?"),
        ("xyzzyq.zjol.com.cn", "unknown host xyzzyq: no known column and no article is on it"),
        ("国企", "host 国企 is ambiguous: give one of guoqi, yj, yz"),
    ],
)
def test_unknown_hosts(name: str, told: str) -> None:
    with pytest.raises(UnknownName, match=re.escape(told)):
        find_hosts([name])


def test_hosts_that_only_the_archive_has() -> None:
    more = ["old.zjol.com.cn", "img.example.org"]
    assert find_hosts(["old", "img.example.org"], more) == ("old.zjol.com.cn", "img.example.org")


def test_a_new_host_may_be_discovered_by_its_full_name() -> None:
    (column,) = discover_arguments(site="brandnew.zjol.com.cn").columns
    assert column.url == "http://brandnew.zjol.com.cn/"
    told = "unknown host brandnew: give a new host in full: brandnew.zjol.com.cn"
    with pytest.raises(UnknownName, match=re.escape(told)):
        discover_arguments(site="brandnew")


def test_a_name_is_not_taken_for_a_longer_one_with_a_space() -> None:
    with pytest.raises(UnknownName):
        find("tag", ["环保"], {"环保 督察": (), "别的": ()})
    with pytest.raises(UnknownName, match="ambiguous: give one of a, b"):
        find("column", ["动态"], {"a": ("动态 甲",), "b": ("动态 乙",)})
