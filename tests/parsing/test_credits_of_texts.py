"""Datelines and bylines of real texts (2005-2025) with changed names, and lines that only look like them."""

from __future__ import annotations

import pytest

from tests.parsing.made import LEGACY, PAPER, TEXT, TITLE, TRS, article, layouts, names, people

HEAD = ["2016年08月12日 07:34:27 来源：浙江在线"]
REST = "镇里的小码头昨天重新开放，第一班渡船载着三十多名乘客离岸。"


def page(first: str = "", last: str = "", head: list[str] | None = None) -> str:
    text = f"<p>　　{first}</p>" * bool(first) + TEXT + f"<p>　　{last}</p>" * bool(last)
    return layouts(head or HEAD, text=text)["T1"]


def paper(body: str, title: str = TITLE, label: str = "00003版:要闻") -> str:
    return (
        f"<html><head><title>{title}-浙江日报</title></head><body><div class='main-ed-pageifm'><span>{label}</span></div>"
        f"<div class='main-article-title'>{title}</div><div id='ozoom'><founder-content>{body}</founder-content></div></body></html>"
    )


OPENINGS = [
    ("浙江在线温州10月7日讯（特派记者 叶海 梁国瑞 陈振旭）", "浙江在线温州10月7日讯", ["叶海", "梁国瑞", "陈振旭"], []),
    ("浙江在线杭州12月3日讯（浙江在线见习记者/李小鹏 首席编辑/赵洁）", "浙江在线杭州12月3日讯", ["李小鹏"], ["赵洁"]),
    ("浙江在线9月13日讯（浙江在线记者/陈小铖 编辑/王艺）", "浙江在线9月13日讯", ["陈小铖"], ["王艺"]),
    ("浙江在线杭州1月13日讯（记者 戚珊珊/文 倪雁强/摄）", "浙江在线杭州1月13日讯", ["戚珊珊", "倪雁强"], []),
    ("浙江在线杭州1月20日讯（通讯员 李缪虹 浙江日报记者 董旭 摄）", "浙江在线杭州1月20日讯", ["李缪虹", "董旭"], []),
    ("浙江在线5月16日讯（浙江在线记者 胡元勇 拍友 胡丹 柴瑗瑗 摄）", "浙江在线5月16日讯", ["胡元勇", "胡丹", "柴瑗瑗"], []),
    ("浙江在线-台州频道9月16日讯（浙江在线记者 夏逸凡 编辑 张丹萍）", "浙江在线-台州频道9月16日讯", ["夏逸凡"], ["张丹萍"]),
    ("浙江在线杭州11月3日 （浙江在线记者 李小鹏 编辑 沈正玺）", "浙江在线杭州11月3日", ["李小鹏"], ["沈正玺"]),
    ("浙江日报讯 （李小扬 马晓燕 陈培华 林上军）", "浙江日报讯", ["李小扬", "马晓燕", "陈培华", "林上军"], []),
    ("本报义乌2月7日电 （市委报道组 龚献明）", "本报义乌2月7日电", ["龚献明"], []),
    ("本报讯 （记者 李茸 共享联盟·南湖 罗益娥 许颖佳）", "本报讯", ["李茸", "罗益娥", "许颖佳"], []),
    ("中新网8月12日电(张三丰 李四光)", "中新网8月12日电", ["张三丰", "李四光"], []),
    ("本站讯（记者 张三丰）", "本站讯", ["张三丰"], []),
    ("浙江在线03月14日讯\"", "浙江在线03月14日讯", [], []),
    ("浙江在线2月13日消息 ", "浙江在线2月13日消息", [], []),
    ("本报记者嵇小哲、方海、黄曙林10日22时30分在台风“桑美”登陆地苍南报道：", None, ["嵇小哲", "方海", "黄曙林"], []),
    ("记者 张三丰 发自杭州 ", None, ["张三丰"], []),
    ("【环球时报记者 张三丰 李四光】", None, ["张三丰", "李四光"], []),
    ("【浙江日报驻京记者 王小明】", None, ["王小明"], []),
    ("【记者 欧阳小明 通讯员 诸葛瑾】", None, ["欧阳小明", "诸葛瑾"], []),
    ("（记者张三丰发自北京）", None, ["张三丰"], []),
]  # fmt: skip


