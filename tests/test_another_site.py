"""A site that is not zjol.com.cn is described by files alone: tests/another_site, made pages on made hosts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.support.crawling import scrapy
from tests.support.site import SiteProxy
from zjolcrawl.items import Article, Byline, RawArticle
from zjolcrawl.parsing.article_page import read_article
from zjolcrawl.parsing.column_page import read_column
from zjolcrawl.parsing.templates import check_templates
from zjolcrawl.parsing.urls import canonical, doc_id, is_image_host, is_own_host, kind, url_day
from zjolcrawl.pipelines.normalize import normalize
from zjolcrawl.site.catalogue import load_catalogue, site_name
from zjolcrawl.site.current import current_site, use_site
from zjolcrawl.site.description import SiteError

FOLDER = Path(__file__).with_name("another_site")
FILE = FOLDER / "jianghai.toml"
HOST = "http://news.example.cn"
BRIDGE = f"{HOST}/n1/2019/0621/c1001-31170456.html"
_LEAST = 'name = "A"\ndomains = ["a.cn"]\narticle = []\n'
HARBOUR = f"{HOST}/n1/2023/0315/c1001-32644123.html"


@pytest.fixture
def another() -> Iterator[None]:
    """This process reads the made site."""
    use_site(str(FILE))
    yield
    use_site("")


def page(url: str) -> bytes:
    return (FOLDER / "pages" / url.removeprefix("http://")).read_bytes()


def article(url: str) -> Article:
    found = read_article(page(url), url)
    assert isinstance(found, RawArticle)
    return normalize(found)


@pytest.mark.usefixtures("another")
def test_addresses() -> None:
    check_templates()
    assert is_own_host(BRIDGE)
    assert not is_own_host("http://zjnews.zjol.com.cn/")
    assert is_image_host("https://a.pic.example.com/x.jpg")
    assert kind(BRIDGE) == "article"
    assert kind("http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml") == "offsite"
    assert kind(f"{HOST}/local/201708/t20170812_4774532.shtml") == "topic"
    assert kind("http://app.example.cn/?id=1") == "app"
    assert kind(f"{HOST}/wap/article.html?docid=31170456") == "mobile"
    assert canonical(f"https://news.example.cn{BRIDGE[22:]}?from=list#top") == BRIDGE
    assert canonical(f"{HOST}/n1/2019/0621/c1001-31170456-2.html") == BRIDGE
    assert doc_id(BRIDGE) == "31170456"
    assert str(url_day(BRIDGE)) == "2019-06-21"
    assert list(load_catalogue()) == ["local"]
    assert site_name("news.example.cn") == "江海新闻"
    assert current_site().host("news") == "news.example.cn"


@pytest.mark.usefixtures("another")
def test_column() -> None:
    column = read_column(page(f"{HOST}/local/index.html"), f"{HOST}/local/")
    assert [(link.url, link.title) for link in column.links] == [
        (HARBOUR, "渔港新码头通过验收"),
        (BRIDGE, "江边古镇修好了百年石桥"),
    ]
    assert column.links[0].listed_at == datetime(2023, 3, 15, 1, 30, tzinfo=timezone.utc)


@pytest.mark.usefixtures("another")
def test_article_of_the_old_look() -> None:
    read = article(BRIDGE)
    assert read.template == "textcon"
    assert (read.site, read.site_name, read.doc_id) == ("news.example.cn", "江海新闻", "31170456")
    assert read.breadcrumb == ["江海在线", "本地"]
    assert (read.kicker, read.title, read.subtitle) == ("老街新颜", "江边古镇修好了百年石桥", None)
    assert read.published_at == datetime(2019, 6, 21, 0, 15, tzinfo=timezone.utc)
    assert read.published_precision == "minute"
    assert read.source == "江海在线"
    assert read.authors == [Byline("王敏", "记者", None), Byline("李强", "通讯员", None)]
    assert read.editors == [Byline("陈静", "责任编辑", None)]
    assert read.tags == ["古镇", "石桥"]  # without the names of the site
    assert read.dateline == "江海在线6月21日讯"
    assert read.body.split("\n") == [
        "江海在线6月21日讯（记者 王敏 通讯员 李强）昨天上午，江边古镇的百年石桥完成修缮，重新向行人开放。",
        "石桥长三十米，建于清代。镇上的老人说，桥修好了，回家的路就近了。",
    ]
    assert [image.url for image in read.images] == [
        f"{HOST}/n1/2019/0621/W020190621291234567890.jpg"
    ]


@pytest.mark.usefixtures("another")
def test_article_of_the_new_look() -> None:
    """A box with the name of the old look's body is not the body: that look ended in 2021."""
    read = article(HARBOUR)
    assert read.template == "rmtxt"
    assert read.breadcrumb == ["江海在线", "本地"]
    assert (read.kicker, read.title, read.subtitle) == (None, "渔港新码头通过验收", None)
    assert read.published_at == datetime(2023, 3, 15, 1, 30, 12, tzinfo=timezone.utc)
    assert read.source == "江海新闻"
    assert read.authors == [Byline("赵磊", "作者", None)]
    assert [(each.name, each.role) for each in read.editors] == [
        ("周梅", "责任编辑"),
        ("吴刚", "责任编辑"),
    ]
    assert read.tags == ["渔港", "码头"]
    assert read.body.split("\n") == [
        "3月14日，渔港新码头通过了专家组的验收，可以同时停靠六十艘渔船。",
        "“以后卸货不用再排队等潮水了。”船老大孙平说。",
    ]
    (image,) = read.images
    assert image.url == "http://pic.example.com/mlf/W020230315341234567890.jpg"
    assert image.caption == "码头全景。钱文 摄"


