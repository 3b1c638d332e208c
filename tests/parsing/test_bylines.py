"""Bylines: words before a role, roles without a colon, and words that are not names."""

from __future__ import annotations

import pytest

from tests.parsing.made import LEGACY, PAPER, TEXT, TITLE, article, layouts, names, people
from zjolcrawl.items import Byline
from zjolcrawl.parsing.byline_lines import byline_of, is_byline
from zjolcrawl.parsing.fields import bylines
from zjolcrawl.parsing.fields.roles import AUTHOR_ROLES, EDITOR_ROLES
from zjolcrawl.parsing.info_line import read_info

TIME = "2024-03-30 15:49:01"


def named(text: str, roles: str = AUTHOR_ROLES) -> list[str]:
    """`role name` of each person."""
    return [f"{each.role} {each.name}" for each in bylines.people(text, roles)]


def head(line: str) -> list[str]:
    """`role name` of each author of a page with this info line."""
    read = article(layouts([f"{TIME} {line}"])["T1"])
    return [f"{each.role} {each.name}" for each in read.authors]


@pytest.mark.parametrize("second", ["县委", "区委", "省委", "新区", "开发区", "管委会", "市委宣传部", "高新区", "县政府"])  # fmt: skip
@pytest.mark.parametrize("first", ["记者 李茸", "本报记者李茸", "通讯员 李茸"])
def test_office_of_a_report_group_is_no_person(first: str, second: str) -> None:
    found = named(f"{first} {second}报道组 沈小燕")
    assert [word.split()[1] for word in found] == ["李茸", "沈小燕"]
    assert found[1].endswith("报道组 沈小燕")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("记者 李茸 武警通讯员 沈小燕", ["记者 李茸", "通讯员 沈小燕"]),
        ("记者 李茸 消防通讯员 沈小燕 周旭", ["记者 李茸", "通讯员 沈小燕", "通讯员 周旭"]),
        ("记者 李茸 公安通讯员 沈小燕", ["记者 李茸", "通讯员 沈小燕"]),
        ("见习记者 李茸 交警通讯员沈小燕", ["见习记者 李茸", "通讯员 沈小燕"]),
        ("记者 李茸 首席通讯员 沈小燕", ["记者 李茸", "通讯员 沈小燕"]),
        ("记者 李茸 首席摄影 沈小燕", ["记者 李茸", "摄影 沈小燕"]),
        ("记者 李茸 特约摄影 沈小燕", ["记者 李茸", "摄影 沈小燕"]),
        ("记者 李茸 首席评论员 沈小燕", ["记者 李茸", "评论员 沈小燕"]),
        ("学生记者 李茸 市民记者 沈小燕", ["记者 李茸", "记者 沈小燕"]),
        ("记者 李茸 校园记者 沈小燕", ["记者 李茸", "记者 沈小燕"]),
        ("记者 李茸 出镜记者 沈小燕", ["记者 李茸", "记者 沈小燕"]),
        ("记者 李茸 前方记者 沈小燕", ["记者 李茸", "记者 沈小燕"]),
        ("记者 李茸 赴藏特派记者 沈小燕", ["记者 李茸", "特派记者 沈小燕"]),
        ("记者 李茸 西湖之声记者 沈小燕", ["记者 李茸", "记者 沈小燕"]),
        ("记者李茸武警通讯员沈小燕", ["记者 李茸", "通讯员 沈小燕"]),
        ("记者李茸通讯员沈小燕", ["记者 李茸", "通讯员 沈小燕"]),
    ],
)
def test_word_before_a_role_is_no_person(text: str, expected: list[str]) -> None:
    assert named(text) == expected
    assert head(f"来源:潮新闻 {text}") == expected


def test_name_before_a_role_without_a_space() -> None:
    expected = ["记者 李茸", "记者 周旭", "通讯员 沈小燕"]
    assert named("记者 李茸 周旭通讯员 沈小燕") == named("记者李茸、周旭通讯员沈小燕") == expected
    assert named("记者王小通讯员张镇") == ["记者 王小", "通讯员 张镇"]
    assert named("记者 李茸 武警通讯员 沈小燕")[1:] == ["通讯员 沈小燕"]


