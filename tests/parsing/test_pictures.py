"""Images: their URL, their caption, and which of them are furniture."""

import pytest

from tests.parsing.passages import BODY, ONE, PROSE, THREE, TWO, lines, page, read
from zjolcrawl.parsing.image_refs import image_key

HERE = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/"
NAME = "W020170812274999000001.jpg"
DOT = "data:image/gif;base64,R0lGODlhAQABAAAAACw="


def urls(html: str) -> list[str]:
    return [image.url.removeprefix(HERE) for image in read(page(html + BODY)).images]


@pytest.mark.parametrize(
    "alt",
    [
        "摊主在柜台上贴了收款二维码",
        "游客扫码进站，工作人员在一旁指路",
        "户外广告牌被大风刮倒",
        "两位老人分享一碗面",
        "亚运会会徽和logo墙前的志愿者",
        "村民在看戏",
        "微信图片_20170810154159.jpg",
        "点击进入下一页",
    ],
)
@pytest.mark.parametrize("name", [f"./{NAME}", "/pic/003/011/552/00301155219_7ad1c0e3.jpg"])
def test_word_in_the_alt_drops_no_picture(alt: str, name: str) -> None:
    assert len(urls(f'<p><img src="{name}" alt="{alt}"></p>')) == 1


@pytest.mark.parametrize(
    "alt",
    [
        "二维码",
        "微信二维码",
        "浙江新闻客户端二维码",
        "扫一扫",
        "广告",
        "logo",
        "分享到微信",
        "公众号",
    ],
)
def test_alt_that_names_a_code_or_a_button(alt: str) -> None:
    assert urls(f'<p><img src="/pic/1.jpg" alt="{alt}"></p>') == []


@pytest.mark.parametrize("alt", ["二维码", "公众号", "分享", "视频号", "点赞", "logo"])
@pytest.mark.parametrize(
    "source", [f"src={NAME}", "src=/pic/1.jpg width=600", "src=/pic/2.png height=300"]
)
def test_alt_of_a_thing_on_a_picture_of_the_text(alt: str, source: str) -> None:
    assert len(urls(f'<p><img {source} alt="{alt}"></p>')) == 1


@pytest.mark.parametrize("alt", ["微信二维码", "扫一扫", "浙江新闻客户端二维码", "分享到微信"])
def test_alt_that_asks_something_of_the_reader(alt: str) -> None:
    assert urls(f'<p><img src={NAME} width=600 alt="{alt}"></p>') == []


@pytest.mark.parametrize(
    "name",
    [
        "skyline.jpg", "shoreline_2.jpg", "WechatIMG123.jpeg", "weixin_20170812.jpg", "iconic-bridge.jpg",
        "blueprint.png", "sharealbum/7.jpg", "lineup.jpg", "bandage.jpg", "07ad1c0e.jpg", "qrs-wave.png",
        "headlines/1.jpg", "weixin/2017/3.jpg", "logo-show-2017.jpg", "banner_contest_20170812.jpg", "share-bike-2.jpg",
        "icon_exhibition.jpeg", "line-dance.jpg", "print-works_01.jpg", "2017-logo_design_7.jpg",
    ],
)  # fmt: skip
def test_name_that_only_has_such_a_word_in_it(name: str) -> None:
    assert urls(f"<p><img src='/pic/{name}'></p>") == [f"http://zjnews.zjol.com.cn/pic/{name}"]


@pytest.mark.parametrize(
    "name",
    [
        "logo.png", "zjol_logo.png", "toplogo2.gif", "icons/arrow_up.png", "qrcode.png", "site_qrcode.jpg", "ewm.jpg",
        "share/wb.png", "blank.gif", "next_page.jpg", "page-next.png", "prevpage.gif", "wechat.png", "weixin_qr.jpg",
        "btn_print.gif", "line.gif", "ad_1.jpg", "x_w16_h16.png", "logo_footer.jpg", "share-weibo.jpg", "icon_search.jpg",
        "banner-news.jpg", "ads/logo-show-2017.jpg", "logo-show-2017.gif", "icon_phone_2.jpg",
    ],
)  # fmt: skip
def test_name_of_furniture(name: str) -> None:
    assert urls(f"<p><img src='/img/{name}'></p>") == []


