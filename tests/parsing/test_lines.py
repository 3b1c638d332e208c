"""Lines of a container that are not part of the article: counters, bars, pagers, hidden words; and lines that are."""

import pytest

from tests.parsing.passages import BODY, ONE, PROSE, THREE, TWO, lines, page, read

COUNTERS = [
    "<div class=zan><span>12</span></div>",
    "<p>阅读 1024</p>",
    "<p>3521人已阅读</p>",
    "<p>88次浏览</p>",
    "<p>已有12人参与</p>",
    "<p>5条评论</p>",
    "<p>分享 7</p>",
    "<div><span>赞</span><span>3</span> <span>收藏</span><span>2</span> <span>评论(0)</span></div>",
    "<p>本文已被浏览 233 次</p>",
    "<p>1.2万次播放</p>",
    "<p>+1</p>",
    "<p>👍 12</p>",
    "<p>热度：36</p>",
    "<p>12 人觉得很赞</p>",
    "<p>在看 9</p>",
    "<div>0</div>",
    "<div class=num><em>12</em></div><div class=num><em>3</em></div>",
    "<p>点击量：1,024 | 评论数：3</p>",
]
BARS = [
    "<p><a>【纠错】</a></p>",
    "<p>打印 收藏 关闭</p>",
    "<p>字号 大 中 小</p>",
    "<p>A- A+</p>",
    "<p>分享 微信 微博 QQ空间</p>",
    "<p>转发 赞 在看</p>",
    "<p>复制链接 生成海报</p>",
    "<p>我要纠错 | 举报 | 返回顶部</p>",
]
PAGERS = [
    "<p><a href=a_1.shtml>【1】</a><a href=a_2.shtml>【2】</a></p>",
    "<p>【1】【2】【3】</p>",
    "<p>1 <a href=a_1.shtml>2</a> <a href=a_2.shtml>3</a></p>",
    "<p>[1] <a href=a_1.shtml>[2]</a> <a href=a_1.shtml>下一页</a></p>",
    "<p><a href=a_1.shtml>上一页</a> 1 2 3 <a href=a_2.shtml>下一页</a></p>",
    "<div>共 3 页 第 1 页</div>",
    "<p>« <a href=a_1.shtml>1</a> <a href=a_2.shtml>2</a> »</p>",
    "<p><a href=a_2.shtml><img src=/img/next_page.jpg></a></p>",
]
HIDDEN = [
    "<p hidden>藏起来的推广词句。</p>",
    "<p style='font-size:0'>藏起来的推广词句。</p>",
    "<p style='FONT-SIZE: 0px; color:#fff'>藏起来的推广词句。</p>",
    "<div style='opacity:0'><p>藏起来的推广词句。</p></div>",
    "<p><span style='display : none'>藏起来的推广词句。</span></p>",
    "<p>　<span hidden=hidden>藏起来的推广词句。</span></p>",
    "<section style='visibility:hidden;height:0'>藏起来的推广词句。</section>",
    "<p>打赏</p>",
    "<p>赞赏作者</p>",
    "<p>写评论</p>",
    "<p>发表评论</p>",
    "<p>请先登录后发表评论</p>",
    "<p>暂无评论</p>",
    "<p>还没有评论，快来抢沙发吧！</p>",
    "<p>热门评论</p>",
    "<p>举报/反馈</p>",
    "<p>意见反馈 投诉建议</p>",
    "<p>打印本页 关闭窗口</p>",
    "<p>打赏 12 收藏本文</p>",
    "<p>共3页：上一页 1 2 3 下一页</p>",
    "<p>‹ 上一页 1 2 3 下一页 ›</p>",
    "<p>第1页：共3页 下一页</p>",
    "<p style='height:0;overflow:hidden'>藏起来的推广词句。</p>",
    "<div style='overflow: hidden; max-height: 0px'><p>藏起来的推广词句。</p></div>",
    "<p style='position:absolute;left:-9999px'>藏起来的推广词句。</p>",
    "<p>　<span style='text-indent:-10000px'>藏起来的推广词句。</span></p>",
    "<p style='color:transparent'>藏起来的推广词句。</p>",
    "<p>　<span style='color: rgba(0, 0, 0, 0)'>藏起来的推广词句。</span></p>",
    "<p style='mso-hide:all'>藏起来的推广词句。</p>",
    "<p>　<span style='clip:rect(0,0,0,0);position:absolute'>藏起来的推广词句。</span></p>",
    "<div style='transform:scale(0)'>藏起来的推广词句。</div>",
    "<p aria-hidden=true>藏起来的推广词句。</p>",
    "<p>　<span aria-hidden=true>藏起来的推广词句。</span></p>",
    "<p class=hidden>藏起来的推广词句。</p>",
    "<p>　<span class='note hide'>藏起来的推广词句。</span></p>",
    "<div class=sr-only><p>藏起来的推广词句。</p></div>",
    "<p class='visually-hidden'>藏起来的推广词句。</p>",
    "<p style='opacity:0.0'>藏起来的推广词句。</p>",
]


