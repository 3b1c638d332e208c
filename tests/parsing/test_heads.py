"""Headings: subtitle or byline, headings in one box, abstracts, the site's menu as kicker."""

from __future__ import annotations

import pytest

from tests.parsing.made import LEGACY, PAPER, PROSE, TEXT, layouts, names
from tests.parsing.made import article as read
from tests.parsing.test_heads_and_feet import BODY, LAYOUTS

FZB = "http://fzb.zjol.com.cn/gb/node2/node802/node240379/node389103/node389104/userobject15ai5288824.html"
SUBTITLES = [
    "记者探访老茶厂修缮工地", "记者暗访城东劳务市场", "本网记者直击救援现场", "本报记者深入一线", "记者手记", "浙江在线记者亲历夜间抢险",
    "作者见面会在杭举行", "通讯员培训班开班", "拍友镜头里的老街", "摄影大赛今天截稿", "评论员文章引发热议",
    "中国移动推出新套餐", "中国电信下调国际漫游费", "省政府约谈三家公司", "市里成立茶业集团", "新闻热线开通三天接到百余个电话",
    "首张民宿许可证发放", "热线那头传来好消息", "组图：老茶厂的一天", "视频：山里的春天", "图文：老街新貌", "新闻网站编辑走进茶乡", "全省最低工资标准发布", "客户端下载量破百万",
]  # fmt: skip


@pytest.mark.parametrize("layout", ["T1", "table", "generic", "lists", "font"])
@pytest.mark.parametrize("subtitle", SUBTITLES)
def test_subtitle_is_no_byline(subtitle: str, layout: str) -> None:
    page = layouts([subtitle, "2015年08月05日 10:00:00"])[layout]
    found = read(page, LEGACY)
    assert (found.subtitle, found.source, found.authors) == (subtitle, None, [])


@pytest.mark.parametrize("layout", ["T1", "table", "generic", "lists", "font"])
@pytest.mark.parametrize(
    ("byline", "authors"),
    [
        ("记者 蒋蕴", ["蒋蕴"]), ("记者蒋蕴 通讯员陆敏捷", ["蒋蕴", "陆敏捷"]), ("本报记者 羊宇杰", ["羊宇杰"]), ("□本报记者 羊宇杰", ["羊宇杰"]),
        ("特约评论员 汪成明", ["汪成明"]), ("实习生 葛佳琪 记者 茹玉", ["葛佳琪", "茹玉"]), ("作者：蒋蕴", ["蒋蕴"]), ("记者 禤小雨", ["禤小雨"]),
        ("■ 通讯员 廖小清", ["廖小清"]), ("今日早报见习记者 蒋蕴", ["蒋蕴"]), ("蒋蕴 陆敏捷", ["蒋蕴", "陆敏捷"]), ("□蒋蕴", ["蒋蕴"]),
    ],
)  # fmt: skip
def test_byline_is_no_subtitle(byline: str, authors: list[str], layout: str) -> None:
    page = layouts([byline, "2015年08月05日 10:00:00"])[layout]
    found = read(page, LEGACY)
    assert (found.subtitle, names(found.authors)) == (None, authors)


def fzb(*lines: str, label: str = "第三版:世相") -> str:
    rows = "".join(f"<tr><td align='center'>{line}</td></tr>" for line in lines)
    return (
        "<html><head><title>浙江法制报</title></head><body><table><tr><td>2008年2月1日,星期五(GSM+8 北京时间)</td></tr>"
        f"<tr><td>浙江法制报 > {label} 改变文字大小:   | 打印 | 关闭</td></tr></table><table>"
        f"{rows}<tr><td>{'<br>'.join(PROSE)}</td></tr></table></body></html>"
    )


def frame(byline: str) -> str:
    return (
        "<html><head><title>浙江日报</title></head><body><table><tr><td>第00007版:要闻</td></tr></table><table>"
        "<tr><td>2007年11月20日 收藏 打印 推荐 朗读 评论 更多功能</td></tr><tr><td class='font01'>老茶厂修好了</td></tr>"
        f"<tr><td class='font02'>{byline}</td></tr></table><div id='ozoom'><founder-content>{TEXT}</founder-content></div>"
        "</body></html><!--enpproperty <date>2007-11-20</date><title>老茶厂修好了</title> /enpproperty-->"
    )


