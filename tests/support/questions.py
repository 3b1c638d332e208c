"""The example queries of docs/questions.md, from which its mongosh and pymongo code is generated.

`python -m tests.support.questions` writes them into the page.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from pymongo.database import Database

from tests.support import readme

CHINA = timezone(timedelta(hours=8))
REFERENCE = "http://zjnews.zjol.com.cn/zjnews/zjxw/201708/t20170812_4774532.shtml"


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the index that answers it, and its query: a filter for `find`, or a pipeline."""

    title: str
    index: str
    collection: str
    query: dict[str, Any] | list[dict[str, Any]]
    fields: tuple[str, ...] = ()
    sort: tuple[str, int] | None = None
    limit: int = 0

    def shell(self) -> str:
        """The query for mongosh, on one line."""
        order = f".sort({_shell(dict([self.sort]))})" if self.sort else ""
        return self._call(_shell, order)

    def python(self) -> str:
        """The query for pymongo, on one line."""
        order = f".sort({_python(self.sort[0])}, {self.sort[1]})" if self.sort else ""
        return self._call(_python, order)

    def ask(self, db: Database[Any]) -> list[dict[str, Any]]:
        """The result of the pymongo query as the page prints it."""
        (printed,) = readme.code(self.title, "python")
        return list(eval(printed, {"db": db, "datetime": datetime, "china": CHINA}))

    def printed(self, formatted: str) -> str:
        """The text for the page."""
        return (
            f"{self.title} ({self.index}):\n```js\n{self.shell()}\n```\n```python\n{formatted}\n```"
        )

    def _call(self, write: Callable[[Any], str], order: str) -> str:
        if isinstance(self.query, list):
            return f"db.{self.collection}.aggregate({write(self.query)})"
        given = f"{write(self.query)}, {write(dict.fromkeys(self.fields, 1))}"
        limit = f".limit({self.limit})" if self.limit else ""
        return f"db.{self.collection}.find({given}){order}{limit}"


def _python(value: Any) -> str:
    match value:
        case datetime():
            return f"datetime({value.year}, {value.month}, {value.day}, tzinfo=china)"
        case dict():
            return f"{{{', '.join(f'{_python(k)}: {_python(v)}' for k, v in value.items())}}}"
        case list():
            return f"[{', '.join(map(_python, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _shell(value: Any) -> str:
    match value:
        case datetime():
            return f'ISODate("{value.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}")'
        case dict():
            return f"{{{', '.join(f'{_key(k)}: {_shell(v)}' for k, v in value.items())}}}"
        case list():
            return f"[{', '.join(map(_shell, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[$\w]+", name) else json.dumps(name)


def formatted(questions: list[Question]) -> list[str]:
    """The pymongo queries, formatted by ruff."""
    lines = "".join(f"{each.python()}\n# next\n" for each in questions)
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "-"],
        input=lines, capture_output=True, text=True, check=True, cwd=readme.ROOT,
    )  # fmt: skip
    return [each.strip("\n") for each in done.stdout.split("# next\n")[:-1]]


