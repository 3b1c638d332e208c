"""Credits below the text in other orders and forms: labels without values, bars, lists and boxes."""

from __future__ import annotations

import pytest

from tests.parsing.made import LEGACY, TEXT, layouts, names
from tests.parsing.made import article as read
from tests.parsing.test_heads_and_feet import BODY, LAYOUTS

HEAD = ["2012年03月25日 11:14:57"]
NO_VALUE = [
    "标签:", "标签：", "关键词:", "标签: 责任编辑: 汤一帆", "标签:责任编辑:汤一帆", "【标签】: 编辑: 汤一帆",
]  # fmt: skip
BELOW_LABEL = [
    "版权和免责申明", "即时报", "每日关注", "相关阅读", "所属专题:", "Copyright © 1999-2024 Zjol. All Rights Reserved", "分享到:",
    "24小时排行", "图片新闻 更多>>", "返回浙江新闻", "我来说两句", "·某地举办越剧联赛", "【推荐】【打印】【关闭】", "高层动态", "新闻热线 0571-85310961",
    "精彩图片", "网友评论", "相关稿件:", "上一篇：某地下雪了", "© 浙江在线",
]  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("below", BELOW_LABEL)
@pytest.mark.parametrize("label", NO_VALUE)
def test_label_without_tags_takes_no_furniture(label: str, below: str, layout: str) -> None:
    found = read(layouts(HEAD, [label, below])[layout], LEGACY)
    assert found.tags == []
    assert names(found.editors) == ["汤一帆"] * ("汤" in label)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("below", "tags"),
    [
        ("杭州;文明", ["杭州", "文明"]),
        ("公交车|夜班", ["公交车", "夜班"]),
        ("亚运", ["亚运"]),
        ("茶厂 山村", ["茶厂", "山村"]),
    ],
)
def test_tags_below_their_label(below: str, tags: list[str], layout: str) -> None:
    found = read(layouts(HEAD, ["标签:", below, "责任编辑:", "汤一帆"])[layout], LEGACY)
    assert (found.tags, names(found.editors), found.body.split("\n")) == (tags, ["汤一帆"], BODY)


ALL = ("今日早报", ["蒋蕴"], ["汤一帆"])
BARS = {
    "作者: 蒋蕴 来源: 今日早报 编辑: 汤一帆": ALL,
    "作者:蒋蕴 编辑:汤一帆 来源:今日早报": ALL,
    "编辑: 汤一帆 来源: 今日早报 作者: 蒋蕴": ALL,
    "责任编辑: 汤一帆 作者: 蒋蕴 来源: 今日早报": ALL,
    "（来源：今日早报 作者：蒋蕴 编辑：汤一帆）": ALL,
    "【来源：今日早报 作者：蒋蕴 责任编辑：汤一帆】": ALL,
    "(作者:蒋蕴 来源:今日早报 编辑:汤一帆)": ALL,
    "来源:今日早报作者:蒋蕴编辑:汤一帆": ALL,
    "来源：今日早报作者：蒋蕴责任编辑：汤一帆": ALL,
    "稿源:今日早报作者:蒋蕴责编:汤一帆": ALL,
    "来源:今日早报/作者:蒋蕴/编辑:汤一帆": ALL,
    "来源：今日早报|作者：蒋蕴|编辑：汤一帆": ALL,
    "来源:今日早报 / 作者:蒋蕴 / 责任编辑:汤一帆": ALL,
    "来源:今日早报，作者:蒋蕴，编辑:汤一帆": ALL,
    "来 源: 今日早报 作 者: 蒋蕴 编 辑: 汤一帆": ALL,
    "来　源：今日早报　作　者：蒋蕴　编　辑：汤一帆": ALL,
    "来 源：今日早报 作 者：蒋蕴 责任编 辑：汤一帆": ALL,
    "来源 今日早报 作者 蒋蕴 编辑 汤一帆": ALL,
    "稿源 今日早报 作者 蒋蕴 责任编辑 汤一帆": ALL,
    "标签:茶厂;山村 来源:今日早报 作者:蒋蕴 责任编辑:汤一帆": ALL,
    "标签：茶厂;山村 作者：蒋蕴 来源：今日早报 编辑：汤一帆": ALL,
    "关键词: 茶厂;山村 来源: 今日早报 作者: 蒋蕴 编辑: 汤一帆": ALL,
    "编辑: 汤一帆 来源: 今日早报": ("今日早报", [], ["汤一帆"]),
    "责任编辑：汤一帆 来源：今日早报": ("今日早报", [], ["汤一帆"]),
    "作者: 蒋蕴 编辑: 汤一帆": (None, ["蒋蕴"], ["汤一帆"]),
    "作者: 蒋蕴": (None, ["蒋蕴"], []),
    "责任编辑: 汤一帆 标签: 茶厂;山村": (None, [], ["汤一帆"]),
    "编辑：汤一帆 关键词：茶厂;山村": (None, [], ["汤一帆"]),
}  # fmt: skip