@pytest.mark.parametrize(("opening", "dateline", "authors", "editors"), OPENINGS)
def test_opening(
    opening: str, dateline: str | None, authors: list[str], editors: list[str]
) -> None:
    read = article(page(opening + REST), TRS)
    assert (read.dateline, names(read.authors), names(read.editors)) == (dateline, authors, editors)


LINES = [
    ("通讯员 冯丽娇 邵秋霞", ["冯丽娇", "邵秋霞"]),
    ("本报记者 曹志男 陆国庆 摄影报道", ["曹志男", "陆国庆"]),
    ("实习生 朱孝钦 文 通讯员 詹逾 摄", ["朱孝钦", "詹逾"]),
    ("本报记者集体采写 通讯员 金全 魏冠红", ["金全", "魏冠红"]),
    ("王平 徐燕飞", ["王平", "徐燕飞"]),
    ("采写：本报记者 张三丰 李四光", ["张三丰", "李四光"]),
    ("张三丰/文 李四光/图", ["张三丰", "李四光"]),
    ("朱善军 摄", ["朱善军"]),
    ("报道组 马晓燕 记者 陈培华", ["马晓燕", "陈培华"]),
]


@pytest.mark.parametrize(("line", "authors"), LINES)
def test_byline_of_its_own_above_the_text(line: str, authors: list[str]) -> None:
    assert names(article(page(line)).authors) == authors


TAILS = [
    ("车程将缩短为6分钟。本报记者 胡元勇 摄", ["胡元勇"]),
    ("为当地老农拍照留念。 拍友 张良 摄", ["张良"]),
    ("现代化之路越走越宽。 徐昱 朱立奇 李文芳 摄", ["徐昱", "朱立奇", "李文芳"]),
    ("日人流量将突破万人。”每日商报 记者 林轶洁 通讯员 许桂华", ["林轶洁", "许桂华"]),
    ("走出一片新“蓝海”。 （杨波）", ["杨波"]),
    ("（王金龙）", ["王金龙"]),
    ("（见习记者 罗亚妮 通讯员 林婉贞 张笑笑）", ["罗亚妮", "林婉贞", "张笑笑"]),
    ("村民们都说好…… 本报记者 王兴", ["王兴"]),
    ("今年的收成比往年多 本报记者 王兴 通讯员 洪丹", ["王兴", "洪丹"]),
    ("拍友 包响亮 摄", ["包响亮"]),
    ("村里的路灯也亮了！ 记者 詹逾 通讯员 欧阳春", ["詹逾", "欧阳春"]),
    ("他说：“好。” 本报通讯员 单于飞", ["单于飞"]),
]


@pytest.mark.parametrize(("line", "authors"), TAILS)
def test_credit_behind_the_text(line: str, authors: list[str]) -> None:
    assert names(article(page(last=line)).authors) == authors
    assert names(article(paper(f"{TEXT}<P>{line}</P>"), PAPER).authors) == authors
    assert (
        names(
            article(
                paper(f"<P>{line}</P>" if len(line) > 16 else f"{TEXT}<P>{line}</P>"), PAPER
            ).authors
        )
        == authors
    )


@pytest.mark.parametrize(
    "line",
    [
        "（萧山）", "（金华）", "（完）", "（新华社）", "（下转第三版）", "他找到了记者。", "记者走进村里，看到一片忙碌。", "“谢谢记者。”老周说",
        "杭州启动摄影大赛", "高温", "江苏 江西", "【记者手记】路越走越宽。", "（江南）", "图为老厂房。",
    ],
)  # fmt: skip
def test_words_that_name_nobody(line: str) -> None:
    assert article(page(last=line)).authors == []
    assert article(page(first=line)).authors == []