@pytest.mark.usefixtures("another")
def test_the_day_in_the_address_decides_which_look_is_tried() -> None:
    later = HARBOUR.replace("2023", "2021")
    found = read_article(page(HARBOUR), later)
    assert isinstance(found, RawArticle)
    assert found.template == "textcon"


def test_crawl(mongodb_uri: str, db: Database[Any], tmp_path: Path) -> None:
    """The column from its page to the database, with nothing but SITE_FILE set."""
    with SiteProxy([FOLDER / "pages"]) as site:
        done = scrapy(
            "crawl", "column", "-s", f"SITE_FILE={FILE}", "-s", "IMAGES=off",
            site=site, data=tmp_path, uri=mongodb_uri, database=db.name,
        )  # fmt: skip
    assert "stored 2" in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr
    stored = {each["_id"]: each for each in db.articles.find()}
    assert stored.keys() == {BRIDGE, HARBOUR}
    assert stored[BRIDGE]["columns"] == ["local"]
    assert stored[BRIDGE]["parser"]["template"] == "textcon"
    assert stored[HARBOUR]["site_name"] == "江海新闻"
    asked = {url.partition("/n1/")[0] for url in site.urls()}
    assert asked == {HOST, f"{HOST}/robots.txt", f"{HOST}/local/"}


