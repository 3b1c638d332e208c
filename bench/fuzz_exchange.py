"""Fuzz test of history, web pages, export and import with odd documents: no crash, none slow.

python -m bench.fuzz_exchange [DOCUMENTS]      default 10,000
python -m bench.fuzz_exchange --seed SEED      one document again, with its traceback

Each document is an article with some values replaced by odd ones. It is rendered in a terminal and
as a web page, compared with another one, and written as JSON Lines, CSV and Parquet. Its JSON line
must give exactly the same document or be refused with a reason. Exits with status 1 on an
exception, a document that comes back changed, or one that takes more than two seconds of CPU time.
"""

from __future__ import annotations

import io
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import bson
from bson import Binary, Code, DatetimeMS, Decimal128, Int64, MaxKey, ObjectId, Regex, Timestamp

from tests.export.made import article
from zjolcrawl.commands.export import _written
from zjolcrawl.display.article import render
from zjolcrawl.display.diff import Effort
from zjolcrawl.display.history import edition
from zjolcrawl.display.terminal import printable
from zjolcrawl.export.conform import broken_rule, replace_surrogates
from zjolcrawl.export.jsonl import Unreadable, dump, load
from zjolcrawl.export.output import _FORMS
from zjolcrawl.web.body import links_in, reading
from zjolcrawl.web.views.history import _page

_MOST = 1_000_000  # characters of a text
SLOW = 2.0  # seconds of CPU time a document
SIGNS = "甲乙，。！？；”\n\r\t\0\x1b\x7f\x85\u2028\u202e\ufeff\ufffd\ud800\udc00<>&\"'=|\\{}$.😀a1 \u3000"
TAGS = (
    "p",
    "em",
    "strong",
    "a",
    "table",
    "tr",
    "td",
    "ul",
    "li",
    "blockquote",
    "figure",
    "img",
    "br",
    "script",
    "svg",
)

Made = Callable[[random.Random], Any]


def text(chance: random.Random, most: int = 40) -> str:
    """Random characters, sometimes very many."""
    if chance.random() < 0.05:
        return "".join(chance.choices(SIGNS, k=chance.randint(1, 6))) * chance.choice([100, 20_000])
    return "".join(chance.choices(SIGNS, k=chance.randint(0, most)))


def markup(chance: random.Random) -> str:
    """Tags in random order, sometimes very many."""
    parts = []
    for _ in range(chance.randint(0, 12)):
        tag = chance.choice(TAGS)
        attributes = "".join(
            f' {n}="{text(chance, 8)}"' for n in chance.sample(["href", "src", "x", "y"], 1)
        )
        parts.append(
            chance.choice([f"<{tag}>", f"</{tag}>", f"<{tag}{attributes}>", "字", text(chance, 8)])
        )
    return ("".join(parts) * chance.choice([1, 1, 1, 1, 50, 5000]))[:_MOST]


VALUES: tuple[Made, ...] = (
    text, markup,
    lambda c: c.choice([0, -1, 2**31 - 1, 2**31, 2**63 - 1, -(2**63), Int64(5), True, 1.5, -0.0, float("inf"), float("nan")]),
    lambda c: None,
    lambda c: datetime(1, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=c.randrange(300_000_000_000)),
    lambda c: DatetimeMS(c.randrange(-(2**62), 2**62)),
    lambda c: c.choice([ObjectId(), MaxKey(), Timestamp(1, 2), Decimal128("1.50"), Binary(b"\xff\0", 128)]),
    lambda c: c.choice([Regex(text(c, 8).replace("\0", ""), "i"), Code(text(c, 8)), Code("x", {"a": 1})]),
    lambda c: {c.choice(["$date", "$oid", "$numberLong", "$numberDecimal", "$ref", "$x", "", "a.b", "x"]): value(c)},
    lambda c: [value(c) for _ in range(c.randint(0, 3))],
    lambda c: [text(c, 4)[:9]] * c.choice([1, 500, 20_000]),
)  # fmt: skip