@pytest.mark.parametrize("markup", COUNTERS + BARS + PAGERS + HIDDEN)
def test_line_of_a_container_that_is_no_text(markup: str) -> None:
    article = read(page(BODY + markup))
    assert (lines(article), article.images, article.tags) == (PROSE, [], [])


@pytest.mark.parametrize(
    "line",
    [
        "01",
        "2017",
        "12人",
        "阅读，是茶厂夜校的第一课",
        "点赞炒茶师傅",
        "关注秋茶",
        "3人获奖",
        "5条新路",
        "分享3个窍门",
        "赞！",
        "评论员来到茶厂",
        "支持12户茶农",
        "更多的人来了",
        "打赏茶农",
        "写评论的人",
        "发表评论的规矩",
        "暂无评论家",
        "请先登录再看茶",
        "版权所有者是谁？",
        "版权所有人说了什么",
        "特别声明有用吗？",
        "免责声明能不能免责",
        "版权声明写给谁看？",
        "免责申明不是挡箭牌",
    ],
)
def test_line_of_the_text_that_looks_like_one(line: str) -> None:
    article = read(page(f"<p>{ONE}</p><p>{line}</p><p>{TWO}</p><p>{THREE}</p>"))
    assert lines(article) == [ONE, line, TWO, THREE]


@pytest.mark.parametrize(
    "style",
    [
        "font-size:0",
        "font-size:0;line-height:0",
        "opacity:0.8",
        "font-size:0.9em",
        "opacity:.5",
        "font-size:05px",
    ],
)
def test_style_that_hides_nothing(style: str) -> None:
    gap = style.startswith("font-size:0;") or style == "font-size:0"
    inner = "<span style='font-size:16px'>门口有棵樟树。</span>" if gap else "门口有棵樟树。"
    article = read(page(f"{BODY}<p style='{style}'>{inner}<img src=/a.jpg></p>"))
    assert lines(article) == [*PROSE, "门口有棵樟树。"]
    assert len(article.images) == 1


@pytest.mark.parametrize(
    "end",
    [
        "版权和免责申明", "版权声明：本文归茶厂所有", "特别声明", "【免责声明】", "版权所有 浙江在线", "浙江在线版权所有", "免责声明：文中观点不代表本网",
        "版权声明及免责条款", "特别声明 以上内容由用户上传",
    ],
)  # fmt: skip
def test_line_that_ends_the_text(end: str) -> None:
    assert lines(read(page(f"{BODY}<p>{end}</p><p>山外的茶客也来看过这里的秋茶。</p>"))) == PROSE


@pytest.mark.parametrize(
    "line", ["来源丨山城日报", "来源 | 山城日报", "本文来源｜山城日报", "（来源丨山城日报）", "稿件来源|山城日报"]
)  # fmt: skip
def test_last_line_that_says_the_source_behind_a_bar(line: str) -> None:
    article = read(page(f"{BODY}<p>{line}</p>", info="2017年08月12日 07:34:27"))
    assert (lines(article), article.source) == (PROSE, "山城日报")


@pytest.mark.parametrize(
    "attribute",
    [
        "style='height:0'",
        "style='left:-1px'",
        "style='text-indent:2em'",
        "style='overflow:hidden;height:20px'",
        "style='background-color:transparent'",
        "style='border-color: transparent'",
        "style='margin-left:-10px;overflow:hidden'",
        "class=hidebar",
        "class=hidden-xs",
        "class='hidden md:block'",
        "class='hide show'",
        "aria-hidden=false",
    ],
)
def test_attribute_that_hides_nothing(attribute: str) -> None:
    article = read(page(f"{BODY}<div {attribute}>门口有棵樟树。<img src=/a.jpg></div>"))
    assert lines(article) == [*PROSE, "门口有棵樟树。"]
    assert len(article.images) == 1


@pytest.mark.parametrize(
    "box",
    [
        "<div style='height:0;padding-bottom:56%;overflow:hidden'><img src=/a.jpg></div>",
        "<div aria-hidden=true><img src=/a.jpg></div>",
        "<div style='color:transparent'><img src=/a.jpg></div>",
    ],
)
def test_box_of_a_picture_that_hides_words_only(box: str) -> None:
    assert len(read(page(BODY + box)).images) == 1


def test_page_behind_a_dialog_is_read() -> None:
    html = page().replace("<div class=artCon>", "<div class=artCon><div aria-hidden=true>")
    assert lines(read(html.replace(BODY, BODY * 3))) == PROSE * 3