@pytest.mark.parametrize(
    "attributes",
    [
        "class=img_loading data-src=/a.jpg src='{}'",
        "class='lazy blank' data-original=/a.jpg src=/img/blank.gif",
        "class=lazyload data-lazyload=/a.jpg src='{}'",
        "data-url=/a.jpg src='{}'",
        "data-actualsrc=/a.jpg src='{}'",
        "data-real-src=/a.jpg",
        "lay-src=/a.jpg src=/img/loading.gif",
        "lazy-src=/a.jpg",
        "real_src=/a.jpg src='{}'",
        "data-lazy-src=/a.jpg src='{}'",
        "data-echo=/a.jpg src=/img/grey.gif",
        "data-img=/a.jpg",
        "data-srcset='/s.jpg 480w, /a.jpg 1080w' src='{}'",
        "srcset='/s.jpg 1x,/a.jpg 2x'",
        "data-src='' src=/a.jpg",
        "data-lazy=true data-url=/zjnews/1.shtml src=/a.jpg",
        "data-original=/img/loading.gif src=/a.jpg",
        "oldsrc=/a.jpg src='{}'",
        "osrc=/a.jpg src='{}'",
        "data-hi-res=/a.jpg src=/img/blank.gif",
        "data-orig=/a.jpg src='{}'",
        "v-lazy=\"'/a.jpg'\" src='{}'",
        "data-croporisrc=/a.jpg src='{}'",
        "xlink:href=/a.jpg",
        "oldsrc=/b.jpg src=/a.jpg",
        "data-hi-res=/b.jpg src=/a.jpg",
        "onerror=\"this.src='/b.jpg'\" src=/a.jpg",
        "src=/a.jpg width=100% height=20%",
        "src=/a.jpg width=640px",
    ],
)
def test_address_in_an_attribute_of_a_lazy_loader(attributes: str) -> None:
    found = urls(f"<p><img {attributes.replace('{}', DOT)}></p>")
    assert found == ["http://zjnews.zjol.com.cn/a.jpg"]


@pytest.mark.parametrize(
    "markup",
    [
        "<picture><source srcset=/a.jpg><img></picture>",
        "<picture><source type=image/webp data-srcset='/s.jpg 1x, /a.jpg 2x'><img src='{}'></picture>",
        "<picture><source srcset=/a.jpg></picture>",
        "<picture><source media=x srcset='/s.jpg 480w, /a.jpg 960w'><source srcset=/t.jpg></picture>",
        "<picture class=p><source data-srcset=/a.jpg></picture>",
        "<figure><picture><source type=image/webp srcset='/a.jpg 2x'></source></picture></figure>",
        "<a href=/big.html><picture><source srcset=/a.jpg></picture></a>",
        "<amp-img src=/a.jpg></amp-img>",
        "<img src='{}'><noscript><img src=/a.jpg></noscript>",
        "<img src=/img/loading.gif><noscript><img src=/a.jpg></noscript>",
        "<img data-src=/a.jpg><noscript><img src=/a.jpg></noscript>",
        "<span class=lazy></span><noscript><img src=/a.jpg></noscript>",
        "<img src=/a.jpg><noscript><img src=//c.zjol.com.cn/hm.gif width=1 height=1></noscript>",
    ],
)
def test_picture_in_other_elements(markup: str) -> None:
    assert urls(f"<p>{markup.replace('{}', DOT)}</p>") == ["http://zjnews.zjol.com.cn/a.jpg"]


@pytest.mark.parametrize(
    "attributes",
    [
        "src=/img/loading.gif onerror=\"this.src='/b.jpg'\"", "src=/img/icon.png alt=b.jpg", "src='{}' title=b.jpg",
        "src='{}' data-title='图 b.jpg'", "src='{}' style='background:url(/b.jpg)'", "src=/img/qrcode.png class=b.jpg",
    ],
)  # fmt: skip
def test_attribute_that_holds_no_address(attributes: str) -> None:
    assert urls(f"<p><img {attributes.replace('{}', DOT)}></p>") == []


@pytest.mark.parametrize(
    "base, picture, file",
    [
        ("http://img.zjol.com.cn/news/", "http://img.zjol.com.cn/news/a.jpg", "http://img.zjol.com.cn/news/x.pdf"),
        ("//img.zjol.com.cn/news/list.html", "http://img.zjol.com.cn/news/a.jpg", "http://img.zjol.com.cn/news/x.pdf"),
        ("/news/", "http://zjnews.zjol.com.cn/news/a.jpg", "http://zjnews.zjol.com.cn/news/x.pdf"),
        ("", f"{HERE}a.jpg", f"{HERE}x.pdf"),
        ("file:///D:/web/", f"{HERE}a.jpg", f"{HERE}x.pdf"),
    ],
)  # fmt: skip
def test_references_start_from_the_base(base: str, picture: str, file: str) -> None:
    body = f"<p><img src=a.jpg></p>{BODY}<p><a href=x.pdf>附件</a></p>"
    article = read(page(body, head=f'<base href="{base}">'))
    assert [image.url for image in article.images] == [picture]
    assert [media.url for media in article.attachments] == [file]