def value(chance: random.Random) -> Any:
    """A value of any type."""
    return chance.choice(VALUES)(chance)


def size(value: Any) -> int:
    """The approximate size of a value in bytes; a list is estimated from its first entries."""
    if isinstance(value, dict):
        return sum(map(size, value.values()))
    if isinstance(value, list):
        return sum(map(size, value[:3])) * len(value) // 3
    return 3 * len(value) if isinstance(value, str) else 8


def odd(chance: random.Random) -> dict[str, Any]:
    """An article with odd values, half of them of the right types."""
    made = article(chance.randrange(50))
    for _ in range(chance.randint(1, 2)):
        name = chance.choice([*made, "mine", "gone_at", "returned_at"])
        if isinstance(made.get(name), str) and chance.random() < 0.7:
            made[name] = markup(chance) if name == "body_html" else text(chance)
        elif isinstance(made.get(name), list) and chance.random() < 0.5:
            made[name] = made[name] * chance.choice([0, 2, 3000])
        else:
            made[name] = value(chance)
    return made


def drive(document: dict[str, Any], other: dict[str, Any]) -> str:
    """Put a document through everything; returns what became of its line. Raises on any fault."""
    for form in ("jsonl", "csv", "parquet"):
        with _FORMS[form](io.BytesIO()) as write:  # type: ignore[arg-type]
            _written(write, document)
    try:
        back = load(dump(document))
    except UnicodeEncodeError:
        return drive(replace_surrogates(document), other)
    except Unreadable:
        return "refused"
    assert bson.encode(back).hex() == bson.encode(_plain(document)).hex() or "$" in str(document), (
        "comes back otherwise"
    )
    if broken_rule(back):
        return "refused by the validator"
    show(back, other)
    return "taken"


def show(document: dict[str, Any], other: dict[str, Any]) -> None:
    """Render a document and its edits."""
    former = {**document, "characters": len(document["body"])}
    newest = {**other, "_id": document["_id"], "characters": len(other["body"]), "revision": 2}
    told = [*render(document), *edition(newest, former, Effort(), is_newest=True)]
    assert not any(sign in printable(line.plain) for line in told for sign in "\x1b\x85\u202e")
    links_in(document.get("body_html", ""))
    assert "<script" not in str(reading(document, set()).html)
    _page(newest, [{**former, "revision": 1}, newest], 1, evidence=False)


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    """The document without differences that JSON does not keep: small 64-bit numbers."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: plain(each) for name, each in value.items()}
        if isinstance(value, list):
            return [plain(each) for each in value]
        return int(value) if isinstance(value, Int64) else value

    return {name: plain(each) for name, each in document.items()}


def main(count: int) -> int:
    """Drive `count` documents and print the findings; returns the exit status."""
    became: Counter[str] = Counter()
    slowest, faults = (0.0, 0), 0
    for seed in range(count):
        begun = time.process_time()
        try:
            became[again(seed)] += 1
        except Exception as error:  # any at all is a finding
            faults += 1
            print(f"  --seed {seed}  {type(error).__name__}: {printable(str(error))[:150]}")
        slowest = max(slowest, (time.process_time() - begun, seed))
    told = ", ".join(f"{number} {what}" for what, number in became.most_common())
    print(
        f"{count} documents: {told}, {faults} faults; slowest {slowest[0]:.2f} s (--seed {slowest[1]})"
    )
    return int(bool(faults) or slowest[0] > SLOW)


def again(seed: int) -> str:
    """Drive one document of a run."""
    chance = random.Random(seed)
    document = odd(chance)
    if size(document) > 2**24:  # no server has it
        return "too large"
    return drive(document, article(chance.randrange(50)))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--seed"]:
        try:
            print(again(int(sys.argv[2])))
        except Exception:  # any at all is a finding
            traceback.print_exc()
            sys.exit(1)
    else:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