@pytest.mark.parametrize(
    "bar",
    [
        "<div class=tag><a>【纠错】</a>责任编辑：李四光</div>",
        "<p>【我要纠错】责任编辑：李四光</p>",
        "<p>打印 收藏 责任编辑：李四光</p>",
        "<p>[纠错] [责任编辑：李四光]</p>",
        "<p>责任编辑：李四光 【纠错】</p>",
        "<p><span>（责任编辑：李四光）</span><a href=#>【打印】</a></p>",
        "<p>我要纠错 | 责编：李四光</p>",
    ],
)
@pytest.mark.parametrize("inside", [True, False])
def test_editor_beside_a_bar(bar: str, inside: bool) -> None:
    article = read(page(BODY + bar) if inside else page(after=bar))
    assert [person.name for person in article.editors] == ["李四光"]
    assert (lines(article), article.tags) == (PROSE, [])


@pytest.mark.parametrize(
    "line",
    [
        "本文原标题：《茶厂秋茶装箱》",
        "原标题：茶厂秋茶装箱",
        "（原标题：茶厂秋茶装箱）",
        "【原标题】茶厂秋茶装箱",
        "文章原标题为《茶厂秋茶装箱》",
        "原标题 | 茶厂秋茶装箱",
        "原题为“茶厂秋茶装箱”",
        "[原标题：《茶厂秋茶装箱》]",
        "本文原题：茶厂秋茶装箱",
        "该文原文标题是《茶厂秋茶装箱》",
    ],
)
def test_original_title(line: str) -> None:
    article = read(page(f"<p>{line}</p>{BODY}"))
    assert (article.original_title, lines(article)) == ("茶厂秋茶装箱", PROSE)


@pytest.mark.parametrize(
    "line", ["原标题党的手法已经过时了。", "原题材不同。", "他说，原标题为何改了？"]
)
def test_sentence_about_a_title(line: str) -> None:
    article = read(page(f"<p>{line}</p>{BODY}"))
    assert (article.original_title, lines(article)) == (None, [line, *PROSE])


TEXT = "\n".join(PROSE)


@pytest.mark.parametrize(
    "body",
    [
        f"<pre>{TEXT}</pre>",
        f"<pre>　　{ONE}\r\n　　{TWO}\r\n\r\n　　{THREE}\r\n</pre>",
        f"<div style='white-space:pre-wrap'>{TEXT}</div>",
        f"<p style='white-space: pre-line'>{TEXT}</p>",
        f"<pre>{ONE}<br>{TWO}\n<b>{THREE[:9]}</b>{THREE[9:]}</pre>",
        # Lines of equal length, wrapped by hand: paragraphs are indented.
        f"<pre>　　{ONE}\n　　{TWO[:30]}\n{TWO[30:]}\n　　{THREE}</pre>",
        f"<pre><p>{ONE}</p>\n<p>{TWO}</p>\n{THREE}</pre>",
    ],
)
def test_lines_that_are_kept_as_written(body: str) -> None:
    assert lines(read(page(body))) == PROSE


def test_page_without_a_known_container_keeps_them_too() -> None:
    html = f"<title>茶厂开了新车间_某某网</title><h1>茶厂开了新车间</h1><div>2017-08-12 来源：某报</div><pre>{TEXT}</pre>"
    assert lines(read(html, "http://www.example.cn/1.html")) == PROSE


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\u0085", "\u2028\u2028", "\u0085\n"])
def test_line_separators_of_unicode(end: str) -> None:
    article = read(page(f"<p>{ONE}{end}{TWO}{end}</p><p><b>{THREE}</b>{end}</p>"))
    assert lines(article) == PROSE
    assert article.body.splitlines() == PROSE
    titled = read(page(title=f"茶厂开了{end}新车间"))
    assert titled.title.split() == ["茶厂开了", "新车间"] or titled.title == "茶厂开了新车间"


@pytest.mark.parametrize(
    "strange",
    ["\u200b", "\ufeff", "\u00ad", "\u2060", "\u2066", "\u206a", "\u0081", "\x1f", "\u180e"],
)
def test_characters_of_no_width(strange: str) -> None:
    broken = strange.join(ONE)
    article = read(page(f"<p>{broken}</p><p>{strange}{TWO}{strange}</p><p>{THREE}</p>"))
    assert lines(article) == PROSE


def test_references_to_the_characters_of_windows() -> None:
    article = read(page(f"<p>他说：&#147;好茶&#148;&#151;够了。</p>{BODY}"))
    assert lines(article)[0] == "他说：“好茶”—够了。"