_DAY = {"$gte": datetime(2017, 8, 12, tzinfo=CHINA), "$lt": datetime(2017, 8, 13, tzinfo=CHINA)}
QUESTIONS = [
    Question(
        "Articles of a column in a span of days, newest first",
        "index `columns, published_at`",
        "articles",
        {"columns": "zjxw", "published_at": _DAY},
        fields=("title",),
        sort=("published_at", -1),
    ),
    Question(
        "All articles of a span of days, newest first",
        "index `published_at`",
        "articles",
        {"published_at": _DAY},
        fields=("title",),
        sort=("published_at", -1),
    ),
    Question(
        "Everything by a reporter",
        "index `authors.name, published_at`",
        "articles",
        {"authors.name": "江帆"},
        fields=("title", "published_at"),
        sort=("published_at", -1),
    ),
    Question(
        "Everything an editor signed",
        "index `editors.name, published_at`",
        "articles",
        {"editors.name": "金晨"},
        fields=("title",),
        sort=("published_at", -1),
    ),
    Question(
        "Articles with a tag",
        "index `tags, published_at`",
        "articles",
        {"tags": "生态文明"},
        fields=("title", "tags"),
        sort=("published_at", -1),
    ),
    Question(
        "The tags that stand beside a tag, the most frequent first",
        "index `tags, published_at`",
        "articles",
        [
            {"$match": {"tags": "生态文明"}},
            {"$unwind": "$tags"},
            {"$match": {"tags": {"$ne": "生态文明"}}},
            {"$group": {"_id": "$tags", "articles": {"$sum": 1}}},
            {"$sort": {"articles": -1, "_id": 1}},
            {"$limit": 20},
        ],
    ),
    Question(
        "How many articles a column has on each day in China",
        "index `columns, published_at`",
        "articles",
        [
            {
                "$match": {
                    "columns": "zjxw",
                    "published_at": {
                        "$gte": datetime(2017, 8, 1, tzinfo=CHINA),
                        "$lt": datetime(2017, 9, 1, tzinfo=CHINA),
                    },
                }
            },
            {
                "$group": {
                    "_id": {
                        "$dateToString": {
                            "date": "$published_at",
                            "format": "%Y-%m-%d",
                            "timezone": "+08:00",
                        }
                    },
                    "articles": {"$sum": 1},
                }
            },
            {"$sort": {"_id": 1}},
        ],
    ),
    Question(
        "Articles on a host in a span of days, newest first",
        "index `site, published_at`",
        "articles",
        {"site": "zjnews.zjol.com.cn", "published_at": _DAY},
        fields=("title",),
        sort=("published_at", -1),
    ),
    Question(
        "Articles with images in a span of days, newest first",
        "partial index `images_published_at`",
        "articles",
        {"images.position": 1, "published_at": _DAY},
        fields=("title", "images.url", "images.path"),
        sort=("published_at", -1),
    ),
    Question(
        "Edited after publication, newest first",
        "partial index `edited_published_at`",
        "articles",
        {"revision": {"$gt": 1}},
        fields=("title", "revision", "changed_at"),
        sort=("published_at", -1),
    ),
    Question(
        "What an article was before, oldest version first",
        "index `_id`",
        "revisions",
        {
            "_id": {
                "$gte": {"url": REFERENCE, "revision": 1},
                "$lte": {"url": REFERENCE, "revision": 9999},
            }
        },
        fields=("title", "changed_at"),
        sort=("_id", 1),
    ),
    Question(
        "Taken down, newest first",
        "partial index `status, published_at`",
        "articles",
        {"status": "gone"},
        fields=("title", "gone_at"),
        sort=("published_at", -1),
    ),
    Question(
        "New or edited since a moment, in that order",
        "index `changed_at`",
        "articles",
        {"changed_at": {"$gte": datetime(2017, 12, 25, tzinfo=CHINA)}},
        fields=("title", "revision", "changed_at"),
        sort=("changed_at", 1),
    ),
    Question(
        "Articles that show a picture, by its bytes",
        "index `images.sha256`",
        "articles",
        {"images.sha256": "89a81cf6e0979136b33d58e6462a8db3d2d8cb4a053c168f6b96a4464114a279"},
        fields=("title",),
    ),
    Question(
        "An article by any address that ever led to it",
        "indexes `_id`, `aliases`",
        "articles",
        {"$or": [{"_id": REFERENCE}, {"aliases": REFERENCE}]},
        fields=("title",),
    ),
    Question(
        "What is visited next",
        "index `next_visit_at`",
        "frontier",
        {"next_visit_at": {"$gte": datetime(2017, 8, 12, tzinfo=CHINA)}},
        fields=("state", "next_visit_at"),
        sort=("next_visit_at", 1),
    ),
    Question(
        "What became of the links of a column",
        "index `columns, state`",
        "frontier",
        [
            {"$match": {"columns": "zjxw"}},
            {"$group": {"_id": "$state", "links": {"$sum": 1}}},
            {"$sort": {"_id": 1}},
        ],
    ),
    Question(
        "The newest pages that gave no article",
        "index `_id`, which begins with the time",
        "rejects",
        {},
        fields=("url", "reason", "at"),
        sort=("_id", -1),
        limit=20,
    ),
]
IN_TEXTS = Question(
    "A MongoDB client looks for a text in what an index chooses, article by article",
    "index `columns, published_at`",
    "articles",
    {"columns": "zjxw", "published_at": _DAY, "body": {"$regex": "环境保护督察"}},
    fields=("title",),
    sort=("published_at", -1),
)


def main() -> None:
    """Write each question into docs/questions.md or docs/how-to/search.md."""
    questions = [*QUESTIONS, IN_TEXTS]
    for each, python in zip(questions, formatted(questions), strict=True):
        readme.write(each.title, each.printed(python))


if __name__ == "__main__":
    main()
