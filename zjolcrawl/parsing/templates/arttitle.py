"""Template T2 (`artTitle`): pages of tsxz 2019-2021 and zjnews/zjxc 2022-2026 (docs/site.md)."""

from zjolcrawl.parsing.xpath import Template, has_class, paths

T2 = Template(
    name="T2",
    bodies=paths(has_class("artCon")),  # SEL
    titles=paths(has_class("artTitle", "h1"), has_class("artTitle")),  # SEL
    times=paths("//*[@id='pubtime_baidu']", has_class("info", "div")),  # SEL
    sources=paths("//*[@id='source_baidu']"),  # SEL (tsxz)
    authors=paths("//*[@id='author_baidu']"),  # SEL (tsxz)
    editors=paths("//*[@id='editor_baidu']"),  # SIS
)
