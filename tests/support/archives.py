"""Generates an archive of any size: three years of articles as the product stores them."""

from __future__ import annotations

import asyncio
import random
import struct
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import accumulate, islice
from typing import Any
from uuid import UUID

from bson import ObjectId
from pymongo import AsyncMongoClient
from pymongo.database import Database

from tests.support.prose import (
    PHRASES,
    PLACES,
    Sentence,
    clause,
    falling,
    nouns,
    people,
    sentences,
    word_stream,
)
from zjolcrawl.items import Article, Byline, ColumnVisit, Image, Visit, WalkEnd
from zjolcrawl.parsing.article_page import PARSER_VERSION
from zjolcrawl.parsing.fields.dates import CHINA, china_midnight
from zjolcrawl.site.catalogue import Column, load_catalogue, site_name
from zjolcrawl.storage.documents import article_document
from zjolcrawl.storage.revision_policy import RevisionPolicy
from zjolcrawl.storage.schema import ensure_schema
from zjolcrawl.storage.updates import end_walk, reject_id, visit_column

Document = dict[str, Any]

FIRST_DAY, LAST_DAY = date(2015, 1, 1), date(2017, 12, 31)
NOW = china_midnight(LAST_DAY + timedelta(days=1))
"""The time of the last crawl."""
COLUMNS: tuple[Column, ...] = tuple(c for c in load_catalogue().values() if c.enabled)[:30]
HOLIDAYS = frozenset(
    start + timedelta(days=n)
    for start in (date(2015, 2, 18), date(2016, 2, 7), date(2017, 1, 27)) for n in range(7)
)  # fmt: skip
"""Days on which nothing is published."""
# Names in the queries of docs/questions.md occur, but are not the most frequent; the article it names was edited.
_REPORTERS, _EDITORS, _TAGS = (3, "江帆"), (2, "金晨"), (6, "生态文明")
_KNOWN_COLUMNS = [column for column in COLUMNS if column.id == "zjxw"]
_KNOWN_DAY, _KNOWN_ID = date(2017, 8, 12), 4774532
PICTURE = "89a81cf6e0979136b33d58e6462a8db3d2d8cb4a053c168f6b96a4464114a279"
"""The sha256 of the reference article's image."""
_SOURCES = (
    "浙江在线",
    "浙江日报",
    "钱江晚报",
    "新华网",
    "人民网",
    "中新网",
    "杭州日报",
    "温州日报",
)
_RECHECKS = tuple(timedelta(days=n) for n in (1, 3, 7, 30))
_BATCH = 1000
_SENTENCES = 60_000  # different ones, fewer in a small archive


def fill(db: Database[Any], count: int, seed: int = 1, first: date = FIRST_DAY) -> None:
    """Write `count` articles, with the rows of `revisions`, `frontier`, `columns`, `rejects` and `runs`.

    The articles: 300 to 900 Chinese characters in 4 to 10 paragraphs, 60 % with images, 2 % edited once,
    1 % gone, of 30 columns and 400 reporters, published from the day `first` on. One link in 50 is rejected, one in 200 failed.
    """
    asyncio.run(_ensure_schema(db))
    everything = made(count, seed, first)
    runs: set[ObjectId] = set()
    newest: dict[str, datetime] = {}
    # The server writes one batch while the next is generated.
    with ThreadPoolExecutor(1) as writer:
        pending: Future[None] | None = None
        while batch := list(islice(everything, _BATCH)):
            written: dict[str, list[Document]] = defaultdict(list)
            for each in batch:
                for collection, document in each.documents():
                    written[collection].append(document)
                runs |= {version["run_id"] for version in each.versions}
                for column in each.link["columns"]:
                    newest[column] = each.link["listed_at"]
            if pending:
                pending.result()
            pending = writer.submit(_insert, db, written)
        if pending:
            pending.result()
    db.runs.insert_many([_run(each) for each in sorted(runs)])
    visits = [_visit(each, newest[each.id]) for each in COLUMNS if each.id in newest]
    walks = [
        WalkEnd(v.column, complete=True, swept=True, pages=v.pages_total, seen_at=NOW)
        for v in visits
    ]
    last = max(runs)
    db.columns.bulk_write(
        [*(visit_column(each, last) for each in visits), *(end_walk(each, last) for each in walks)]
    )


