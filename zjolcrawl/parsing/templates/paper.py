"""Template T5: the group's digital papers, made with Founder's 数字报 (docs/site.md).

It is not in FAMILIES because a paper article is recognised by its URL. Pages of an issue and article
pages share the same frame: the list of the issue's pages and the label of the current page.
"""

from zjolcrawl.parsing.xpath import Path, Template, has_class, paths

T5 = Template(
    name="T5",
    bodies=paths(
        "//*[@id='ozoom']//founder-content",  # SEL zjrb
        has_class("main-article-con") + "//founder-content",  # SEL qjwb
        "//founder-content",  # SEL kjb
        "//*[@id='ozoom']",  # SEL zjrb, zjfzb
        has_class("main-article-con"),  # SEL
        has_class("main-article-content"),  # SEL; holds headlines and pictures too
    ),
    titles=paths(has_class("main-article-title"), "//founder-title"),  # SEL; SIS
    authors=paths(has_class("main-article-author"), "//founder-author"),  # SEL qjwb; SIS
)
TITLE_TAG = Path("//title")
KICKERS = paths(has_class("main-article-pretitle"))  # SEL qjwb
SUBTITLES = paths(has_class("main-article-subtitle"))  # SEL qjwb
# Tables beside the text, each with a row for the picture and a row for its caption.
PICTURES = paths(has_class("main_ar_pic_text"), has_class("attachment", "div"))  # SEL qjwb; SIS

# 第01版：要闻; A0001版：封面
LABELS = paths(
    has_class("main-ed-pageifm") + "//span",  # SEL qjwb
    has_class("main-ed-pageifm"),  # SEL
)
# The list of the pages. A page's PDF is in the `filepath` of an image in its row [SEL] or linked there [SIS].
PAGE_LINKS = paths("//a[@id='pageLink']", has_class("main-ednav-nav") + "//dt/a")  # SEL
PAGE_ROW = paths("ancestor::*[self::dl or self::li or self::tr][1]")  # SEL dl; SIS
TITLE_LINKS = Path(has_class("main-ed-articlenav-list") + "//a[@href]")  # SEL
# The page image has areas missing from the list of titles (public notices) [SEL kjb, zjfzb]; pages
# of jnyb have no list [SEL].
AREAS = Path("//map//area[@href]")  # SEL
# An index of the whole issue (zjrbindex.htm) has an h3 for each page, followed by its titles [SEL]
ALL_LINKS = Path("//a[@href]")