def test_names_behind_a_paragraph_do_not_join_those_of_the_head() -> None:
    head = ["2021年06月07日 08:39:31 来源: 浙江新闻客户端 记者 纪小亚"]
    entry = "<p>考场外很安静。（记者 魏志阳 俞碧寅）</p>"
    read = article(layouts(head, text=f"<p>6月7日，高考开始。</p>{entry}{TEXT}{TEXT}")["T1"])
    assert names(read.authors) == ["纪小亚"]


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ("记者 李茸 共享联盟·南湖 罗益娥", [(None, "记者", "李茸"), (None, "共享联盟·南湖", "罗益娥")]),
        ("记者 郑培 拍友 朱丽亚", [(None, "记者", "郑培"), (None, "拍友", "朱丽亚")]),
        ("海盐县委报道组 马晓燕", [("海盐县委", "报道组", "马晓燕")]),
        ("市委报道组 马晓燕", [(None, "市委报道组", "马晓燕")]),
        ("通讯员 嵊州市委报道组 徐霞鸿", [("嵊州市委报道组", "通讯员", "徐霞鸿")]),
        ("今日桐乡记者 羊宇杰", [("今日桐乡", "记者", "羊宇杰")]),
    ],
)  # fmt: skip
def test_roles_of_contributors(roles: str, expected: list[tuple[str | None, str, str]]) -> None:
    head = ["2025-05-20 14:07:24 来源:潮新闻 " + roles]
    assert people(article(page(head=head)).authors) == expected


@pytest.mark.parametrize(
    "author",
    ["本网综合", "浙江在线综合", "网络", "小编", "admin", "佚名", "本报综合报道", "编辑部", "单位", "Administrator", "综合整理", "匿名"],
)  # fmt: skip
def test_author_who_is_nobody(author: str) -> None:
    assert article(page(head=[f"2017-08-12 07:34 来源：浙江在线 作者：{author}"])).authors == []


ITEMS = [
    "<P>连日来，在长兴县吕山乡，收割机在金色稻田里来回穿梭，收割一气呵成。</P><P>周洁 王徐超 摄</P>",
    "<p align='center'><img src='a.jpg'></p><p align='center'>渔民在荷塘间采收莲蓬。 周洁 王徐超 摄</p>",
    "<P>防洪水</P><P>排涝水</P><P>以清淤疏浚和护岸护坡为重点，全面推进河道整治。周洁 王徐超 摄</P>",
    "<p align='center'><img src='a.jpg'></p><p align='center'>老街新貌 周洁 王徐超 摄</p>",
]


@pytest.mark.parametrize("body", ITEMS)
@pytest.mark.parametrize("title", ["", "<br>", "&nbsp;"])
def test_item_of_a_paper_without_a_headline(body: str, title: str) -> None:
    markup = paper(body, title).replace(f"<title>{title}-浙江日报", "<title>浙江日报")
    read = article(markup, PAPER)
    assert names(read.authors) == ["周洁", "王徐超"]
    assert (read.page_number, read.page_name) == ("00003", "要闻")
    assert "title: from the text" in read.warnings
    assert 2 <= len(read.title) <= 40


def test_caption_names_no_author_beside_a_text() -> None:
    picture = "<p align='center'><img src='a.jpg'></p><p align='center'>老街新貌。 拍友 周洁 摄</p>"
    assert article(layouts(HEAD, text=picture + TEXT)["T1"]).authors == []


FRAME = (
    "<html><head><title>浙江日报</title></head><body><table><tr><td>{label}</td></tr></table><table><tr><td>· 山里通了车</td></tr>"
    "</table><table><tr><td>2009年1月13日     收藏 打印 推荐 朗读 评论 更多功能</td></tr><tr><td class='font01'>{title}</td></tr>"
    "<tr><td class='font02'>{subtitle}</td></tr><tr><td class='font02'>{byline}</td></tr></table><div id='ozoom'>"
    "<founder-content><P>{rest}</P></founder-content></div></body></html>{comment}"
)