@pytest.mark.parametrize(
    "role",
    ["剪辑", "设计", "海报", "插图", "插画", "手绘", "动画", "航拍", "拍摄", "摄像", "配音", "出镜", "视觉", "数据", "记录",
     "主持", "文字", "采访", "视频", "图片"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["沈小燕", "拜喆喆", "周旭"])
def test_role_without_a_sign(role: str, name: str) -> None:
    expected = ["记者 李茸", f"{role} {name}"]
    assert named(f"记者 李茸 {role} {name}") == expected
    assert named(f"记者 李茸 {role} {name} 摄影 汤一帆") == [*expected, "摄影 汤一帆"]
    assert named(f"记者 李茸 {role}:{name}") == expected
    assert head(f"来源:潮新闻 记者 李茸 {role} {name}") == expected


@pytest.mark.parametrize("role", ["航拍", "视频", "文字", "设计", "主持"])
def test_role_without_a_sign_stands_first(role: str) -> None:
    expected = [f"{role} 沈小燕", "记者 李茸"]
    assert named(f"{role} 沈小燕 记者 李茸") == expected
    assert head(f"来源:潮新闻 {role} 沈小燕 记者 李茸") == expected


@pytest.mark.parametrize("text", ["策划 沈小燕", "总策划：沈小燕", "策划 沈小燕 周旭"])
def test_planner_is_an_editor(text: str) -> None:
    read = article(layouts([f"{TIME} 来源:潮新闻 记者 李茸 {text}"])["T1"])
    assert names(read.authors) == ["李茸"]
    assert names(read.editors)[0] == "沈小燕"


@pytest.mark.parametrize("line", ["视频 新闻", "数据 显示", "设计 院校", "采访 归来", "记录 时代", "航拍 西湖"])  # fmt: skip
def test_words_that_are_roles_elsewhere(line: str) -> None:
    read = article(layouts([f"{TIME} 来源:潮新闻"], text=f"<p>{line}</p>{TEXT}")["T1"])
    assert read.authors == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("沈小燕/文 周旭/摄", ["文 沈小燕", "摄 周旭"]),
        ("沈小燕/文 周旭/图", ["文 沈小燕", "图 周旭"]),
        ("沈小燕 文 周旭 摄", ["文 沈小燕", "摄 周旭"]),
        ("沈小燕/文", ["文 沈小燕"]),
        ("沈小燕 周旭/文 汤一帆/摄影", ["文 沈小燕", "文 周旭", "摄影 汤一帆"]),
        ("周旭 汤一帆 制图", ["制图 周旭", "制图 汤一帆"]),
        ("周旭 漫画", ["漫画 周旭"]),
    ],
)
def test_role_behind_the_name(text: str, expected: list[str]) -> None:
    assert named(text) == named(f"作者:{text}") == named(f"作者 {text}") == expected
    assert head(f"来源: 都市快报 {text}") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("通讯员 周文/摄", ["摄 周文"]),
        ("本报记者 李茸/文 通讯员 周文/摄", ["记者 李茸", "摄 周文"]),
        ("记者 李茸/文 通讯员 徐图/图", ["记者 李茸", "图 徐图"]),
        ("记者周文/摄", ["摄 周文"]),
        ("周文/摄 李茸/文", ["摄 周文", "文 李茸"]),
        ("记者 李茸 通讯员 陈晓文/摄", ["记者 李茸", "摄 陈晓文"]),
        ("记者 沈小燕 文/摄", ["记者 沈小燕"]),
        ("记者沈小燕文/摄", ["记者 沈小燕"]),
        ("文/周文 图/徐图", ["文 周文", "图 徐图"]),
    ],
)
def test_name_that_ends_as_a_role(text: str, expected: list[str]) -> None:
    assert named(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("共享联盟德清 沈小燕", ["共享联盟德清 沈小燕"]),
        ("共享联盟·德清 沈小燕", ["共享联盟·德清 沈小燕"]),
        ("记者 李茸 共享联盟乐清 沈小燕 周旭", ["记者 李茸", "共享联盟乐清 沈小燕", "共享联盟乐清 周旭"]),
        ("共享联盟开化：沈小燕", ["共享联盟开化 沈小燕"]),
        ("共享联盟 沈小燕", ["共享联盟 沈小燕"]),
        ("文、图 沈小燕", ["文、图 沈小燕"]),
        ("图、文：沈小燕 周旭", ["图、文 沈小燕", "图、文 周旭"]),
        ("文、摄影 沈小燕", ["文、摄影 沈小燕"]),
        ("文&图 沈小燕", ["文&图 沈小燕"]),
    ],
)  # fmt: skip
def test_alliance_and_joint_credit(text: str, expected: list[str]) -> None:
    assert named(text) == expected
    assert head(f"来源:浙江新闻客户端 {text}") == expected
    markup = (
        f"<html><head><title>{TITLE}-浙江日报</title></head><body><div class='main-article-title'>{TITLE}</div>"
        f"<div id='ozoom'><founder-content><P>　　本报讯 （{text}） 山里通了车，村民们都来看。</P></founder-content></div></body></html>"
    )
    assert names(article(markup, PAPER).authors) == [word.split()[1] for word in expected]