@dataclass(slots=True)
class Made:
    """The versions of an article, oldest first, its row in `frontier`, and links without an article."""

    versions: list[Document]
    link: Document
    others: list[Document] = field(default_factory=list)
    rejects: list[Document] = field(default_factory=list)

    def documents(self) -> Iterator[tuple[str, Document]]:
        """All documents with their collections."""
        *former, newest = self.versions
        yield "articles", newest
        for version in former:
            yield (
                "revisions",
                {**version, "_id": {"url": version["_id"], "revision": version["revision"]}},
            )
        for row in (self.link, *self.others):
            yield "frontier", row
        for reject in self.rejects:
            yield "rejects", reject


def made(count: int, seed: int = 1, first: date = FIRST_DAY) -> Iterator[Made]:
    """The archive without a database, oldest article first."""
    newsroom = Newsroom(seed, min(8 * count, _SENTENCES))
    for number, at in enumerate(newsroom.times(count, first)):
        yield newsroom.publish(number, at)


class Newsroom:
    """A newsroom: its people, columns and words."""

    def __init__(self, seed: int, number: int = _SENTENCES) -> None:
        """`number`: how many different sentences it writes."""
        self.rng = rng = random.Random(seed)
        self.seed = seed
        tags = dict.fromkeys([*nouns(300), *PHRASES, *PLACES[:12]])
        self.names: dict[str, tuple[str, ...]] = {
            "reporters": _with(people(rng, 400), *_REPORTERS),
            "editors": _with(people(rng, 60), *_EDITORS),
            "tags": _with(tuple(rng.sample(list(tags), len(tags))), *_TAGS),
            "sources": _SOURCES,
        }
        self.weights = {kind: falling(len(names)) for kind, names in self.names.items()}
        self.column_weights = falling(len(COLUMNS))
        self.sentences: tuple[Sentence, ...] = sentences(seed, number)
        self.words = word_stream(rng)
        self.titles: set[str] = set()
        self.known = False
        # Each column has some weeks without news.
        days = (LAST_DAY - FIRST_DAY).days
        self.silent = {
            c.id: (
                start := FIRST_DAY + timedelta(days=rng.randrange(days)),
                start + timedelta(days=rng.randint(5, 40)),
            )
            for c in COLUMNS
        }

    def times(self, count: int, first: date) -> list[datetime]:
        """Publish times in order: by day in China, half as many at weekends."""
        days = [first + timedelta(days=n) for n in range((LAST_DAY - first).days + 1)]
        days = [day for day in days if day not in HOLIDAYS]
        weights = list(accumulate(1 if day.weekday() < 5 else 0.5 for day in days))
        chosen = self.rng.choices(days, cum_weights=weights, k=count)
        return sorted(
            china_midnight(day) + timedelta(seconds=self.rng.randint(7 * 3600, 22 * 3600))
            for day in chosen
        )

    def publish(self, number: int, at: datetime) -> Made:
        """One article with its history until NOW."""
        rng = self.rng
        article = self.article(number, at)
        visits = [at + wait for wait in _RECHECKS if at + wait < NOW]
        assert article.visit.seen_at
        runs = [_run_id(self.seed, moment) for moment in (article.visit.seen_at, *visits)]
        (version,) = versions = [_version(article, None, runs[0])]
        edited = rng.random() < 0.02 or article.doc_id == str(_KNOWN_ID)
        gone = rng.random() < 0.01
        if edited and visits:
            versions.append(_version(self.edit(article, visits[0]), version, runs[1]))
        newest = versions[-1]
        newest["last_seen_at"] = max([newest["last_seen_at"], *visits])
        if gone and len(visits) > 1:
            newest |= {"status": "gone", "gone_at": visits[-1], "last_seen_at": visits[-2]}
        made = Made(versions, self.link(article, newest, visits))
        if number % 50 == 0:
            self.reject(made, number)
        if number % 200 == 0:
            made.others.append(self.failed(made, number))
        return made

    def article(self, number: int, at: datetime) -> Article:
        """The content of the article with that number when it was published."""
        rng, day = self.rng, at.astimezone(CHINA)
        columns, ident = self.columns(day.date()), 3_000_000 + 17 * number
        if day.date() == _KNOWN_DAY and not self.known:
            self.known, columns, ident = True, _KNOWN_COLUMNS, _KNOWN_ID
        folder = f"{columns[0].url}{day:%Y%m}/"
        authors = [
            Byline(
                name,
                *(
                    ("通讯员", None)
                    if rng.random() < 0.2
                    else ("记者", rng.choice((None, "浙江在线")))
                ),
            )
            for name in self.some(
                "reporters", 0 if rng.random() < 0.12 else rng.choice((1, 1, 1, 1, 2))
            )
        ]
        signed = "、".join(f"{a.outlet or ''}{a.role} {a.name}" for a in authors)
        editors = [
            Byline(name, "责任编辑") for name in self.some("editors", rng.choice((0, 1, 1, 1)))
        ]
        dateline = f"浙江在线{day.month}月{day.day}日讯"
        paragraphs = self.paragraphs()
        paragraphs[0] = f"{dateline}{f'（{signed}）' if signed else ''}{paragraphs[0]}"
        images = self.images(folder, day) if rng.random() < 0.6 else []
        if ident == _KNOWN_ID:
            name = "W020170812341787363590.jpg"
            images = [Image(f"{folder}{name}", f"./{name}", 1, status="stored", sha256=PICTURE,
                            path=f"{PICTURE[:2]}/{PICTURE}.jpg", content_type="image/jpeg")]  # fmt: skip
        seconds, precision = rng.choices(
            ((0, "second"), (60, "minute"), (86400, "day")), (80, 16, 4)
        )[0]
        published = at
        if seconds:
            published = china_midnight(day.date()) if precision == "day" else at.replace(second=0)
        tags = self.some("tags", rng.randint(0, 4))
        alias = f"http://m.zjol.com.cn/{day:%Y%m}/t{day:%Y%m%d}_{ident}.shtml"
        named = {"authors": authors, "editors": editors, "tags": tags}
        article = Article(
            url=f"{folder}t{day:%Y%m%d}_{ident}.shtml",
            site=columns[0].site,
            site_name=site_name(columns[0].site),
            title=self.title(),
            body="",
            body_html="",
            template=rng.choices(("T1", "T2", "generic"), (70, 25, 5))[0],
            parser_version=PARSER_VERSION,
            doc_id=str(ident),
            columns=[column.id for column in columns],
            breadcrumb=["浙江在线", site_name(columns[0].site) or "新闻", columns[0].name],
            kicker=clause(self.words, 12) if rng.random() < 0.2 else None,
            subtitle=clause(self.words, 12) if rng.random() < 0.1 else None,
            published_at=published,
            published_precision=precision,
            source=self.some("sources", 1)[0],
            authors=authors,
            editors=[
                Byline(name, "责任编辑") for name in self.some("editors", rng.choice((0, 1, 1, 1)))
            ],
            tags=tags,
            dateline=dateline,
            images=images,
            warnings=[f"missing: {name}" for name, values in named.items() if not values],
            visit=Visit(
                aliases=[alias] if rng.random() < 0.03 else [],
                seen_at=min(at + timedelta(seconds=rng.randint(300, 6 * 3600)), NOW),
                warc=_pointer(rng, day),
            ),
        )
        return _with_body(article, paragraphs)

    def edit(self, article: Article, seen_at: datetime) -> Article:
        """The article after a correction: one more paragraph, and in half of the cases another title."""
        paragraphs = [*article.body.split("\n"), self.rng.choice(self.sentences).text]
        title = self.title() if self.rng.random() < 0.5 else article.title
        visit = replace(article.visit, seen_at=seen_at, warc=_pointer(self.rng, seen_at))
        edited = replace(article, title=title, visit=visit)
        return _with_body(edited, paragraphs)

    def columns(self, day: date) -> list[Column]:
        """One column, or two on one host, that publish on this day."""
        while True:
            chosen = self.rng.choices(COLUMNS, cum_weights=self.column_weights)[0]
            first, last = self.silent[chosen.id]
            if not first <= day <= last:
                break
        beside = [c for c in COLUMNS if c.site == chosen.site and c is not chosen]
        return [chosen, self.rng.choice(beside)] if beside and self.rng.random() < 0.1 else [chosen]

    def some(self, kind: str, number: int) -> list[str]:
        """Different reporters, editors, tags or sources, the first ones most often."""
        chosen: dict[str, None] = {}
        while len(chosen) < number:
            chosen[self.rng.choices(self.names[kind], cum_weights=self.weights[kind])[0]] = None
        return list(chosen)

    def title(self) -> str:
        """A unique headline."""
        while True:
            title = f"{self.rng.choice(PLACES)}{clause(self.words, self.rng.randint(7, 20))}"
            if title not in self.titles:
                self.titles.add(title)
                return title

    def paragraphs(self) -> list[str]:
        """300 to 900 Chinese characters in 4 to 10 paragraphs; the first leaves room for its dateline."""
        rng = self.rng
        wanted, found, texts = rng.randint(300, 750), 0, []
        while found < wanted or len(texts) < 4:
            sentence = rng.choice(self.sentences)
            texts.append(sentence.text)
            found += sentence.characters
        number = rng.randint(4, min(10, len(texts)))
        ends = [*sorted(rng.sample(range(1, len(texts)), number - 1)), len(texts)]
        return ["".join(texts[start:end]) for start, end in zip([0, *ends], ends, strict=False)]

    def images(self, folder: str, day: datetime) -> list[Image]:
        """One to three images; one in twelve is missing."""
        return [
            self.image(folder, day, position) for position in range(1, self.rng.randint(1, 3) + 1)
        ]

    def image(self, folder: str, day: datetime, position: int) -> Image:
        """An image as the image pipeline leaves it."""
        rng = self.rng
        name = f"W0{day:%Y%m%d}{rng.randrange(10**12):012}.jpg"
        image = Image(f"{folder}{name}", f"./{name}", position)
        if rng.random() < 0.5:
            image.caption = clause(self.words, 8)
        if rng.random() < 1 / 12:
            image.status = "missing"
            return image
        sha256 = f"{rng.getrandbits(256):064x}"
        image.status, image.sha256, image.path = "stored", sha256, f"{sha256[:2]}/{sha256}.jpg"
        image.width, image.height, image.bytes = (
            900,
            rng.randint(400, 900),
            rng.randint(20_000, 400_000),
        )
        image.content_type = "image/jpeg"
        return image

    def link(self, article: Article, newest: Document, visits: list[datetime]) -> Document:
        """The `frontier` row of an article after these visits."""
        assert article.published_at
        assert article.visit.seen_at
        listed = china_midnight(article.published_at.astimezone(CHINA).date())
        row: Document = {
            "_id": article.url, "state": "stored", "kind": "article", "columns": article.columns,
            "listed_title": article.title, "listed_title_seen_at": article.visit.seen_at,
            "listed_at": listed, "listed_at_seen_at": article.visit.seen_at,
            "discovered_at": article.visit.seen_at, "attempts": 1 + len(visits),
            "published_at": article.published_at,
            "last_attempt_at": max([article.visit.seen_at, *visits]),
        }  # fmt: skip
        if newest["status"] == "gone":
            row |= {"state": "gone", "last_error": "404"}
        if waits := _RECHECKS[len(visits) :]:
            row["next_visit_at"] = article.published_at + waits[0]
        return row

    def reject(self, made: Made, number: int) -> None:
        """A further link whose page had no article."""
        row = self._beside(made.link, number, "rejected", "no body found")
        at = row["last_attempt_at"]
        made.others.append(row)
        made.rejects.append(
            {"_id": reject_id(row["_id"], at), "url": row["_id"], "final_url": row["_id"],
             "reason": row["last_error"], "status": 200, "template": "T1", "at": at,
             "run_id": _run_id(self.seed, at), "warc": _pointer(self.rng, at)}
        )  # fmt: skip

    def failed(self, made: Made, number: int) -> Document:
        """A further link that could not be fetched and will be retried."""
        row = self._beside(made.link, number + 100_000_000, "failed", "timeout")
        return {
            **row,
            "failures": 3,
            "attempts": 3,
            "next_visit_at": NOW + timedelta(hours=number % 100),
        }

    def _beside(self, link: Document, number: int, state: str, reason: str) -> Document:
        url = f"{link['_id'].rpartition('_')[0]}_{number + 100_000_000}.shtml"
        kept = ("kind", "columns", "listed_at", "listed_at_seen_at", "discovered_at")
        return {
            **{name: link[name] for name in kept}, "_id": url, "state": state, "attempts": 1,
            "last_attempt_at": link["discovered_at"], "last_error": reason,
        }  # fmt: skip