@pytest.mark.parametrize(
    "markup, tags",
    [
        ("<ul class=tag-list><li class=tag-item><a>秋茶</a></li><li class=tag-item><a>茶厂</a></li></ul>", ["秋茶", "茶厂"]),
        ("<ul class=tags><li>秋茶</li><li>茶厂</li></ul>", ["秋茶", "茶厂"]),
        ("<div class=tag-box><span class=tag><a>秋茶</a></span><span class=tag><a>茶厂</a></span></div>", ["秋茶", "茶厂"]),
        ("<div><span class=tag>秋茶</span><span class=tag>茶厂</span></div>", ["秋茶", "茶厂"]),
        ("<div>标签：#秋茶 #茶厂</div>", ["秋茶", "茶厂"]),
        ("<div>标签：#秋茶##茶厂#</div>", ["秋茶", "茶厂"]),
        ("<div>相关标签：<a>秋茶</a> <a>茶厂</a></div>", ["秋茶", "茶厂"]),
        ("<div>关键词：秋茶，茶厂</div>", ["秋茶", "茶厂"]),
        ("<div>TAG：秋茶 茶厂</div>", ["秋茶", "茶厂"]),
        ("<div>标签 | 秋茶 茶厂</div>", ["秋茶", "茶厂"]),
        ("<div>【标签】秋茶、茶厂</div>", ["秋茶", "茶厂"]),
        ("<p class=keywords><a>秋茶</a><a>茶厂</a><a>更多</a></p>", ["秋茶", "茶厂"]),
        ("<div class=tags><span>秋茶</span><span>茶厂</span></div>", ["秋茶", "茶厂"]),
        ("<div class=tags>标签：<span>秋茶</span> <span>茶厂</span></div>", ["秋茶", "茶厂"]),
        ("<div class=tag-box><b>标签</b><em>秋茶</em>、<em>茶厂</em></div>", ["秋茶", "茶厂"]),
        ("<dl class=tag><dt>标签</dt><dd>秋茶</dd><dd>茶厂</dd></dl>", ["秋茶", "茶厂"]),
        ("<p class=keywords><i>秋茶</i> | <i>茶厂</i></p>", ["秋茶", "茶厂"]),
        ("<div id=tags><span>秋茶</span></div>", ["秋茶"]),
        ("<div class=tags><span>原创</span></div>", []),
        ("<div class=tag><span>2017-08-12</span><span>浙江在线</span></div>", []),
        ("<div class=tag><span>秋茶</span>今年的第一批已经装了箱运往外地去卖</div>", []),
        ("<div class=tag-box><span>文章有误</span><span>取消</span><span>确认</span></div>", []),
        ("<div class=tag><span>128</span><span>茶厂</span></div>", []),
        ("<div class=tag><a>我要纠错</a> <a>打印</a></div>", []),
        ("<div class=tags><a>秋茶</a><a>【纠错】</a></div>", ["秋茶"]),
    ],
)  # fmt: skip
def test_tags_in_every_form_of_a_bar(markup: str, tags: list[str]) -> None:
    article = read(page(after=markup))
    assert (article.tags, lines(article)) == (tags, PROSE)


@pytest.mark.parametrize(
    "keywords, tags",
    [
        ('content="<meta name=" author" ""', []),
        ("content='{$keywords}'", []),
        ("content='null'", []),
        ("content='关键词'", []),
        ("content='山脚下的茶厂开了新车间，头一批秋茶当晚就装了箱。'", []),
        ("content='keywords'", []),
        ("content='$keywords$'", []),
        ("content='[标签:关键词]'", []),
        ("content='%KEYWORDS%'", []),
        ("content='#article.tags#'", []),
        ("content='【关键词】'", []),
        ("content='__keyword__'", []),
        ("content='[field:keywords/]'", []),
        ("content='秋茶,$tag$,茶厂'", ["秋茶", "茶厂"]),
        ("content='山脚下的茶厂开了 新车间'", []),
        ("content='秋茶，茶厂、浙江'", ["秋茶", "茶厂", "浙江"]),
        ("content='浙江；秋茶|茶厂'", ["浙江", "秋茶", "茶厂"]),
        ("content='秋茶 浙江'", ["秋茶", "浙江"]),
        ("content='浙江'", []),
        ("content='浙江,新闻,浙江在线,秋茶'", ["秋茶"]),
        ("content='秋茶,浙江,浙江门户'", ["秋茶"]),
        ("content='秋茶,茶厂'", ["秋茶", "茶厂"]),
        ("content='秋茶 茶厂'", ["秋茶", "茶厂"]),
        ("content='秋茶,山脚下的茶厂开了新车间头一批秋茶当晚就装了箱'", ["秋茶"]),
    ],
)
def test_keywords_that_are_none(keywords: str, tags: list[str]) -> None:
    assert read(page(head=f"<meta name=keywords {keywords}>")).tags == tags