BYLINES = [
    ("蒋蕴 陆敏捷", ["蒋蕴", "陆敏捷"]), ("蒋 蕴", ["蒋蕴"]), ("□蒋蕴", ["蒋蕴"]), ("□ 本报记者 蒋蕴", ["蒋蕴"]), ("龙泉市检察院 蒋蕴", ["蒋蕴"]),
    ("实习生 汪成明 记者 叶圣义", ["汪成明", "叶圣义"]), ("特约评论员 汪成明", ["汪成明"]), ("■羊宇杰 汤一帆", ["羊宇杰", "汤一帆"]),
    ("本报通讯员 蒋 蕴", ["蒋蕴"]), ("某县公安局　陆敏捷", ["陆敏捷"]), ("欧阳明 汤一帆", ["欧阳明", "汤一帆"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("label", "number"), [("头版:世相", "1"), ("三版:世相", "3"), ("第3-4版:世相", "3-4"), ("00A03版:世相", "A03"), ("二至三版：世相", "2-3")]
)  # fmt: skip
def test_label_of_a_page(label: str, number: str) -> None:
    found = read(fzb("<b>乐在异乡 迎新春</b>", label=label), FZB)
    assert (found.page_number, found.page_name) == (number, "世相")


@pytest.mark.parametrize(("byline", "authors"), BYLINES)
def test_byline_below_the_headline_of_a_paper(byline: str, authors: list[str]) -> None:
    assert names(read(fzb("<b>乐在异乡 迎新春</b>", byline), FZB).authors) == authors
    found = read(frame(byline), PAPER)
    assert (names(found.authors), found.subtitle) == (authors, None)


@pytest.mark.parametrize("line", ["本报记者深入一线", "记者手记", "老茶厂的春天", "作者见面会在杭举行", "高温里的坚守"])  # fmt: skip
def test_words_below_the_headline_of_a_paper_name_nobody(line: str) -> None:
    assert read(fzb("<b>乐在异乡 迎新春</b>", line), FZB).authors == []
    assert read(frame(line), PAPER).authors == []


@pytest.mark.parametrize(
    ("last", "authors"),
    [
        ("蒋蕴 陆敏捷", ["蒋蕴", "陆敏捷"]), ("羊宇杰", ["羊宇杰"]), ("蒋 蕴", ["蒋蕴"]), ("□汪成明 茹玉", ["汪成明", "茹玉"]),
        ("宁海县检察院 蒋蕴", ["蒋蕴"]), ("老茶厂 旧灶台", []), ("明年再见", []),
    ],
)  # fmt: skip
def test_names_below_the_text_of_a_paper(last: str, authors: list[str]) -> None:
    page = (
        "<html><head><title>老茶厂修好了-浙江日报</title></head><body><div class='main-ed-pageifm'><span>00003版:要闻</span></div>"
        f"<div class='main-article-title'>老茶厂修好了</div><div id='ozoom'><founder-content>{TEXT}<P>{last}</P>"
        "</founder-content></div></body></html>"
    )
    assert names(read(page, PAPER).authors) == authors


@pytest.mark.parametrize(
    "headline", ["记者暗访黑网吧", "记者手记：乡村夜校", "作者见面会在杭举行", "本报记者重走茶路", "通讯员培训班开班"]
)  # fmt: skip
def test_headline_that_begins_with_a_role(headline: str) -> None:
    found = read(fzb(f"<b>{headline}</b>", "本报记者 蒋蕴"), FZB)
    assert (found.title, names(found.authors)) == (headline, ["蒋蕴"])


@pytest.mark.parametrize(
    "headline",
    [
        "2015年8月1日起杭州公交调价", "2016年1月1日前老茶厂完成修缮", "2014年5月20日的那场雨", "2013年3月5日全省气温回升", "2012年12月21日将举行茶会",
    ],
)  # fmt: skip
def test_headline_with_a_day(headline: str) -> None:
    page = (
        "<html><head><title>浙江在线-浙江新闻</title></head><body><table><tr><td>您当前的位置 :<a href='/'>浙江在线</a> &gt; "
        f"<a href='/zj/'>浙江新闻</a> 正文</td></tr></table><table><tr><td align='center'><b>{headline}</b></td></tr>"
        f"<tr><td>2019-03-12 07:35:18 来源: 浙江在线</td></tr><tr><td>{TEXT}</td></tr></table></body></html>"
    )
    found = read(page)
    assert (found.title, found.source, found.body.split("\n")) == (headline, "浙江在线", BODY)
    assert found.published_at is not None
    assert found.published_at.isoformat()[:10] == "2019-03-11"  # in UTC


PIECES = {
    ("来源:", "浙江在线", "时间:", "2021-03-18 16:29:50"): ("浙江在线", "second", []),
    ("来源：", "钱江晚报", "发布时间：", "2021-03-18 16:29"): ("钱江晚报", "minute", []),
    ("2021-03-18", "16:29:50", "来源: 浙江在线"): ("浙江在线", "second", []),
    ("2021年03月18日", "16:29:50", "来源:", "浙江在线", "记者 蒋蕴"): ("浙江在线", "second", ["蒋蕴"]),
    ("2021-03-18 16:29:50", "来源:", "浙江在线", "记者 蒋蕴 通讯员 陆敏捷"): ("浙江在线", "second", ["蒋蕴", "陆敏捷"]),
    ("时间:", "2021-03-18 16:29:50", "来源:", "丽水网", "作者:", "蒋蕴"): ("丽水网", "second", ["蒋蕴"]),
    ("www.zjol.com.cn", "2003年07月09日 08:11:02", "浙江在线新闻网站"): (None, "second", []),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("head", PIECES, ids=" ".join)
def test_head_in_pieces(head: tuple[str, ...], layout: str) -> None:
    found = read(layouts(list(head))[layout], LEGACY)
    assert found.body.split("\n") == BODY
    assert (found.source, found.published_precision, names(found.authors)) == PIECES[head]
    assert (found.subtitle, found.kicker) == (None, None)


@pytest.mark.parametrize("day", ["2003年58月09日", "2003年00月00日", "2004年月日", "2003年07月"])
def test_row_without_a_true_date_is_no_text(day: str) -> None:
    page = layouts([f"www.zjol.com.cn {day} 浙江在线新闻网站"])["one box"]
    assert read(page, LEGACY).body.split("\n") == BODY


@pytest.mark.parametrize(
    "label",
    [
        "核心提示：", "【核心提示】", "【导读】", "导读：", "内容提要：", "【内容提要】", "[内容导读]", "新闻提示：", "阅读提示:", "〔新闻提要〕",
        "（导读）", "本文导读：", "核心提示 ：",
    ],
)  # fmt: skip
@pytest.mark.parametrize("layout", LAYOUTS)
def test_label_of_an_abstract(label: str, layout: str) -> None:
    text = f"<p>{label}老茶厂修好了，明年春天开门。</p>{TEXT}"
    found = read(layouts(["2016-09-13 19:35:07 来源: 浙江在线"], text=text)[layout])
    assert (found.abstract, found.body.split("\n")) == ("老茶厂修好了，明年春天开门。", BODY)


@pytest.mark.parametrize(
    "line", ["【提示】雨天路滑", "【导航】沿溪而上", "核心区：老街一带", "导读者走进茶山", "提示：带好雨具"]
)  # fmt: skip
def test_words_like_a_label_are_no_abstract(line: str) -> None:
    found = read(layouts(["2016-09-13 19:35:07"], text=f"<p>{line}</p>{TEXT}")["T1"])
    assert (found.abstract, found.body.split("\n")) == (None, [line, *BODY])


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "line",
    [
        "网站地图 | 关于我们", "联系我们", "今天是2012年3月12日 星期一", "今天是星期三", "欢迎光临浙江在线", "登录 注册", "登录 | 注册 | 帮助", "天气：晴",
        "今日天气：多云", "农历二月十九", "QQ群:188862831", "微信群：zjol", "设为首页 | 加入收藏", "您好，欢迎来到浙江新闻", "星期一 农历二月十九",
        "广告服务 | 联系我们 | 网站地图", "【打印】【关闭】", "【大 中 小】", "【我要评论】",
    ],
)  # fmt: skip
def test_menu_above_the_headline_is_no_kicker(line: str, layout: str) -> None:
    found = read(layouts(["2012年03月12日 07:35:18"], above=[line])[layout], LEGACY)
    assert (found.kicker, found.published_precision) == (None, "second")


@pytest.mark.parametrize("layout", ["T1", "table", "generic"])
@pytest.mark.parametrize(
    "kicker", ["【两会观察】", "【新春走基层】", "【茶乡纪事】", "今天是个好日子", "天气转晴 茶农上山", "登录月球之后"]
)  # fmt: skip
def test_kicker_like_a_menu(kicker: str, layout: str) -> None:
    found = read(layouts(["2012年03月12日 07:35:18"], above=[kicker])[layout], LEGACY)
    assert found.kicker == kicker
