"""Template T3: other body containers, found by crawling every homepage link (all SEL, docs/site.md).

The markup of their heads is not known; the shared rules read title, time and the rest.
"""

from zjolcrawl.parsing.xpath import Template, has_class, paths

T3 = Template(
    name="T3",
    bodies=paths(
        has_class("artical_real"),  # sic
        has_class("atricle_inner"),  # sic
        has_class("art-con"),
        "//*[contains(concat(' ', normalize-space(@class), ' '), ' content ')"
        " and contains(concat(' ', normalize-space(@class), ' '), ' cf ')]",
        has_class("content"),
        "//*[@id='main']/div/div[7]",
    ),
    titles=paths(has_class("contTit"), has_class("artTitle")),
    times=paths("//*[@id='pubtime_baidu']"),
    sources=paths("//*[@id='source_baidu']"),
    authors=paths("//*[@id='author_baidu']"),
    editors=paths("//*[@id='editor_baidu']"),
)
