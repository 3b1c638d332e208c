"""Paragraphs in separate wrappers on pages that fit no template, and pagers with variables."""

import pytest

from tests.parsing.passages import ONE, PROSE, THREE, TWO, lines, page, read

URL = "http://www.example.cn/news/1.html"
SIDE = "<div class=right><div class=box><p>另一条消息的摘要，写在旁边的栏目里，读者可以点开看。</p></div></div>"


def each(form: str) -> str:
    return "".join(form.replace("{}", line).replace("#", str(n)) for n, line in enumerate(PROSE))


LAYOUTS = {
    "three deep": f"<div>{each('<section><section><section><p>{}</p></section></section></section>')}</div>",
    "six deep": f"<div>{each('<div>' * 6 + '<p>{}</p>' + '</div>' * 6)}</div>",
    "leaves": f"<div>{each('<div><div>{}</div></div>')}</div>",
    "spans": f"<div>{each('<div><span><span>{}</span></span></div>')}</div>",
    "numbered": f"<div>{each('<div class=para-#><div class=in><p>{}</p></div></div>')}</div>",
    "rows": f"<table>{each('<tr><td>{}</td></tr>')}</table>",
    "rows of paragraphs": f"<table><tbody>{each('<tr><td><p>{}</p></td></tr>')}</tbody></table>",
    "list": f"<ul>{each('<li><p>{}</p></li>')}</ul>",
    "definitions": f"<dl>{each('<dd>{}</dd>')}</dl>",
    "quotes": f"<div>{each('<blockquote><section><p>{}</p></section></blockquote>')}</div>",
    "other depths": f"<div><section><section><p>{ONE}</p></section></section><section><p>{TWO}</p></section><p>{THREE}</p></div>",
    "pictures between": f"<div>{each('<section><section><p>{}</p></section></section><section><img src=#.jpg></section>')}</div>",
    "groups": f"<div><div class=g>{'<div><div><p>'.join(['', ONE, TWO])}</div></div></div></div></div><div class=g><div><div><p>{THREE}</div></div></div></div>",
    "own elements": f"<x-body>{each('<x-par><p>{}</p></x-par>')}</x-body>",
    "boxes of lines": f"<div><div>{ONE}<br>{TWO}</div><div>{THREE}</div></div>",
}


@pytest.mark.parametrize("side", ["", SIDE], ids=["alone", "beside"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_wrapped_paragraphs_are_all_read(layout: str, side: str) -> None:
    html = (
        "<title>茶厂开了新车间_某某网</title><div class=nav><a href=/>首页</a><a href=/gn/>国内</a></div>"
        f"<div class=wrap><h1>茶厂开了新车间</h1><div class=meta>2017-08-12 07:34 来源：某报</div>{LAYOUTS[layout]}</div>"
        f"{side}<div>关于我们</div>"
    )
    article = read(html, URL)
    assert lines(article) == PROSE
    assert article.title == "茶厂开了新车间"


def test_stories_with_a_summary_each_are_no_article_of_paragraphs() -> None:
    stories = "".join(
        f"<li><a href=/{n}.html>另一条新闻的标题，也不短，读者要点开才看得到</a><p>{line}</p></li>"
        for n, line in enumerate(PROSE)
    )
    html = f"<title>茶厂开了新车间_某某网</title><h1>茶厂开了新车间</h1><div>2017-08-12</div><div><p>{ONE * 2}</p><p>{TWO}</p></div><ul>{stories}</ul>"
    assert lines(read(html, URL)) == [ONE * 2, TWO]


STEM = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774999"
THREE_PAGES = [f"{STEM}.shtml", f"{STEM}_1.shtml", f"{STEM}_2.shtml"]


@pytest.mark.parametrize(
    "script",
    [
        'var n=3; createPageHTML(n, 0, "t20170812_4774999", "shtml");',
        'var countPage = "3"; var name = "t20170812_4774999"; createPageHTML(countPage, 0, name, "shtml");',
        "createPageHTML(3,0,'t20170812_4774999','shtml')",
        'createPageHTML( "3" , "0" , "t20170812_4774999" , "shtml" );',
        'total=3;\ncreatePageHTML(total, cur, "t20170812_4774999", "shtml", 3);',
        'createPage(3, 0, "t20170812_4774999", "shtml");',
        'function createPageHTML(count, index, name, ext) {} createPageHTML(3, 0, "t20170812_4774999", "shtml");',
        'var ext = "shtml"; createPageHTML(3, 0, "t20170812_4774999", ext);',
        'var total = parseInt("3"); createPageHTML(total, 0, "t20170812_4774999", "shtml");',
        "var n = parseInt('3', 10); createPageHTML(n, 0, 't20170812_4774999', 'shtml');",
        'createPageHTML(parseInt("3"), 0, "t20170812_4774999", "shtml");',
        'createPageHTML(Number(3), 0, "t20170812_4774999", "shtml");',
        'createPageHTML(parseInt("3", 10), 0, "t20170812_4774999", "shtml");',
        'var pages = +"3"; createPageHTML(pages, 0, "t20170812_4774999", "shtml");',
    ],
)
def test_pager_whose_numbers_are_variables(script: str) -> None:
    assert read(page(after=f"<script>{script}</script>")).pages == THREE_PAGES


@pytest.mark.parametrize(
    "pager",
    [
        "<select onchange='location=this.value'><option value=t20170812_4774999.shtml>第1页<option value={1}>第2页<option value={2}>第3页</select>",
        "<select><option>1<option value=./{1}>2</option><option value=./{2}>3</option></select>",
        "<form><select id=page><option value=/zjnews/zjxw/201708/{1}>2<option value=/zjnews/zjxw/201708/{2}>3</select></form>",
        "<select><optgroup label=页><option value={2}>三<option value={1}>二</optgroup></select>",
        "<select><option value={1}>2</select><a href={2}>下一页</a>",
        "<select><option value=http://zjnews.zjol.com.cn/zjnews/zjxw/201708/{1}>2<option value={2}>3</select>",
    ],
)
def test_pager_that_is_a_list_of_choices(pager: str) -> None:
    one, two = (f"t20170812_4774999_{n}.shtml" for n in (1, 2))
    article = read(page(after=pager.replace("{1}", one).replace("{2}", two)))
    assert article.pages == THREE_PAGES
    assert lines(article) == PROSE


def test_choice_among_other_articles_is_no_pager() -> None:
    others = "<select><option value=t20170812_4774998_1.shtml>t20170812_4774999</select>"
    assert read(page(after=others)).pages == []


@pytest.mark.parametrize(
    "script",
    [
        'createPageHTML(n, 0, "t20170812_4774999", "shtml");',
        'createPageHTML(1, 0, "t20170812_4774999", "shtml");',
        'var n = 3; createPageHTML(n, 0, "t20170811_1111111", "shtml"); // t20170812_4774999',
    ],
)
def test_pager_of_one_page_or_of_another_article(script: str) -> None:
    assert read(page(after=f"<script>{script}</script>")).pages == []