def test_columns_command(tmp_path: Path) -> None:
    listed = scrapy("columns", "--json", "-s", f"SITE_FILE={FILE}", data=tmp_path)
    assert [column["id"] for column in json.loads(listed.stdout)] == ["local"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "site.toml: "),
        ('name = "A"', "site.toml: domains is missing"),
        ('colour = "red"', "site.toml: unknown key colour"),
        ('name = "A"\ndomains = "a.cn"\narticle = []', "site.toml: domains has the wrong type"),
        (
            'name = "A"\ndomains = ["a.cn"]\n[[article]]\npath = "("',
            "site.toml: article: path is not a regular expression",
        ),
        (
            'name = "A"\ndomains = ["a.cn"]\n[[article]]\npath = "(?P<id>1)"',
            "site.toml: article: path has no group ext or stem",
        ),
        ('name = "A"\ndomains = []\narticle = []', "site.toml: domains is empty"),
        (
            'name = "A"\ndomains = ["a.cn"]\narticle = []\ntemplates = ["none"]',
            "none.toml cannot be read",
        ),
        (
            f'{_LEAST}[mobile]\nid = "("',
            "site.toml: mobile: id: '(' is not a regular expression: missing )",
        ),
        (
            f'{_LEAST}[lists]\nby_class = ["//li[@"]',
            "lists: '//li[@' is not an XPath: Invalid",
        ),
        (
            f'{_LEAST}[lists]\nby_place = ["//ul", "a b"]',
            "lists: 'a b' is not an XPath: Invalid",
        ),
        (
            f'{_LEAST}day_in_url = "[0-9"',
            "site.toml: day_in_url: '[0-9' is not a regular expression",
        ),
        (f'{_LEAST}day_in_url = "([0-9]{{8}})"', "site.toml: day_in_url must have three groups"),
        (
            f'{_LEAST}image_domains = ["*.a.cn"]',
            "site.toml: image_domains: '*.a.cn' is not a domain name",
        ),
        ('name = "A"\ndomains = [""]\narticle = []', "site.toml: domains: '' is not a domain name"),
        (
            'name = "A"\ndomains = ["http://a.cn/"]\narticle = []',
            "domains: 'http://a.cn/' is not a domain",
        ),
    ],
)
def test_bad_file_is_one_line(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text(text, encoding="utf-8")
    done = scrapy("columns", "-s", f"SITE_FILE={file}", data=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bodies = '.a'", "template own: bodies has the wrong type"),
        ("until = '2021'", "template own: until has the wrong type"),
        ("bodies = ['//p[']", r"template own: bodies: '//p\[' is not an XPath: Invalid"),
        ("bodies = ['//p']\ntimes = ['//b', 'a b']", "template own: times: 'a b' is not an XPath"),
        ("titles = [3]", "template own: titles: 3 is not an XPath"),
        (
            "bodies = ['.a']\ntitles = ['div.a > h2']",
            "template own: titles: 'div.a > h2' selects nothing",
        ),
        ("bodies = ['count(//p)']", r"template own: bodies: 'count\(//p\)' selects nothing"),
        ("bodies = ['.a = .b']", "template own: bodies: '.a = .b' "),
        (
            "bodies = ['.a']\ntimes = ['not(//b)']",
            "template own: times: 'not\\(//b\\)' selects nothing",
        ),
        ("titles = ['.a']", "template own: bodies is missing"),
        ("bodies = []", "template own: bodies is missing"),
        ("", "template own: bodies is missing"),
        ("colour = ['.a']", "template own: colour is unknown"),
        ("tiems = ['.a']", "template own: tiems is unknown: did you mean times?"),
        ("title = ['.a']", "template own: title is unknown: did you mean titles?"),
    ],
)
def test_bad_template_is_one_line(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/own.toml").write_text(text, encoding="utf-8")
    (tmp_path / "site.toml").write_text(
        'name = "A"\ndomains = ["a.cn"]\narticle = []\ntemplates = ["own"]', encoding="utf-8"
    )
    use_site(str(tmp_path / "site.toml"))
    try:
        with pytest.raises(SiteError, match=message) as raised:
            check_templates()
    finally:
        use_site("")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (("local", "local"), "columns.toml: column local: duplicate id"),
        (("local", "town", "local"), "columns.toml: column local: duplicate id"),
        (("local", None), "columns.toml: column number 2: id is missing"),
        ((None,), "columns.toml: column number 1: id is missing"),
    ],
)
def test_bad_catalogue_of_the_site(
    entries: tuple[str | None, ...], message: str, tmp_path: Path
) -> None:
    text = (
        (FOLDER / "columns.toml")
        .read_text(encoding="utf-8")
        .partition('[[column]]\nid = "local"\n')[2]
    )
    rest = text.partition("[[column]]")[0]
    made = [
        "[[column]]\n" + (f'id = "{name}"\n' if name else "") + rest.replace("/local/", f"/{n}/")
        for n, name in enumerate(entries)
    ]
    (tmp_path / "columns.toml").write_text("\n".join(made), encoding="utf-8")
    file = tmp_path / "site.toml"
    file.write_text(
        'name = "A"\ndomains = ["example.cn"]\narticle = []\ncolumns = "columns.toml"',
        encoding="utf-8",
    )
    use_site(str(file))
    try:
        with pytest.raises(SiteError) as raised:
            load_catalogue()
    finally:
        use_site("")
    assert str(raised.value) == message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="nowhere"):
        use_site(str(tmp_path / "nowhere.toml"))
    assert current_site().name == "浙江在线"
