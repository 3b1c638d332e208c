"""The shipped catalogue loads; a bad entry is one clear line."""

import json
from pathlib import Path

import pytest

from tests.crawling import scrapy
from zjolcrawl.catalogue import CatalogueError, load_catalogue, site_name

GOOD = {
    "id": '"zjxw"',
    "name": '"浙江新闻"',
    "url": '"http://zjnews.zjol.com.cn/zjnews/zjxw/"',
    "site": '"zjnews.zjol.com.cn"',
    "enabled": "true",
    "evidence": '"SEL"',
}


def entry(**changes: str | None) -> str:
    keys = {**GOOD, **changes}
    return "[[column]]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items() if v is not None)


def test_shipped_catalogue() -> None:
    catalogue = load_catalogue()
    assert catalogue["zjxw"].url == "http://zjnews.zjol.com.cn/zjnews/zjxw/"
    assert catalogue["zjxc"].paging == "index"
    assert not catalogue["www"].enabled
    assert site_name("zjnews.zjol.com.cn") == "浙江新闻"
    assert site_name("nowhere.zjol.com.cn") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[column]\n", "columns"),
        (entry(name=None), "column zjxw: name is missing"),
        (entry(colour='"red"'), "column zjxw: unknown key colour"),
        (entry(enabled='"yes"'), "column zjxw: enabled has the wrong type"),
        (entry(id='"Zj xw"'), "id must be of"),
        (entry(url='"ftp://zjnews.zjol.com.cn/"'), "url must be http"),
        (entry(url='"http://example.com/"'), "url must be on zjol.com.cn"),
        (entry(url='"http://zjnews.zjol.com.cn/zjnews"'), "url must end in /"),
        (entry(site='"china.zjol.com.cn"'), "site must be the url's host"),
        (entry(evidence='"SURE"'), "evidence must be one of"),
        (entry(paging='"ajax"'), "paging must be index"),
        (entry() + entry(), "id stands twice"),
        (entry() + entry(id='"other"'), "url is that of zjxw too"),
    ],
)
def test_bad_entry(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "columns.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError, match=message) as raised:
        load_catalogue(path)
    assert "\n" not in str(raised.value)


def test_command_lists_it(tmp_path: Path) -> None:
    done = scrapy("columns", data=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "zjxw\t浙江新闻\thttp://zjnews.zjol.com.cn/zjnews/zjxw/\ton\tSEL\n" in done.stdout
    listed = json.loads(scrapy("columns", "--json", "--enabled", data=tmp_path).stdout)
    assert {column["id"] for column in listed} == {
        c.id for c in load_catalogue().values() if c.enabled
    }
