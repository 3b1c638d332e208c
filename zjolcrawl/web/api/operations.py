"""The paths of the API: one table for the routes, the checks, the description and the page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from zjolcrawl.web.api import views
from zjolcrawl.web.api.parameters import BY, FILTERS, ORDER, PAGE, URL, WORDS, Parameter
from zjolcrawl.web.api.views import Answer, ApiRequest

ROOT = "/api/v1"


@dataclass(frozen=True, slots=True)
class Operation:
    """A path below ROOT: what it answers, in English and Chinese, and its parameters.

    `schema` names the schema of the answer, `example` is a query string. `problems`: the errors of its own.
    """

    name: str
    meaning: str
    chinese: str
    schema: str
    view: Callable[[ApiRequest], Awaitable[Answer]]
    parameters: tuple[Parameter, ...] = ()
    example: str = ""
    problems: tuple[str, ...] = ("invalid-parameter",)

    @property
    def path(self) -> str:
        """The path on the server."""
        return f"{ROOT}/{self.name}"


_ARCHIVE = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml"
_NAMED = ("invalid-parameter", "unknown-name")
_OF_URL = ("invalid-parameter", "not-found")
OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "search", "Articles that contain all words: headline matches first, then the newest. With `changed_since` or `gone_since`: the last change first",
        "全文检索：标题命中的在前，新的在前", "ArticlePage", views.search,
        (WORDS, *FILTERS, ORDER, *PAGE), "words=环境保护督察&since=2017-08-01&limit=5", _NAMED,
    ),
    Operation(
        "articles", "All articles, or those that the filters select: the newest first, those without a publish time last. With `changed_since` or `gone_since`: the last change first",
        "全部文章，或按条件选出的文章：新的在前", "ArticlePage", views.articles,
        (*FILTERS, *PAGE), "column=zjxw&limit=5", _NAMED,
    ),
    Operation(
        "article", "The newest version of an article, as `scrapy export` writes it", "一篇文章的最新一版，与 scrapy export 所写相同",
        "Article", views.article, (URL,), f"url={_ARCHIVE}", _OF_URL,
    ),
    Operation(
        "revisions", "The versions of an article, oldest first, each with the changes since the version before",
        "一篇文章的各版，旧的在前，各带与前一版的差异", "RevisionPage", views.revisions, (URL, *PAGE), f"url={_ARCHIVE}", _OF_URL,
    ),
    Operation("columns", "The columns that have articles", "有文章的栏目", "Columns", views.columns),
    Operation(
        "counts", "Number of articles that a search finds by day, month or year of publication in China",
        "检索结果按日、月或年（北京时间）的篇数", "Counts", views.counts,
        (WORDS, *FILTERS, BY), "words=环境保护督察&by=month", _NAMED,
    ),
    Operation("health", "Whether crawls and archive are healthy, as `scrapy health` reports it", "采集与归档是否健康，与 scrapy health 相同", "Health", views.health),
)  # fmt: skip
