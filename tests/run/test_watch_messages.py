"""What a watch matches, and what its messages look like, for hostile articles too."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timezone
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database
from scrapy.settings import Settings

from tests.export.made import article
from tests.run.test_alerts import LINES, port
from tests.run.test_watches import Hook, hook
from zjolcrawl.run.watch_events import Matcher
from zjolcrawl.run.watch_file import Target, Watch, read_watches
from zjolcrawl.run.watch_send import Message, send
from zjolcrawl.search import SearchIndex, catch_up, search
from zjolcrawl.search.query import parse
from zjolcrawl.search.text_match import Text, matches
from zjolcrawl.storage.connection import open_database
from zjolcrawl.storage.queries.selection import Selection
from zjolcrawl.storage.queries.watched import Happening

__all__ = ["hook", "port"]  # fixtures
ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 8, 1, tzinfo=timezone.utc)
TARGET = {"webhook": ("http://127.0.0.1/",)}
TEXTS = [
    {"title": "西湖荷花进入观赏期", "body": "市民游客纷纷前来。\n广告：买花"},
    {"title": "断桥", "body": "iPhone 8 在杭州开售，ＡＢＣ。"},
    {"title": "A  B", "body": "西\n湖", "tags": ["荷花"]},
    {"title": "宁波", "body": "西 湖", "authors": [{"name": "江帆", "role": "记者"}]},
    {"title": "空", "body": "x" * 5000 + "西湖"},
]
QUERIES = [
    "西湖", "西湖 荷花", "杭州 OR 宁波", "西湖 -广告", "title:西湖", "by:江帆", "by:江", '"iPhone 8"', "iphone",
    "abc", "湖", '"西 湖"', "荷花 杭州 OR 宁波", "x", "title:断", "-西湖 断桥", "江帆", '"A B"', "。", "记者江帆",
]  # fmt: skip


def test_the_same_articles_match_as_a_search_finds(
    db: Database[Any], mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    made = [article(n, **text) for n, text in enumerate(TEXTS)]
    db.articles.insert_many(made)

    async def found() -> dict[str, set[str]]:
        async with open_database(mongodb_uri, database, tmp_path) as opened:
            index = SearchIndex.open(tmp_path, database)
            await catch_up(opened, index)
            return {
                q: {
                    each["_id"]
                    for each in (await search(opened, index, q, Selection(), limit=50)).articles
                }
                for q in QUERIES
            }

    searched = asyncio.run(found())
    matched = {q: {a["_id"] for a in made if matches(parse(q), Text(a))} for q in QUERIES}
    assert matched == searched
    assert len({frozenset(each) for each in searched.values()}) > 6


@pytest.mark.parametrize(
    ("before", "after", "terms", "is_told"),
    [
        ("西湖很美。", "西湖很美。钱塘江也是。", "西湖", False),
        ("钱塘江。", "钱塘江。西湖很美。", "西湖", True),
        ("西湖很美。钱塘江。", "钱塘江。西湖很美。", "西湖", False),  # moved
        ("西湖很美。", "西湖真美。", "西湖", False),  # reworded around it
        ("西湖很美。", "西湖很美。西湖。", "西湖", True),
        ("西湖很美。", "钱塘江。", "西湖", False),
        ("西湖。", "西湖。断桥。", "西湖 断桥", False),
        ("钱塘江。", "西湖。断桥。", "西湖 断桥", True),
        ("西湖。", "西湖。断桥。", "西湖 OR 断桥", True),
        ("钱塘江。", "西湖。广告。", "西湖 -广告", False),
    ],
)
def test_only_added_means_what_an_edit_added(
    before: str, after: str, terms: str, is_told: bool
) -> None:
    old, new = article(1, body=before), article(1, body=after, revision=2)
    watch = Watch("w", terms, only_added=True, **TARGET)
    assert Matcher(Happening("edited", NOW, new, old)).matches(watch) is is_told
    # A new article and a takedown have no edit.
    assert Matcher(Happening("gone", NOW, new)).matches(watch) is matches(watch.wanted, Text(new))


def test_filters_events_and_the_least_change() -> None:
    old, new = article(1, body="钱塘江。西湖。"), article(1, body="钱塘江。西湖！！", revision=2)
    for each in (old, new):
        each |= {"columns": ["zjxw"], "tags": ["环保"], "site": "zjnews.zjol.com.cn"}
    edit = Matcher(Happening("edited", NOW, new, old))
    for given, is_told in [
        ({"columns": ("浙江新闻",)}, True), ({"columns": ("zjxc",)}, False), ({"hosts": ("zjnews",)}, True),
        ({"tags": ("环保", "x")}, True), ({"tags": ("环",)}, False), ({"persons": ("没有此人",)}, False),
        ({"events": ("new", "gone")}, False), ({"events": ("edited",)}, True),
        ({"min_change": 3}, True), ({"min_change": 4}, False),
    ]:  # fmt: skip
        assert edit.matches(Watch("w", "西湖", **given, **TARGET)) is is_told, given


HOSTILE = [
    "标题\r\nBcc: all@example.org\r\n\r\nbody", "\x00\x1b[31m\u202e\ud800\ufffe]]><script>", "长" * 1_000_000, "",
]  # fmt: skip


@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_titles_stay_one_short_line(title: str, port: int) -> None:
    made = article(1, title=title, columns=["a\nb"] * 5000, tags=["x"] * 5000)
    event = Matcher(Happening("new", NOW, made)).event(Watch("湖", **TARGET))
    assert len(str(event)) < 10_000
    assert not re.search(r"[\x00-\x1f\x7f\u202e\ud800-\udfff]", event["title"])
    settings = Settings(
        {"MAIL_FROM": "zjolcrawl@example.org", "MAIL_HOST": "127.0.0.1", "MAIL_PORT": port}
    )
    send(settings, Target("mail", "desk@example.org"), Message(event["id"], "湖", [event]))
    assert [each for each in LINES if each.lower().startswith("rcpt")] == [
        each for each in LINES if "desk@example.org" in each and each.lower().startswith("rcpt")
    ]
    start = next(n for n, each in enumerate(LINES) if each.upper() == "DATA")
    said = "\n".join(LINES[start + 1 : LINES.index(".", start)])
    mail = message_from_bytes(said.encode(), policy=policy.default)
    assert mail["Bcc"] is None
    assert mail["Message-ID"] == f"<{event['id']}.zjolcrawl@example.org>"
    assert mail["Subject"].startswith("湖: new:")
    assert len(mail["Subject"]) <= 120
    assert event["url"] in mail.get_content()


def test_apprise_sends_and_a_failure_names_no_secret(hook: Hook) -> None:
    event = Matcher(Happening("new", NOW, article(1, title="西湖"))).event(Watch("湖", **TARGET))
    message = Message(event["id"], "湖", [event], repeat=True)
    target = Target("apprise", hook.url.replace("http://", "json://"))
    received: list[Any] = []
    hook.server.RequestHandlerClass.do_POST = _post(received)  # type: ignore[attr-defined]
    send(Settings({}), target, message)
    (content,) = received
    assert b"sent before, perhaps in vain" in content
    assert event["url"].encode() in content
    closed = Target("apprise", "json://127.0.0.1:9/S3CRET")
    with pytest.raises(ValueError, match="refused the message or cannot be reached") as error:
        send(Settings({}), closed, message)
    assert "S3CRET" not in str(error.value) + closed.label + closed.id


def _post(received: list[bytes]) -> Any:
    def handle(self: Any) -> None:
        received.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    return handle


def test_the_file_in_the_documentation_is_valid(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "watch.md").read_text("utf-8")
    (block,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    file = tmp_path / "watch.toml"
    file.write_text(block, "utf-8")
    watches = read_watches(Settings({"WATCH_FILE": str(file), "MAIL_FROM": "a@example.org"}))
    assert [each.name for each in watches] == ["西湖", "撤稿"]
    services = re.findall(r"`(\w+://[^`]+)`（?", page)
    tokens = {
        "BOTKEY": "a" * 30,
        "BOTTOKEN": "123456789:" + "A" * 35,
        "CHATID": "12345",
        "TOKEN": "b" * 30,
    }
    for each in (s for s in services if not s.startswith("http")):
        url = each
        for name, value in tokens.items():
            url = re.sub(rf"\b{name}\b", value, url)
        assert Watch("w", apprise=(url,)).targets[0].label == f"{each.partition(':')[0]}://"