@pytest.mark.parametrize("comment", ["", f"<!--enpproperty <articleid>1</articleid><title>{TITLE}</title><subtitle>{{subtitle}}</subtitle> /enpproperty-->"])  # fmt: skip
@pytest.mark.parametrize("subtitle", ["", "千余名学子受到资助"])
@pytest.mark.parametrize("label", ["第00007版:政治与社会新闻", "第00007版：政治与社会新闻", "第07版:政治与社会新闻", "a0007版:政治与社会新闻"])  # fmt: skip
def test_frame_of_2006_to_2009(label: str, subtitle: str, comment: str) -> None:
    byline = "本报记者 汪成明 通讯员 叶圣义 闫拥洲"
    html = FRAME.format(
        label=label, title=TITLE, subtitle=subtitle, byline=byline, rest=REST, comment=comment.format(subtitle=subtitle)
    )  # fmt: skip
    read = article(html, "http://zjrb.zjol.com.cn/html/2009-01/13/content_4476693.htm")
    assert (read.title, read.subtitle) == (TITLE, subtitle or None)
    assert names(read.authors) == ["汪成明", "叶圣义", "闫拥洲"]
    assert (read.page_number or "").strip("a0") == "7"
    assert read.page_name == "政治与社会新闻"
    assert read.body == REST


OLD_PAPERS = [
    "<table><tr><td>{0}</td></tr><tr><td>{1}</td></tr></table><table><tr><td align='center'><b>{2}</b></td></tr><tr><td align='center'>{3}</td></tr><tr><td>{4}</td></tr></table>",
    "<div>{0}</div><div>{1}</div><div><h2>{2}</h2><p>{3}</p><div>{4}</div></div>",
    "<p>{0}</p><p>{1}</p><center><font size='5'>{2}</font></center><center>{3}</center><div>{4}</div>",
]


@pytest.mark.parametrize("markup", OLD_PAPERS)
@pytest.mark.parametrize(
    ("byline", "authors"),
    [("朱善军 摄", ["朱善军"]), ("实习生 朱孝钦 文 通讯员 詹逾 摄", ["朱孝钦", "詹逾"]), ("本报记者 王小春", ["王小春"]), ("", [])],
)  # fmt: skip
def test_paper_of_2005_to_2008(byline: str, authors: list[str], markup: str) -> None:
    top = [
        "2008年2月1日,星期五(GSM+8 北京时间)",
        "浙江法制报 &gt; 第三版:世相 改变文字大小:   | 打印 | 关闭",
    ]
    text = "<br>".join(["　　近日，一群民工在路上挂起红灯笼和中国结，迎接新春的到来。", "　　现场一位民工说，在外面过年也很热闹，大家心里挺快乐。"])  # fmt: skip
    html = f"<html><head><title>浙江法制报</title></head><body>{markup.format(*top, TITLE, byline, text)}</body></html>"
    url = "http://fzb.zjol.com.cn/gb/node2/node802/node240379/node389103/userobject15ai5288824.html"
    read = article(html, url)
    assert (read.title, read.source, read.page_number, read.page_name) == (
        TITLE,
        "浙江法制报",
        "3",
        "世相",
    )
    assert names(read.authors) == authors
    assert read.published_at is not None
    assert read.published_at.isoformat() == "2008-01-31T16:00:00+00:00"
    assert len(read.body.split("\n")) == 2
    assert (read.doc_id, read.columns) == ("5288824", ["zjfzb"])


def test_month_that_is_none_leaves_the_day_of_the_address() -> None:
    url = LEGACY.replace("2006/07/04", "2003/06/25")
    read = article(layouts(["www.zjol.com.cn 2003年47月25日 浙江在线新闻网站"])["T1"], url)
    assert read.published_at is not None
    assert (read.published_at.isoformat(), read.subtitle) == ("2003-06-24T16:00:00+00:00", None)
    assert "published_at: from the URL" in read.warnings


