"""T5: digital papers of the group, made with Founder's 数字报 (docs/site.md).

Not one of FAMILIES: the URL of a paper's article says what it is. The page of an issue and the page of
an article share the frame (the list of the issue's pages, the label of this one).
"""

from zjolcrawl.parsing.templates.table import Path, Template, has_class, paths

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
# Beside the text, a table each: a row with the picture, one with its caption.
PICTURES = paths(has_class("main_ar_pic_text"), has_class("attachment", "div"))  # SEL qjwb; SIS

# 第01版：要闻; A0001版：封面
LABELS = paths(
    has_class("main-ed-pageifm") + "//span",  # SEL qjwb
    has_class("main-ed-pageifm"),  # SEL
)
# The list of the pages; the PDF of a page is in the `filepath` of an image in its row [SEL], or linked there [SIS].
PAGE_LINKS = paths("//a[@id='pageLink']", has_class("main-ednav-nav") + "//dt/a")  # SEL
PAGE_ROW = paths("ancestor::*[self::dl or self::li or self::tr][1]")  # SEL dl; SIS
TITLE_LINKS = Path(has_class("main-ed-articlenav-list") + "//a[@href]")  # SEL
# The page picture has areas that the list of titles lacks (public notices) [SEL kjb, zjfzb], and the
# pages of jnyb have no list [SEL].
AREAS = Path("//map//area[@href]")  # SEL
# An index of the whole issue (zjrbindex.htm): h3 for a page, then its titles [SEL]
ALL_LINKS = Path("//a[@href]")
