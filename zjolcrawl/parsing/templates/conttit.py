"""Template T1 (`contTit`): TRS pages of 2015-2021 and late legacy pages (docs/site.md)."""

from zjolcrawl.parsing.xpath import Template, has_class, paths

T1 = Template(
    name="T1",
    bodies=paths(has_class("contTxt")),  # REAL, SEL
    titles=paths(has_class("contTit"), has_class("artTitle")),  # SEL
    times=paths("//*[@id='pubtime_baidu']", has_class("time", "div")),  # SEL
    sources=paths("//*[@id='source_baidu']"),  # SEL
    authors=paths("//*[@id='author_baidu']"),  # SEL
    editors=paths("//*[@id='editor_baidu']"),  # SIS
)
