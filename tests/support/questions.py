"""The questions of README.md, as it prints them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from pymongo.database import Database

from tests.support.crawling import ROOT


def _section(name: str) -> str:
    return (ROOT / "README.md").read_text().split(f"\n## {name}\n")[1].split("\n## ")[0]


SECTION = _section("Questions")
_QUESTION = re.compile(
    r"^(?P<title>[^\n`]+) \((?P<index>[^\n]*index[^\n]*)\):\n"
    r"```js\n(?P<shell>.*?)\n```\n```python\n(?P<python>.*?)\n```$",
    re.DOTALL | re.MULTILINE,
)
CHINA = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the words on its index, and its query in both languages."""

    title: str
    index: str
    shell: str
    python: str

    def ask(self, db: Database[Any]) -> list[dict[str, Any]]:
        """The answer of the pymongo query as printed."""
        known = {"db": db, "datetime": datetime, "china": CHINA}
        return list(eval(self.python, known))  # the README's own lines


QUESTIONS = [Question(**match.groupdict()) for match in _QUESTION.finditer(SECTION)]
(IN_TEXTS,) = [Question(**m.groupdict()) for m in _QUESTION.finditer(_section("Full text"))]