def _version(article: Article, known: Document | None, run_id: ObjectId) -> Document:
    version = RevisionPolicy(run_id).decide(article_document(article), known, []).version
    assert version
    return version


def _with_body(article: Article, paragraphs: list[str]) -> Article:
    article.body = "\n".join(paragraphs)
    figures = [f'<figure><img src="{image.url}"></figure>' for image in article.images]
    article.body_html = "\n".join([*figures, *(f"<p>{text}</p>" for text in paragraphs)])
    return article


def _with(names: tuple[str, ...], place: int, name: str) -> tuple[str, ...]:
    """The names with a given one at its position."""
    others = [each for each in names if each != name]
    return (*others[:place], name, *others[place : len(names) - 1])


def _pointer(rng: random.Random, day: datetime) -> Document:
    return {
        "file": f"zjol-{day:%Y%m%d}000000000-made-00001.warc.gz", "offset": rng.randrange(2**30),
        "length": rng.randint(8000, 30000), "record_id": f"urn:uuid:{UUID(int=rng.getrandbits(128), version=4)}",
    }  # fmt: skip


def _run_id(seed: int, moment: datetime) -> ObjectId:
    """The id of the month's run."""
    month = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return ObjectId(struct.pack(">IQ", int(month.timestamp()), seed))


def _run(run_id: ObjectId) -> Document:
    ended = run_id.generation_time + timedelta(hours=1)
    return {
        "_id": run_id, "arguments": {"spider": "column"}, "version": "0", "exit_status": 0,
        "started_at": run_id.generation_time, "ended_at": ended,
    }  # fmt: skip


def _visit(column: Column, newest: datetime) -> ColumnVisit:
    return ColumnVisit(
        column.id, column.url, 0, 20, newest_listed_at=newest, pages_total=50,
        entry=asdict(column), seen_at=NOW,
    )  # fmt: skip


def _insert(db: Database[Any], written: dict[str, list[Document]]) -> None:
    for collection, documents in written.items():
        db[collection].insert_many(documents, ordered=False)


async def _ensure_schema(db: Database[Any]) -> None:
    address = db.client.address
    assert address
    async with AsyncMongoClient[Document](*address) as client:
        await ensure_schema(client[db.name])