DATELINES = [
    "浙江在线9月3日综合讯", "本网9月3日综合讯", "浙江在线2005年9月3日讯", "浙江在线温州2005年9月3日电", "新华社北京2006年1月8日电",
    "浙江在线综合讯", "本报综合讯", "潮新闻讯", "小时新闻讯", "天目新闻讯", "浙江新闻讯", "钱江晚报·小时新闻讯", "橙柿互动讯",
    "浙江在线温州讯", "浙江日报舟山讯", "浙江在线·台州讯", "浙江在线衢州频道讯", "新华社北京9月3日综合电", "浙江之声讯",
]  # fmt: skip


@pytest.mark.parametrize("behind", ["（记者 王小丽）", " （浙江在线记者 王小丽 编辑 李茸）", " "])
@pytest.mark.parametrize("dateline", DATELINES)
def test_dateline(dateline: str, behind: str) -> None:
    read = article(page(dateline + behind + REST))
    assert (read.dateline, names(read.authors)) == (dateline, ["王小丽"] * ("王" in behind))


@pytest.mark.parametrize(
    "opening",
    ["最新新闻讯息显示，", "浙江日报发来通讯 ", "杭州晚报短讯 ", "村里互联网已经通电（2015年），", "从新闻里得知，", "村里装上了互联网电视，", "县里建起了电网电力站，", "村里的广播网讯息多，", "浙江在线上发来视讯，"],
)  # fmt: skip
def test_words_that_are_no_dateline(opening: str) -> None:
    assert article(page(opening + REST)).dateline is None


SHOT = [
    ("（沈小燕 摄）", ["摄"]), ("（沈小燕摄）", ["摄"]), ("（沈小燕/摄）", ["摄"]), ("（沈小燕 周旭 摄）", ["摄", "摄"]),
    ("（沈小燕、周旭 摄）", ["摄", "摄"]), ("（摄影：沈小燕）", ["摄影"]), ("（沈小燕 摄影）", ["摄影"]),
    ("（沈小燕 摄影报道）", ["摄影报道"]), ("（沈小燕 制图）", ["制图"]), ("新华社发（沈小燕 摄）", ["摄"]),
    ("新华社发 （沈小燕摄）", ["摄"]), ("村里的路灯也亮了。新华社发（沈小燕 摄）", ["摄"]), ("中新社发 （沈小燕 摄）", ["摄"]),
]  # fmt: skip


@pytest.mark.parametrize(("line", "roles"), SHOT)
def test_photographer_in_a_bracket_behind_the_text(line: str, roles: list[str]) -> None:
    for read in (article(page(last=line)), article(paper(f"{TEXT}<P>{line}</P>"), PAPER)):
        assert names(read.authors) == ["沈小燕", "周旭"][: len(roles)]
        assert [each.role for each in read.authors] == roles
    if "：" not in line:
        named = article(page(last=line, head=["2016年08月12日 07:34:27 来源：浙江在线 记者 江帆"]))
        assert names(named.authors) == ["江帆"]


@pytest.mark.parametrize("line", ["（老厂房旧景 摄）", "（图为老厂房）", "（摄于2015年）", "（老厂房，2015年摄）", "（资料图）", "（图片由村里提供）"])  # fmt: skip
def test_bracket_about_a_picture_names_nobody(line: str) -> None:
    assert article(page(last=line)).authors == []


@pytest.mark.parametrize(
    "place", ["县委宣传部", "市农业农村局", "区总工会", "海盐县人民医院", "中国计量大学"]
)
@pytest.mark.parametrize("who", ["龚献明", "龚献明 王小丽"])
def test_place_before_the_names_in_a_bracket(place: str, who: str) -> None:
    expected = [(place, "作者", name) for name in who.split()]
    for read in (
        article(page(last=f"（{place} {who}）")),
        article(page(first=f"本报讯 （{place} {who}）{REST}")),
    ):
        assert people(read.authors) == expected