def test_base_of_a_target_alone() -> None:
    article = read(page(f"<p><img src=a.jpg></p>{BODY}", head="<base target=_blank>"))
    assert article.images[0].url == f"{HERE}a.jpg"


IMG = f'<img src="./{NAME}">'


@pytest.mark.parametrize(
    "markup, caption, text",
    [
        (f"<p>{IMG}<br>▲新车间的炒锅<br>茶厂在山脚下。</p>", "▲新车间的炒锅", ["茶厂在山脚下。"]),
        (f"<p>{IMG}</p><p>▲新车间的炒锅<br>茶厂在山脚下。<br>门口有棵樟树。</p>", "▲新车间的炒锅", ["茶厂在山脚下。", "门口有棵樟树。"]),
        (f"<div>{IMG}<br>图为新车间<br>茶厂在山脚下，门口有棵樟树。</div>", "图为新车间", ["茶厂在山脚下，门口有棵樟树。"]),
        (f"<p>{IMG}<br>炒茶的师傅 记者 江帆 摄<br>茶厂在山脚下。</p>", "炒茶的师傅 记者 江帆 摄", ["茶厂在山脚下。"]),
        (f"<p align=center>{IMG}</p><p align=center>图为新车间<br>{ONE}</p>", "图为新车间", [ONE]),
        # A credit below the caption belongs to the caption.
        (f"<p>{IMG}<br>炒茶的师傅<br>记者 江帆 摄</p>", "炒茶的师傅 记者 江帆 摄", []),
        (f"<p>{IMG}</p><p>师傅在看火候。<br>记者 江帆 摄</p>", "师傅在看火候。 记者 江帆 摄", []),
        (f"<p align=center>{IMG}</p><p align=center>炒茶的师傅，<br>在新车间里。</p>", "炒茶的师傅， 在新车间里。", []),
        (f"<figure>{IMG}<figcaption>炒茶的师傅<br>记者 江帆 摄</figcaption></figure>", "炒茶的师傅 记者 江帆 摄", []),
    ],
)  # fmt: skip
def test_caption_ends_where_the_text_goes_on(markup: str, caption: str, text: list[str]) -> None:
    article = read(page(markup + BODY))
    assert [image.caption for image in article.images] == [caption]
    assert lines(article) == text + PROSE


@pytest.mark.parametrize(
    "line",
    [
        "↓↓↓下面一起来看看新车间",
        "↓↓ 详情如下",
        "▼▼▼往下看",
        "↓下面是厂长的话",
        "◆茶厂的三个变化",
        "上图书馆借来的旧县志里也有这家茶厂",
    ],
)
def test_line_below_a_picture_that_says_nothing_of_it(line: str) -> None:
    article = read(page(f"<p>{IMG}</p><p>{line}</p>{BODY}"))
    assert article.images[0].caption is None
    assert lines(article) == [line, *PROSE]


@pytest.mark.parametrize(
    "line", ["▲炒茶的师傅", "△炒茶的师傅", "↑炒茶的师傅", "上图：炒茶的师傅", "▼炒茶的师傅"]
)
def test_arrow_to_the_picture_above(line: str) -> None:
    article = read(page(f"<p>{IMG}</p><p>{line}</p>{BODY}"))
    assert (article.images[0].caption, lines(article)) == (line, PROSE)


def test_arrow_to_the_picture_below() -> None:
    other = IMG.replace("000001", "000002")
    article = read(
        page(
            f"<p>{ONE}</p><p>▼炒茶的师傅</p><p>{IMG}</p><p>▼装箱</p><p>{other}</p><p>{TWO}</p><p>{THREE}</p>"
        )
    )
    assert [image.caption for image in article.images] == ["▼炒茶的师傅", "▼装箱"]
    assert lines(article) == PROSE


@pytest.mark.parametrize(
    "url, key",
    [
        ("http://a.zjol.com.cn/x/W020170812341787363590.jpg?t=1", "W020170812341787363590.jpg"),
        ("https://img.zjolcdn.com/b.jpg?t=1#x", "img.zjolcdn.com/b.jpg"),
        ("http://x.cn/show?id=3&t=99", "x.cn/show?id=3"),
        ("http://x.cn/show?token=9", "x.cn/show"),
    ],
)
def test_key_of_a_picture(url: str, key: str) -> None:
    assert image_key(url) == key
