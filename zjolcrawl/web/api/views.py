"""What each path of the API answers: the body as JSON, and the cursor of the next page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from starlette.datastructures import QueryParams

from zjolcrawl.clock import iso_time
from zjolcrawl.display.diff import Effort
from zjolcrawl.display.health import USUAL, judge
from zjolcrawl.export.jsonl import as_text
from zjolcrawl.health_facts import collect_facts
from zjolcrawl.search import QueryError, Search
from zjolcrawl.search.paging import Key as HitKey
from zjolcrawl.search.searcher import RANKED
from zjolcrawl.site.names import UnknownName
from zjolcrawl.storage.queries import paging
from zjolcrawl.storage.queries.articles import find_article, for_export
from zjolcrawl.storage.queries.browsing import column_counts
from zjolcrawl.storage.queries.links import frontier_row
from zjolcrawl.storage.queries.names import resolved
from zjolcrawl.storage.queries.selection import Selection
from zjolcrawl.web.api import cursors
from zjolcrawl.web.api.answers import article_json, json_list, json_object, stored_json
from zjolcrawl.web.api.changes import changes
from zjolcrawl.web.api.parameters import selection_of
from zjolcrawl.web.api.problems import Problem, of_unknown_name
from zjolcrawl.web.labels import column_name
from zjolcrawl.web.rendering import in_thread
from zjolcrawl.web.site import Site

MOST_BYTES = 4 * 2**20
"""A page ends before it has more bytes of stored articles, but has at least one."""


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request: the archive, the query string, and the checked values of its parameters."""

    site: Site
    query: QueryParams
    values: dict[str, Any]

    async def selection(self) -> Selection:
        """The filters, with names of the archive. Raises Problem."""
        try:
            return await resolved(self.site.db, selection_of(self.values))
        except UnknownName as error:
            raise of_unknown_name(error) from error

    async def hits(self) -> Search:
        """The query on the index, which is brought up to date. Raises Problem."""
        selection = await self.selection()
        await self.site.indexed()
        try:
            return await in_thread(Search, self.site.index, self.values["words"] or "", selection)
        except QueryError as error:
            raise Problem("invalid-parameter", f"words: {error}", parameter="words") from error


Answer = tuple[bytes, str | None]
"""The body, and the cursor of the next page if there is one."""


async def search(request: ApiRequest) -> Answer:
    """Hits of the full-text index."""
    limit = request.values["limit"]
    types = (cursors.is_group, cursors.is_value, cursors.is_text)
    after = cursors.decode(request.values["cursor"], request.query, types)
    found = await request.hits()
    start = HitKey(*after) if after else None
    following = _ranked if request.values["order"] == "relevance" else Search.after
    keys = await in_thread(following, found, start, limit + 1)
    return await _articles(request, keys, await in_thread(found.total))


def _ranked(found: Search, after: HitKey | None, limit: int) -> list[HitKey]:
    """The next hits by relevance, found again by the last one. Raises Problem."""
    urls = found.urls(RANKED, order="relevance")
    start = 0
    if after:
        if after.url not in urls:
            why = f"its article is no longer among the best {RANKED}: begin again without a cursor"
            raise Problem("invalid-parameter", f"cursor is invalid: {why}", parameter="cursor")
        start = urls.index(after.url) + 1
    return [HitKey(0, None, url) for url in urls[start : start + limit]]


async def articles(request: ApiRequest) -> Answer:
    """Articles that the filters select."""
    limit = request.values["limit"]
    types = (cursors.is_time, cursors.is_text)
    after = cursors.decode(request.values["cursor"], request.query, types)
    selection = await request.selection()
    keys = await paging.keys_after(request.site.db, selection, after, limit + 1)
    return await _articles(request, keys)


async def _articles(request: ApiRequest, keys: Sequence[Any], total: int | None = None) -> Answer:
    """The articles of these keys, which are one more than a page has unless it is the last one."""
    page = keys[: request.values["limit"]]
    found = await paging.documents(request.site.db, [key[-1] for key in page], MOST_BYTES)
    ends = found[-1]["_id"] if found else None
    last = next((key for key in page if key[-1] == ends), page[-1] if page else None)
    following = None
    if last is not None and last != keys[-1]:
        following = cursors.encode(tuple(last), request.query)
    listed = await in_thread(lambda: json_list(map(article_json, found)))
    return json_object(articles=listed, total=total, next=following), following


async def article(request: ApiRequest) -> Answer:
    """The newest version of an article."""
    found = await _newest(request)
    return await in_thread(article_json, found), None


async def _newest(request: ApiRequest) -> dict[str, Any]:
    """The article at `url=`. Raises Problem, with the state of its link if that is known."""
    url, db = request.values["url"], request.site.db
    if found := await find_article(for_export(db), url):
        return found
    row = await frontier_row(db, url)
    known = f"its link is {row['state']}: {row.get('last_error', '')}" if row else "unknown"
    raise Problem("not-found", f"no article {url} ({known.rstrip(': ')})")


async def revisions(request: ApiRequest) -> Answer:
    """Versions of an article, each with the changes since the one before."""
    limit = request.values["limit"]
    after = cursors.decode(request.values["cursor"], request.query, (cursors.is_number,))
    newest = await _newest(request)
    before, found = await paging.versions_after(
        request.site.db, newest, after[0] if after else None, limit, MOST_BYTES
    )
    following = None
    if found and paging.version_key(found[-1]) < paging.version_key(newest):
        following = cursors.encode((paging.version_key(found[-1]),), request.query)
    listed = await in_thread(_versions, before, found)
    return json_object(url=newest["_id"], revisions=listed, next=following), following


def _versions(before: dict[str, Any] | None, found: list[dict[str, Any]]) -> bytes:
    effort, items = Effort(), []
    for version in found:
        edits = changes(as_text(before), as_text(version), effort) if before else []
        made = stored_json(edits) if before else None
        items.append(json_object(article=article_json(version), changes=made))
        before = version
    return json_list(items)


async def columns(request: ApiRequest) -> Answer:
    """The columns that have articles."""
    rows = [
        {
            "id": each.id, "name": column_name(each.id), "articles": each.articles,
            **({"newest": iso_time(each.newest)} if each.newest else {}),
        }
        for each in await column_counts(request.site.db)
    ]  # fmt: skip
    return json_object(columns=rows), None


async def counts(request: ApiRequest) -> Answer:
    """Numbers of hits by day, month or year."""
    found = await request.hits()
    by = request.values["by"]
    numbers, total = await in_thread(lambda: (found.histogram(by), found.total()))
    return json_object(by=by, counts=numbers, total=total), None


async def health(request: ApiRequest) -> Answer:
    """The findings of `scrapy health`, with its default limits, without its slow checks."""
    findings = judge(await collect_facts(request.site.db, request.site.data_dir), USUAL)
    values = {
        "well": not any(each.bad for each in findings),
        "findings": [asdict(each) for each in findings],
    }
    return stored_json(values), None
