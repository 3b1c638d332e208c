"""The catalogue of columns loads; an invalid entry gives one clear line."""

import hashlib
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.crawling import scrapy
from zjolcrawl.site.catalogue import load_catalogue, site_name, sites
from zjolcrawl.site.description import SiteError

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
        (entry() + entry(), "duplicate id"),
        (entry() + entry(id='"other"'), "url is used by zjxw already"),
    ],
)
def test_bad_entry(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "columns.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SiteError, match=message) as raised:
        load_catalogue(path)
    assert "\n" not in str(raised.value)


# Section 1c of the site notes, copied by hand.
NAMED = {
    "www": "浙江在线", "zjnews": "浙江新闻", "s": "搜索", "js": "浙江即时报", "ent": "文娱",
    "py": "辟谣", "china": "时政", "opinion": "评论", "photo": "图片", "v": "浙江视界",
    "biz": "浙商网", "cs": "城市", "zzhz": "住在杭州", "gotrip": "旅游", "cz": "城镇网",
    "town": "浙江城镇", "epmap": "环保", "zjtyol": "体育", "art": "美术", "315": "消费",
    "st": "科技", "ec": "电商", "mpnews": "质量", "yq": "舆情", "gk": "高考", "baby": "亲子",
    "zjlxdj": "两新党建", "mznews": "民政", "delta": "长三角", "tsxz": "特色小镇", "ms": "民生",
    "pol": "政情", "fin": "经济", "guoqi": "国企", "yj": "国企", "yz": "国企", "gxxw": "地方",
    # section 1a
    "green": "绿色", "society": "社会", "m": "手机站",
}  # fmt: skip
UNNAMED = """
hangzhou nb wz jx huzhou sx jinhua qz zsxq tz lstk
fabu mq bbs blog health auto edu smartzj zjds qiye she culture wjr8 read mlzj guahao lsqs qzlx zzgz
fxj wx djt visa tea money fc ks gygg ldnews
nhnews jxxznews txnews hnnews hyxww ph2009 jsxww dqnews ajnews cxnews wxnews nxnews zgkqw synews
sznews xcnews hynews jjnews luqiao lhnews wlnews yhnews xjnews ttnews jhwcw jdnews lxnews dynews
wynews yknews pjnews panews qtnews lqnews qynews zgyhnews syxww scnews jynews jnnews khnews jsnews
lynews csnews kcnews qjnews dhnews ptnews dsnews ssnews ohnews
"""
PAPERS = "zjrb qjwb jrzb msb zjlnb zjfzb gcdy rarb wldaily dyrb hnrb jnyb"


def test_hosts_are_those_of_the_notes() -> None:
    names = {host.removesuffix(".zjol.com.cn"): name for host, name in sites().items()}
    assert names == {**NAMED, **dict.fromkeys(f"{UNNAMED} {PAPERS}".split())}


def test_every_host_of_pages_has_a_column() -> None:
    """Papers, videos and the search have none: nothing there is a list of articles."""
    hosts = {f"{name}.zjol.com.cn" for name in {*NAMED, *UNNAMED.split()} - {"s", "v"}}
    assert {column.site for column in load_catalogue().values()} == hosts


def test_columns_of_article_urls() -> None:
    """Section 1b, copied by hand: the folders of each host ("" is its front page)."""
    folders = {
        "zjnews": "zjnews/hznews zjnews/nbnews zjnews/wznews zjnews/jxnews zjnews/huzhounews "
        "zjnews/sxnews zjnews/qznews zjnews/tznews zjnews/zjxw zjnews/90zxw zjnews "
        "ztjj/2018qglh/dhyw ztjj/xsd zjyj",
        "china": "gnxw gjxw", "pol": "", "photo": "yuanchuang",
        "cs": "zjbd/hz16503 zjbd/nb16504 zjbd/jx16506 zjbd/tz16509 msbt jrcsq lhcs zjyzw jms",
        "epmap": "jsb0523 yc14990", "biz": "zjjjbd/qyxw zjjjbd/cjxw_11149", "ent": "jkwy",
        "town": "czjsb", "opinion": "mrwp bwgd",
    }  # fmt: skip
    urls = {column.url for column in load_catalogue().values()}
    for host, paths in folders.items():
        root = f"http://{host}.zjol.com.cn/"
        assert {root, *(f"{root}{path}/" for path in paths.split())} <= urls


def test_names_without_a_source_are_marked() -> None:
    """A front page has the name of its host; if the site gives no name, the catalogue says so."""
    for column in load_catalogue().values():
        if column.name == f"{sites().get(column.site)}（首页）":
            assert column.name_evidence is None
        elif column.name.endswith("（首页）"):
            assert column.name_evidence == "INF", column.id


def test_nothing_is_enabled_whose_list_no_scraper_reads() -> None:
    fronts = [c for c in load_catalogue().values() if urlsplit(c.url).path == "/" and c.enabled]
    assert [column.id for column in fronts] == ["green", "society", "fin"]  # SEL, section 1a


def test_ids_stay() -> None:
    """Documents keep the ids: none is renamed or re-used, and new ones go to the end."""
    lines = [f"{column.id} {column.url}\n" for column in load_catalogue().values()]
    digest = hashlib.sha256("".join(lines[:196]).encode()).hexdigest()
    assert digest.startswith("f0ccbde050573ed2")


def test_command_lists_it(tmp_path: Path) -> None:
    done = scrapy("columns", data=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "zjxw\t浙江新闻\thttp://zjnews.zjol.com.cn/zjnews/zjxw/\ton\tSEL\n" in done.stdout
    of_site = scrapy("columns", "--site", "py,china.zjol.com.cn", data=tmp_path).stdout
    assert {line.split("\t")[0].partition("-")[0] for line in of_site.splitlines()} == {
        "py",
        "china",
    }
    listed = json.loads(scrapy("columns", "--json", "--enabled", data=tmp_path).stdout)
    assert {column["id"] for column in listed} == {
        c.id for c in load_catalogue().values() if c.enabled
    }