NOBODY = [
    "浙江在线小编", "本站小编", "新媒体中心", "融媒体中心", "管理员", "超级管理员", "来源网络", "来自网络", "本报讯", "本网讯", "null",
    "undefined", "None", "unknown", "webmaster", "浙江在线", "钱江晚报", "新华社", "央视新闻客户端", "浙江卫视频道", "浙报传媒", "匿名用户",
    "每日关注", "返回国内新闻", "相关稿件", "生活资讯", "高层动态", "版权和免责申明", "网友评论", "网站总监", "热点推荐", "新闻排行榜",
    "精彩分享", "联系我们", "图片频道", "视频", "更多",
]  # fmt: skip


@pytest.mark.parametrize("role", ["记者", "通讯员"])
def test_station_of_the_alliance_is_where_a_reporter_works(role: str) -> None:
    expected = [Byline("沈小燕", role, "共享联盟乐清站")]
    assert bylines.people(f"共享联盟乐清站{role} 沈小燕", AUTHOR_ROLES) == expected


@pytest.mark.parametrize("word", NOBODY)
def test_word_that_names_nobody(word: str) -> None:
    assert named(f"作者:{word}") == named(f"作者: {word}") == []
    assert named(f"编辑:{word}", EDITOR_ROLES) == []
    assert head(f"来源:嵊州新闻网 作者:{word}") == []


@pytest.mark.parametrize("name", ["王报国", "高台", "李社", "方在线", "沈新闻", "周关关", "Nancy", "省应急管理厅"])  # fmt: skip
def test_name_that_ends_as_an_outlet(name: str) -> None:
    assert [word.split()[1] for word in named(f"作者:{name}")] == [name]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("作者:宁波日报 沈小燕", [Byline("沈小燕", "作者", "宁波日报")]),
        ("作者: 浙江在线 沈小燕 周旭", [Byline("沈小燕", "作者", "浙江在线"), Byline("周旭", "作者", "浙江在线")]),
        ("作者:浙江在线 今日早报 沈小燕", [Byline("沈小燕", "作者", "今日早报")]),
        ("作者:央视网 沈小燕", [Byline("沈小燕", "作者", "央视网")]),
        ("通讯员 区融媒体中心 沈小燕", [Byline("沈小燕", "通讯员", "区融媒体中心")]),
        ("作者:钱江晚报记者 沈小燕", [Byline("沈小燕", "记者", "钱江晚报")]),
    ],
)  # fmt: skip
def test_outlet_before_an_author(text: str, expected: list[Byline]) -> None:
    assert bylines.people(text, AUTHOR_ROLES) == expected


FEET = [
    ["来源:", "今日早报", "作者:", "{}"],
    ["来源: 今日早报 作者:", "{}"],
    ["来源: 今日早报 作者: {}"],
    ["来源: 今日早报 作者: 编辑:", "{}"],
    ["来源: 今日早报 编辑: {}"],
]


@pytest.mark.parametrize("layout", ["T1", "table", "lists", "one box"])
@pytest.mark.parametrize("foot", FEET)
@pytest.mark.parametrize(
    "following",
    ["返回国内新闻", "每日关注", "相关稿件", "相关稿件:", "生活资讯", "高层动态", "版权和免责申明", "网友评论", "网站总监", "相关阅读",
     "网站总监:沈小燕", "新闻排行", "热门专题", "频道精选", "图片新闻"],
)  # fmt: skip
def test_empty_label_takes_no_heading(following: str, foot: list[str], layout: str) -> None:
    page = layouts(["2008年05月21日 07:35:18"], [line.format(following) for line in foot])[layout]
    read = article(page, LEGACY)
    assert (read.source, read.authors, read.editors) == ("今日早报", [], [])


