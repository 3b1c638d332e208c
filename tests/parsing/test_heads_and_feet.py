"""Headings and credits of all eras: forms of real pages with other values, each in several layouts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.parsing.made import LEGACY, PROSE, TEXT, TITLE, TRS, article, layouts, names
from zjolcrawl.items import Article

LAYOUTS = sorted(layouts([]))
BODY = [line.strip() for line in PROSE]


def found(article: Article) -> dict[str, Any]:
    """The fields of a heading and credits, people by name."""
    return {
        "title": article.title, "kicker": article.kicker, "subtitle": article.subtitle,
        "source": article.source, "authors": names(article.authors), "editors": sorted(names(article.editors)),
        "tags": article.tags, "abstract": article.abstract, "body": article.body.split("\n"),
        "precision": article.published_precision,
    }  # fmt: skip


def expected(**fields: Any) -> dict[str, Any]:
    nothing = {"title": TITLE, "kicker": None, "subtitle": None, "source": None, "abstract": None}
    lists: dict[str, Any] = {"authors": [], "editors": [], "tags": [], "body": BODY}
    return nothing | lists | {"precision": "second"} | fields


# name: heading, credits, fields
ERAS: dict[str, tuple[list[str], list[str], dict[str, Any]]] = {
    "2003-2004, contact box": (
        ["www.zjol.com.cn 2004年03月21日 浙江在线新闻网站"],
        ["来源: 今日早报  作者: 记者蒋蕴 通讯员陆敏捷", "相关稿件:", "生活资讯 更多", "联系方式", "真诚与社会各界合作",
         "欢迎您提供新闻线索", "新闻热线 0571-85310961", "0571-85311031", "热线传真 0571-85310136",
         "投稿邮箱 tougao@zjol.com.cn", "联系地址 杭州体育场路178号", "浙江在线新闻中心", "邮政编码 310039",
         "责任编辑", "潘璐莹"],
        {"source": "今日早报", "authors": ["蒋蕴", "陆敏捷"], "editors": ["潘璐莹"], "precision": "day"},
    ),
    "2005, rows": (
        ["www.zjol.com.cn", "2005年09月12日 11:20:33", "浙江在线新闻网站"],
        ["来源:", "都市快报", "作者:", "欧阳明 尉迟小雨", "编辑:", "汤一帆", "|"],
        {"source": "都市快报", "authors": ["欧阳明", "尉迟小雨"], "editors": ["汤一帆"]},
    ),
    "2006, one bar": (
        ["www.zjol.com.cn  2006年07月04日 13:32:36  浙江在线新闻网站"],
        ["来源： 青年时报  作者： 实习生 葛佳琪 记者 茹玉  编辑： 郏小川", "返回浙江新闻", "精品专题"],
        {"source": "青年时报", "authors": ["葛佳琪", "茹玉"], "editors": ["郏小川"]},
    ),
    "2007, no author": (
        ["www.zjol.com.cn  2007年04月09日 17:33:00  浙江在线新闻网站"],
        ["来源: 中国新闻网 作者: 编辑: 陈雪晔", "返回国内新闻", "高层动态", "·某地举办培训班 更多页"],
        {"source": "中国新闻网", "editors": ["陈雪晔"]},
    ),
    "2008, outlet and reporter": (
        ["2008年11月04日 11:13:50"],
        ["来源: 浙江在线-钱江晚报 作者: 钱江晚报记者 鲍亚飞 编辑: 俞碧"],
        {"source": "浙江在线-钱江晚报", "authors": ["鲍亚飞"], "editors": ["俞碧"]},
    ),
    "2012, labels and values apart": (
        ["2012年03月25日 11:14:57"],
        ["来源:", "浙江日报", "作者:", "记者 汪成明 通讯员 廖小清", "编辑:", "沈逸", "每日关注", "相关阅读"],
        {"source": "浙江日报", "authors": ["汪成明", "廖小清"], "editors": ["沈逸"]},
    ),
    "2015, late A": (
        ["2015年08月01日 07:19:16 来源: 浙江在线-钱江晚报 阮崇明"],
        ["标签: 公交车|夜班 责任编辑: 石小俊", "分享到:", "版权和免责申明"],
        {"source": "浙江在线-钱江晚报", "authors": ["阮崇明"], "editors": ["石小俊"], "tags": ["公交车", "夜班"]},
    ),
    "2016, author, editor, editor": (
        ["2016-11-04 10:47:43 来源:浙江在线 作者:李小鹏 编辑 沈正玺 编辑:石小溪(实习)"],
        [],
        {"source": "浙江在线", "authors": ["李小鹏"], "editors": ["沈正玺", "石小溪"]},
    ),
    "2016, roles in the head": (
        ["2015年11月25日 08:40:27 来源: 杭州网 记者 魏小奋 制图 高薇 摄影 陈中秋"],
        ["责任编辑: 汪军", "标签: 绍兴;花海"],
        {"source": "杭州网", "authors": ["魏小奋", "高薇", "陈中秋"], "editors": ["汪军"], "tags": ["绍兴", "花海"]},
    ),
    "2017, abstract": (
        ["2017-02-07 08:02:31 来源: 舟山网-大海网 记者 沈汝汝 摄", "【摘要】 停了二十多年的老茶厂修好了，明年春天开门，村里准备办一个展览。"],
        ["标签:茶厂;山村责任编辑:吴珂"],
        {"source": "舟山网-大海网", "authors": ["沈汝汝"], "editors": ["吴珂"], "tags": ["茶厂", "山村"],
         "abstract": "停了二十多年的老茶厂修好了，明年春天开门，村里准备办一个展览。"},
    ),
    "2018, time label": (
        ["发布时间:2018-02-22 15:16:26 来源:余杭晨报 通讯员 汤水根 俞建来 记者 陈坚"],
        ["标签:社区;春节责任编辑:钱华良", "新闻热线:0571-85310331 网站电话:0571-85361818 网站总监:庞世"],
        {"source": "余杭晨报", "authors": ["汤水根", "俞建来", "陈坚"], "editors": ["钱华良"], "tags": ["社区", "春节"]},
    ),
    "2020, day only, editor in the head": (
        ["2020年09月16日 来源: 浙江在线 记者 夏逸 编辑 张丹萍"], [],
        {"source": "浙江在线", "authors": ["夏逸"], "editors": ["张丹萍"], "precision": "day"},
    ),
    "photo 2019-2024": (
        ["2019-05-16 14:07:24"],
        ["来源: 浙江在线 作者: 胡元勇 编辑: 吴新燕"],
        {"source": "浙江在线", "authors": ["胡元勇"], "editors": ["吴新燕"]},
    ),
    "2024, date in pieces": (
        ["字体:", "—2024—", "03/30", "15:49:01", "2024-03-30 15:49:01 来源:潮新闻 记者 金小翔 孙良/文 姚康 王啸/摄"],
        ["版权和免责申明", "标签:亚运;火炬责任编辑:吴珂珺"],
        {"source": "潮新闻", "authors": ["金小翔", "孙良", "姚康", "王啸"], "editors": ["吴珂珺"], "tags": ["亚运", "火炬"]},
    ),
    "2025, readers' pictures": (
        ["2025-05-20 14:07:24 来源:潮新闻 记者 郑培 拍友 朱丽亚 裘坚刚"],
        ["责任编辑:龚晓"],
        {"source": "潮新闻", "authors": ["郑培", "朱丽亚", "裘坚刚"], "editors": ["龚晓"]},
    ),
    "嵊州 2017": (
        ["来源:嵊州新闻网 作者:记者 袁维霞 2017年10月13日08:56:22"], [],
        {"source": "嵊州新闻网", "authors": ["袁维霞"]},
    ),
    "遂昌 2014": (
        ["来源: 遂昌新闻网 2014年12月25日"], [],
        {"source": "遂昌新闻网", "precision": "day"},
    ),
    "桐乡 2012": (
        ["2012年10月13日 08:56:22"],
        ["所属专题:", "打印  收藏本页  关闭本页", "来源: 《今日桐乡》 作者: 今日桐乡记者 羊宇杰 编辑: 王颖", "相 关 稿 件"],
        {"source": "《今日桐乡》", "authors": ["羊宇杰"], "editors": ["王颖"]},
    ),
    "names without a label": (
        ["2018年02月04日 18:25:59 来源: 丽水网 叶捷 吴厚非 买买提·艾力"], [],
        {"source": "丽水网", "authors": ["叶捷", "吴厚非", "买买提·艾力"]},
    ),
    "many reporters": (
        ["2021年06月07日 08:39:31 来源: 浙江新闻客户端 记者 纪驭 姜晓蓉 林婧 周琳子 竺佳"], [],
        {"source": "浙江新闻客户端", "authors": ["纪驭", "姜晓蓉", "林婧", "周琳子", "竺佳"]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("era", ERAS)
def test_era(era: str, layout: str) -> None:
    head, foot, fields = ERAS[era]
    assert found(article(layouts(head, foot)[layout], LEGACY)) == expected(**fields)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("era", ERAS)
def test_era_in_full_width(era: str, layout: str) -> None:
    head, foot, fields = ERAS[era]
    wide = str.maketrans({":": "：", "(": "（", ")": "）", ";": "；"})

    def widened(lines: list[str]) -> list[str]:
        return [line if any(c.isdigit() for c in line) else line.translate(wide) for line in lines]

    assert found(article(layouts(widened(head), widened(foot))[layout], LEGACY)) == expected(
        **fields
    )


ABOVE = [
    ["邮政编码 314500", "QQ:188862831"],
    ["真诚与社会各界合作", "新闻热线 0573-88118696", "投稿邮箱 txnews@example.com", "联系地址 桐乡市振兴东路4楼", "邮政编码 314500"],
    ["中国移动-桐乡分公司"], ["桐乡农村商业银行"], ["某某置业有限公司"],
    ["杭州晴到少云 38~28℃ 全省"], ["宁波 多云转阴 18℃~25℃ 东北风3级"], ["今日天气：小雨转多云 12~19℃"], ["AQI 45 优"],
    ["温州 26℃ 多云"], ["文字: 大  中  小     打印"], ["新闻热线 0571-85310961", "热线传真 0571-85310136"],
    ["·某地多云转阴 更多"], ["首页 | 原创 | 资讯通 | 高层"], ["www.zjol.com.cn"],
]  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("above", ABOVE, ids=lambda lines: lines[0])
def test_box_above_the_headline_is_no_kicker(above: list[str], layout: str) -> None:
    page = layouts(["2012年08月04日 10:00:00 来源: 桐乡新闻网"], above=above)[layout]
    assert article(page, LEGACY).kicker is None


@pytest.mark.parametrize("layout", ["T1", "table", "generic"])
@pytest.mark.parametrize(
    "kicker",
    ["高温渐退 10日重来", "两万元的道德考题——", "国庆假期短途游、乡村游成热潮", "最高气温将达40℃ 多地发布预警", "暴雨又来了"],
)  # fmt: skip
def test_kicker(kicker: str, layout: str) -> None:
    page = layouts(["2010年08月05日 10:00:00"], above=[kicker])[layout]
    assert article(page, LEGACY).kicker == kicker


@pytest.mark.parametrize("layout", LAYOUTS)
def test_subtitle_above_the_info_line(layout: str) -> None:
    subtitle = "下一次开放预计是在两年之后"
    page = layouts([subtitle, "2015年08月05日 10:00:00 来源: 浙江在线"])[layout]
    assert article(page).subtitle == subtitle


@pytest.mark.parametrize(
    "tail",
    [
        "听新闻",
        "听文章",
        "语音播报",
        "朗读",
        "| 听新闻",
        "听新闻 热度 12",
        "热度 12",
        "12",
        "3小时前",
        "2017-08-13 09:10",
        "人气 1203",
        "刚刚",
        "（记者 江帆）",
    ],
)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_follows_the_source_is_not_its(tail: str, layout: str) -> None:
    page = layouts([f"2017-08-12 07:34:05 来源：浙江日报 {tail}"])[layout]
    assert article(page).source == "浙江日报"


@pytest.mark.parametrize(
    "source", ["人民日报 海外版", "综合 新华社 人民日报", "The Paper", "浙江省 气象局"]
)
def test_source_of_several_words(source: str) -> None:
    page = layouts([f"2017-08-12 07:34:05 来源：{source}"])["T1"]
    assert article(page).source == source


@pytest.mark.parametrize(
    "box", ["author-name", "account", "nickname", "media-name", "user-info", "gzh"]
)
def test_account_is_no_subtitle(box: str) -> None:
    page = layouts(["水乡观察", "2017年08月12日 07:34:27 来源：浙江在线"])["T1"]
    page = page.replace("<div>水乡观察", f"<div class='{box}'>水乡观察")
    assert (article(page).subtitle, article(page).source) == (None, "浙江在线")


@pytest.mark.parametrize(
    "markup",
    [
        "<span class=nickname>{}</span>",
        "<p class=byline>{}</p>",
        "<div id=js_name>{}</div>",
        "<div class=column-name>{}</div>",
        "<p class=from>{}</p>",
        "<a class=channel href=/c/>{}</a>",
        "<em class=by-line>{}</em>",
        "<strong class=rich_media_meta_nickname><span id=profileBt>{}</span></strong>",
        "<div class=channelname><b>{}</b></div>",
    ],
)
def test_account_in_any_element_is_no_subtitle(markup: str) -> None:
    page = layouts(["水乡观察", "2017年08月12日 07:34:27 来源：浙江在线"])["T1"]
    page = page.replace("<div>水乡观察</div>", markup.format("水乡观察"))
    assert (article(page).subtitle, article(page).source) == (None, "浙江在线")


@pytest.mark.parametrize(
    "markup",
    ["<div class=fromlist>{}</div>", "<span class=sub>{}</span>", "<p><i>{}</i></p>", "<p class=platform>{}</p>"],
)  # fmt: skip
def test_subtitle_in_any_element(markup: str) -> None:
    page = layouts(["水乡里的新渡口", "2017年08月12日 07:34:27 来源：浙江在线"])["T1"]
    page = page.replace("<div>水乡里的新渡口</div>", markup.format("水乡里的新渡口"))
    assert article(page).subtitle == "水乡里的新渡口"


LINKS = [
    "2007年第16号超强台风“罗莎”", "【滚动播报】杭城发布大雾橙色预警 浙江高速多数封道", "【直播专题】聚焦省两会",
    "·收费站弊端多 ·女性早退有说法", "点击进入浙江在线火炬手专题", "【详细】", "2014年浙江省两会全媒体报道>>", "专题：今年的春运",
]  # fmt: skip


@pytest.mark.parametrize("link", LINKS)
def test_link_behind_the_text_is_no_text(link: str) -> None:
    foot = (
        f"<p><a href='/zt/1.shtml'>{link}</a></p><p><a href='/zt/2.shtml'>相关的另一个专题</a></p>"
    )
    page = layouts(["2007年10月07日 20:00:00"], text=TEXT + foot)["T1"]
    assert article(page, LEGACY).body.split("\n") == BODY


@pytest.mark.parametrize("line", ["【详细】 |", "往年台风报道>>", "桐乡新闻网官方微信", "① 本网（桐乡新闻网）稿件下“稿件来源”项标注为“桐乡新闻网”的，均属桐乡新闻网所有。"])  # fmt: skip
def test_line_behind_the_text_is_no_text(line: str) -> None:
    page = layouts(["2007年10月07日 20:00:00"], text=f"{TEXT}<p>{line}</p>")["T1"]
    assert article(page, LEGACY).body.split("\n") == BODY


@pytest.mark.parametrize("line", ["附件：<a href='/a.pdf'>实施方案.pdf</a>", "全文见<a href='/b.shtml'>《实施方案》</a>", "村民<a href='/c/'>老周</a>说好。"])  # fmt: skip
def test_link_in_the_last_paragraph_stays(line: str) -> None:
    page = layouts(["2007年10月07日 20:00:00"], text=f"{TEXT}<p>{line}</p>")["T1"]
    assert len(article(page, LEGACY).body.split("\n")) == len(BODY) + 1


@pytest.mark.parametrize("note", ["【摘要】", "[摘要]", "【内容摘要】", "摘要：", "（摘要）"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_abstract_in_the_text(note: str, layout: str) -> None:
    text = f"<p>{note} 老茶厂修好了，明年春天开门。</p>{TEXT}"
    read = article(layouts(["2016-09-13 19:35:07 来源: 浙江在线"], text=text)[layout])
    assert (read.abstract, read.body.split("\n")) == ("老茶厂修好了，明年春天开门。", BODY)
    assert read.editor_note is None


@pytest.mark.parametrize(
    "line",
    [
        "【最新消息】",
        "【人物】孙金环，老年大学教师",
        "【期盼】政府工作报告提到，",
        "【详情】见下文的说明",
    ],
)
def test_words_in_brackets_are_no_abstract(line: str) -> None:
    text = f"{TEXT}<p>{line}</p>{TEXT}"
    assert article(layouts(["2016-09-13 19:35:07"], text=text)["T1"]).abstract is None


@pytest.mark.parametrize("copy", ["div", "p", "h3", "div style='display:none'"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_repeated_headline_below_the_text(copy: str, layout: str) -> None:
    again = f"<{copy}>{TITLE}</{copy.split(maxsplit=1)[0]}>"
    page = layouts(["2021年04月26日 08:35:37 来源: 天目新闻"], text=TEXT + again)[layout]
    assert found(article(page)) == expected(source="天目新闻")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_headline_as_caption(layout: str) -> None:
    text = f"{TEXT}<p><img src='/pic/1.jpg'></p><p>{TITLE}</p><p>{PROSE[0]}</p>"
    read = article(layouts(["2007年04月09日 17:33:00"], text=text)[layout], LEGACY)
    assert [image.caption for image in read.images] == [TITLE]
    assert read.body.split("\n") == [*BODY, BODY[0]]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_headline_at_the_top_of_the_text(layout: str) -> None:
    page = layouts(["2007年04月09日 17:33:00"], text=f"<p><b>{TITLE}</b></p>{TEXT}")[layout]
    assert article(page, TRS).body.split("\n") == BODY
