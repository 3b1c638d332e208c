"""Template TRS: the editor box in which TRS WCM delivers a text on any site (docs/site.md).

It says nothing about the head; the shared rules read title, time and the rest.
"""

from zjolcrawl.parsing.xpath import Template, has_class, paths

TRS = Template(
    name="TRS",
    bodies=paths(
        has_class("TRS_Editor"),  # SIS
        has_class("TRS_UEDITOR"),  # SIS
    ),
    times=paths("//*[@id='pubtime_baidu']"),
    sources=paths("//*[@id='source_baidu']"),
    authors=paths("//*[@id='author_baidu']"),
    editors=paths("//*[@id='editor_baidu']"),
)