@pytest.mark.parametrize(
    ("line", "source", "authors"),
    [
        ("来源:浙江在线记者 沈小燕", "浙江在线", [("浙江在线", "记者", "沈小燕")]),
        ("来源:今日早报见习记者 沈小燕", "今日早报", [("今日早报", "见习记者", "沈小燕")]),
        ("来源：都市快报通讯员 沈小燕", "都市快报", [("都市快报", "通讯员", "沈小燕")]),
        ("来源:新华社记者沈小燕", "新华社", [("新华社", "记者", "沈小燕")]),
        ("来源:《浙江日报》记者 沈小燕", "《浙江日报》", [("《浙江日报》", "记者", "沈小燕")]),
        ("来源:浙江在线 潮新闻客户端 记者 沈小燕", "浙江在线", [("潮新闻客户端", "记者", "沈小燕")]),
        ("来源:浙江在线 天目新闻 记者 沈小燕", "浙江在线", [("天目新闻", "记者", "沈小燕")]),
        ("来源:浙江日报 钱江晚报记者 沈小燕", "浙江日报", [("钱江晚报", "记者", "沈小燕")]),
        ("来源:浙江日报 本报 记者 沈小燕", "浙江日报", [("本报", "记者", "沈小燕")]),
        ("来源:浙江日报 本报评论员", "浙江日报", []),
        ("来源:浙江日报 特约评论员 沈小燕", "浙江日报", [(None, "特约评论员", "沈小燕")]),
        ("来源:浙江日报 本报评论员文章", "浙江日报", []),
        ("来源:人民日报 本报特约评论员", "人民日报", []),
        ("来源:人民日报 海外版 记者 沈小燕", "人民日报 海外版", [(None, "记者", "沈小燕")]),
        ("来源:综合 新华社 人民日报 记者 沈小燕", "综合 新华社 人民日报", [(None, "记者", "沈小燕")]),
        ("来源:法制 日报 记者 沈小燕", "法制 日报", [(None, "记者", "沈小燕")]),
    ],
)  # fmt: skip
def test_role_right_behind_the_source(
    line: str, source: str, authors: list[tuple[str | None, str, str]]
) -> None:
    read = article(layouts([f"{TIME} {line}"])["T1"])
    assert (read.source, people(read.authors)) == (source, authors)


@pytest.mark.parametrize("name", ["拜喆喆", "仝小明", "仉晓恩", "忻海娜", "麹志阳", "库尔班"])
def test_name_of_a_rare_family_behind_the_source(name: str) -> None:
    for line in (f"来源: 钱江晚报 {name}", f"来源: 钱江晚报 李茸 {name}"):
        info = read_info(f"{TIME} {line}")
        assert (info.source, info.bylines[0].split()[-1]) == ("钱江晚报", name)
    assert head(f"来源: 钱江晚报 {name}") == [f"作者 {name}"]


@pytest.mark.parametrize("word", ["要闻", "杭州", "今日关注", "浙江卫视", "有删节", "第三版", "头版头条", "气象局", "原标题", "宁波市", "最新版", "编辑部"])  # fmt: skip
def test_word_behind_the_source_is_no_name(word: str) -> None:
    assert read_info(f"{TIME} 来源: 钱江晚报 {word}").bylines == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        # Staff without a name; a role alone is no byline.
        ("本报记者", True), ("本网评论员", True), ("钱江晚报特约记者", True),
        ("记者", False), ("通讯员", False), ("评论员：", False),
        # A label and one character: the name is missing.
        ("记者：沈小燕", True), ("实习生：周旭", True), ("记者：沈", False), ("通讯员：", False),
        # Rare family names, and a workplace before the name.
        ("记者 禤国维", True), ("通讯员 逯峰", True), ("记者 逄金", True),
        ("通讯员 嵊州市委报道组 沈小燕", True), ("通讯员 桐庐县气象局 周旭", True), ("通讯员 某中学 周旭", True),
        # What a reporter does.
        ("记者 探访", False), ("记者 手记", False), ("记者 走访老街", False), ("记者 一线直击", False),
        ("记者 走进山村小学", False),
        # Marks alone.
        ("□", False), ("　", False), ("□■ ◆", False),
    ],
)  # fmt: skip
def test_line_of_a_role(line: str, expected: bool) -> None:
    assert is_byline(line) is expected
    assert (byline_of(f"□ {line}") == line) is expected