@pytest.mark.parametrize("layout", [*LAYOUTS, "container"])
@pytest.mark.parametrize("bar", BARS)
def test_bar(bar: str, layout: str) -> None:
    if layout == "container":  # the bar is the last line of the text's own box
        page = layouts(HEAD, text=f"{TEXT}<p>{bar}</p>")["T1"]
    else:
        page = layouts(HEAD, [bar])[layout]
    found = read(page, LEGACY)
    assert (found.source, names(found.authors), names(found.editors)) == BARS[bar]
    assert found.tags == (["茶厂", "山村"] if "茶厂" in bar else [])
    assert found.body.split("\n") == BODY


BOXES = [
    ["编辑: 汤一帆", "返回国内新闻", "高层动态", "·某地举办培训班", "政策动向"],
    ["责任编辑：汤一帆", "即时报", "某地下了今年第一场雪", "24小时排行", "1 村里来了新老师"],
    ["编辑：汤一帆", "图片新闻", "雪后的西湖", "我来说两句", "【推荐】【打印】【关闭】"],
    ["责任编辑：", "汤一帆", "每日关注", "谁动了我的茶园", "相关阅读", "茶厂修好了"],
    ["相关稿件:", "生活资讯 更多", "联系方式", "真诚与社会各界合作", "联系地址 杭州体育场路178号", "邮政编码 310039", "责任编辑", "汤一帆"],
    ["标签:", "责任编辑: 汤一帆", "精品专题", "走进茶乡", "频道推荐", "今日天气"],
    ["【推荐】【打印】【关闭】", "责任编辑: 汤一帆", "联系方式", "欢迎您提供新闻线索", "热线传真 0571-85310136"],
    ["返回浙江新闻", "编辑: 汤一帆", "视频新闻", "老茶厂的一天"],
]  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("foot", BOXES, ids=lambda lines: lines[0])
def test_box_below_the_text_is_no_text(foot: list[str], layout: str) -> None:
    found = read(layouts(HEAD, foot)[layout], LEGACY)
    assert (found.body.split("\n"), names(found.editors)) == (BODY, ["汤一帆"])


@pytest.mark.parametrize(
    "line",
    [
        "（作者：蒋蕴，系某校教师）", "附：获奖名单", "王老师说“明年再来”", "联系地址：茶厂路8号", "图片来源：村委会 编辑部的故事",
        "新闻专题片的解说词", "来源于生活 高于生活",
    ],
)  # fmt: skip
@pytest.mark.parametrize("layout", LAYOUTS)
def test_last_line_of_the_text_stays(line: str, layout: str) -> None:
    found = read(layouts(HEAD, text=f"{TEXT}<p>{line}</p>")[layout], LEGACY)
    assert found.body.split("\n") == [*BODY, line]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_author_of_each_picture_ends_no_text(layout: str) -> None:
    text = TEXT + "".join(
        f"<p>作者：{n}</p><p><img src='/{n}.jpg'></p>" for n in ("蒋蕴", "羊宇杰")
    )
    assert len(read(layouts(HEAD, text=text)[layout], LEGACY).images) == 2
